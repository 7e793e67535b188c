/* The live line of a recording: time, frames, size, frame rate. Shown only on a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_INTERVAL_MS 250u
/* The frame rate is that of the last two seconds. */
#define PROGRESS_SAMPLES 8u

/* Zero-initialise all but `live`. */
struct progress {
	bool live;  /* stderr is a terminal */
	bool shown; /* there is a line to clear */
	uint64_t frames[PROGRESS_SAMPLES];
	int64_t at_us[PROGRESS_SAMPLES];
	size_t samples;
};

/* Shows a line that stays until the next one, such as what the recording waits for. */
void progress_say(struct progress *progress, const char *text);

/* Shows the state of a recording `elapsed_us` after its start. Call it every PROGRESS_INTERVAL_MS.
 */
void progress_update(
	struct progress *progress, int64_t elapsed_us, uint64_t frames, uint64_t bytes);

/* Clears the line. Call it before writing something else to stderr. */
void progress_clear(struct progress *progress);

/* The line that progress_update() shows; free with g_free(). */
char *progress_format(
	const struct progress *progress, int64_t elapsed_us, uint64_t frames, uint64_t bytes);
