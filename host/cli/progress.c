#include "cli/progress.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

void progress_say(struct progress *progress, const char *text) {
	if (!progress->live) {
		return;
	}
	/* Overwrites the line and clears what is left of it. */
	(void)fprintf(stderr, "\r%s\033[K", text);
	(void)fflush(stderr);
	progress->shown = true;
}

void progress_format_time(int64_t us, char *out, size_t size) {
	int64_t seconds = us / 1000000;
	if (seconds >= 3600) {
		(void)snprintf(out, size, "%" PRId64 ":%02d:%02d", seconds / 3600,
			(int)(seconds / 60 % 60), (int)(seconds % 60));
	} else {
		(void)snprintf(out, size, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
	}
}

static double frame_rate(const struct progress *progress) {
	if (progress->samples < 2) {
		return 0;
	}
	size_t newest = (progress->samples - 1) % PROGRESS_SAMPLES;
	size_t oldest =
		progress->samples > PROGRESS_SAMPLES ? progress->samples % PROGRESS_SAMPLES : 0;
	int64_t passed = progress->at_us[newest] - progress->at_us[oldest];
	uint64_t frames = progress->frames[newest] - progress->frames[oldest];
	return passed > 0 ? (double)frames * 1e6 / (double)passed : 0;
}

void progress_format(const struct progress *progress, int64_t elapsed_us, uint64_t frames,
	uint64_t bytes, char *out, size_t size) {
	char time[32];
	g_autofree char *amount = g_format_size(bytes);
	progress_format_time(elapsed_us, time, sizeof(time));
	(void)snprintf(out, size, "%s  %" PRIu64 " frames  %s  %.0f fps  (Ctrl-C ends)", time,
		frames, amount, frame_rate(progress));
}

void progress_update(struct progress *progress, int64_t now_us, int64_t elapsed_us, uint64_t frames,
	uint64_t bytes) {
	progress->frames[progress->samples % PROGRESS_SAMPLES] = frames;
	progress->at_us[progress->samples % PROGRESS_SAMPLES] = now_us;
	progress->samples++;
	char line[160];
	progress_format(progress, elapsed_us, frames, bytes, line, sizeof(line));
	progress_say(progress, line);
}

void progress_clear(struct progress *progress) {
	if (progress->shown) {
		(void)fputs("\r\033[K", stderr);
		progress->shown = false;
	}
}
