#include "record/progress.h"

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

char *progress_format(
	const struct progress *progress, int64_t elapsed_us, uint64_t frames, uint64_t bytes) {
	g_autofree char *size = g_format_size(bytes);
	int seconds = (int)(elapsed_us / 1000000);
	g_autofree char *time = seconds >= 3600
					? g_strdup_printf("%d:%02d:%02d", seconds / 3600,
						  seconds / 60 % 60, seconds % 60)
					: g_strdup_printf("%d:%02d", seconds / 60, seconds % 60);
	return g_strdup_printf("%s  %" PRIu64 " frames  %s  %.0f fps  (Ctrl-C ends)", time, frames,
		size, frame_rate(progress));
}

void progress_update(
	struct progress *progress, int64_t elapsed_us, uint64_t frames, uint64_t bytes) {
	progress->frames[progress->samples % PROGRESS_SAMPLES] = frames;
	progress->at_us[progress->samples % PROGRESS_SAMPLES] = elapsed_us;
	progress->samples++;
	g_autofree char *line = progress_format(progress, elapsed_us, frames, bytes);
	progress_say(progress, line);
}

void progress_clear(struct progress *progress) {
	if (progress->shown) {
		(void)fputs("\r\033[K", stderr);
		progress->shown = false;
	}
}
