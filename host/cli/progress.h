/*
 * The live line of a recording: time, frames, size, frames a second. Nothing is shown where stderr
 * is not a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_INTERVAL_MS 250u
/* Frames a second are those of the last two seconds. */
#define PROGRESS_SAMPLES 8u

/* Initialise with progress_init(); nothing to finish. */
struct progress {
	bool live;
	bool shown; /* there is a line to be wiped */
	uint64_t frames[PROGRESS_SAMPLES];
	int64_t at_us[PROGRESS_SAMPLES];
	size_t samples;
};

/* `live`: stderr is a terminal. */
void progress_init(struct progress *progress, bool live);

/* A line that stands until the next one, such as what is waited for. */
void progress_say(struct progress *progress, const char *text);

/* The state of a recording at `now_us`, `elapsed_us` after its start. To be called every
 * PROGRESS_INTERVAL_MS. */
void progress_update(struct progress *progress, int64_t now_us, int64_t elapsed_us, uint64_t frames,
	uint64_t bytes);

/* Wipes the line, before something else is written. */
void progress_clear(struct progress *progress);

/* "0:05", "12:34", "1:02:03". */
void progress_format_time(int64_t us, char *out, size_t size);
/* "512 B", "1.5 kB", "20.1 MB", "3.2 GB". */
void progress_format_size(uint64_t bytes, char *out, size_t size);
/* The whole line, for progress_update() and its tests. */
void progress_format(const struct progress *progress, int64_t elapsed_us, uint64_t frames,
	uint64_t bytes, char *out, size_t size);
