#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <libavutil/log.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "record/output.h"
#include "record/recorder.h"
#include "tool/arguments.h"
#include "tool/say.h"

#define DEFAULT_FPS 30
#define DEFAULT_KBPS 8000
/* A week: more is a typo. 0 means no limit. */
#define DURATION_MAX_S 604800.0

static const char description[] =
	"Asks in the desktop's own dialog what to record, and records it into FILE.webm until\n"
	"Ctrl-C, the desktop's stop button or --duration. FILE may be - for the standard output.\n"
	"\n"
	"Example:\n"
	"  portlight record --source screen --duration 30 demo.webm";

struct word {
	const char *text;
	unsigned value;
};

/* The value of the word `text`; `preset` for NULL; 0 after saying that it is neither. */
static unsigned choose(
	const char *option, const char *text, unsigned preset, const struct word words[2]) {
	if (text == NULL) {
		return preset;
	}
	for (int i = 0; i < 2; i++) {
		if (strcmp(text, words[i].text) == 0) {
			return words[i].value;
		}
	}
	(void)arguments_wrong("--%s must be %s or %s.", option, words[0].text, words[1].text);
	return 0;
}

static bool check_numbers(double duration_s, int fps, int kbps, struct recorder_options *options) {
	const char *wrong = NULL;
	if (!isfinite(duration_s) || duration_s < 0 || duration_s > DURATION_MAX_S) {
		wrong = "--duration must be a number of seconds, at most 604800 (a week).";
	} else if (fps < 1 || fps > (int)PACKET_FPS_MAX) {
		wrong = "--fps must be 1 to 240.";
	} else if (kbps < (int)PACKET_KBPS_MIN || kbps > (int)PACKET_KBPS_MAX) {
		wrong = "--kbps must be 100 to 200000.";
	}
	if (wrong != NULL) {
		(void)arguments_wrong("%s", wrong);
		return false;
	}
	options->duration_us = (int64_t)(duration_s * 1e6);
	options->max_fps = (uint16_t)fps;
	options->max_kbps = (uint32_t)kbps;
	return true;
}

static bool parse(
	int argc, char **argv, struct recorder_options *options, gboolean *force, char ***files) {
	static const struct word codecs[] = {{"vp8", PACKET_CODEC_VP8}, {"vp9", PACKET_CODEC_VP9}};
	static const struct word cursors[] = {
		{"embedded", PORTAL_CURSOR_EMBEDDED}, {"hidden", PORTAL_CURSOR_HIDDEN}};
	static const struct word sources[] = {
		{"screen", PORTAL_SOURCE_MONITOR}, {"window", PORTAL_SOURCE_WINDOW}};
	double duration_s = 0;
	int fps = DEFAULT_FPS;
	int kbps = DEFAULT_KBPS;
	g_autofree char *codec = NULL;
	g_autofree char *cursor = NULL;
	g_autofree char *source = NULL;
	const GOptionEntry entries[] = {
		{"duration", 'd', 0, G_OPTION_ARG_DOUBLE, &duration_s,
			"Stop after this many seconds", "SECONDS"},
		{"source", 's', 0, G_OPTION_ARG_STRING, &source,
			"What the dialog offers: screen or window (default: both)", "KIND"},
		{"cursor", 'c', 0, G_OPTION_ARG_STRING, &cursor,
			"The pointer: embedded or hidden (default: embedded)", "MODE"},
		{"codec", 0, 0, G_OPTION_ARG_STRING, &codec, "vp8 or vp9 (default: vp9)", "CODEC"},
		{"fps", 'r', 0, G_OPTION_ARG_INT, &fps,
			"Maximum frame rate, 1 to 240 (default: 30)", "FPS"},
		{"kbps", 'b', 0, G_OPTION_ARG_INT, &kbps,
			"Target bit rate in kbit/s, 100 to 200000 (default: 8000)", "KBPS"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, force, "Replace FILE.webm if it exists", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, files, NULL, "FILE.webm"},
		{0},
	};
	if (!arguments_parse(description, entries, argc, argv) ||
		!check_numbers(duration_s, fps, kbps, options)) {
		return false;
	}
	options->codec = choose("codec", codec, PACKET_CODEC_VP9, codecs);
	options->cursor = choose("cursor", cursor, PORTAL_CURSOR_EMBEDDED, cursors);
	options->source_types =
		choose("source", source, PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW, sources);
	return options->codec != 0 && options->cursor != 0 && options->source_types != 0;
}

static void say_file_problem(const char *path, int error) {
	static const struct {
		int error;
		const char *text; /* after the path, if it begins with a space or a colon */
		const char *remedy;
	} problems[] = {
		{EEXIST, " already exists.", "Name another file, or replace it with --force."},
		{ENOENT, ": the folder does not exist.",
			"Create the folder, or name another file."},
		{EISDIR, " is a folder.", "Name a file."},
		{ENOSPC, ": the disk is full.", "Free some space, or record to another disk."},
		{EDQUOT, ": the disk is full.", "Free some space, or record to another disk."},
		{ENOTTY, "A recording can't be shown on a terminal.",
			"Name a file, or use a pipe: portlight record - | mpv -"},
		{EPIPE, "The program that read the recording has ended.", NULL},
		{ECANCELED, "The program that reads the recording did not take the rest.", NULL},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(problems); i++) {
		if (problems[i].error == error) {
			const char *text = problems[i].text;
			bool named = text[0] == ' ' || text[0] == ':';
			say_problem(problems[i].remedy, "%s%s", named ? path : "", text);
			return;
		}
	}
	say_problem("Name a file that you can write, on a disk with room.", "Can't write %s: %s.",
		path, g_strerror(error));
}

static void say_summary(const char *path, const struct recorder_options *options,
	const struct recorder_result *result) {
	if (result->frames == 0) {
		return;
	}
	g_autofree char *size = g_format_size(result->bytes);
	(void)fprintf(stderr, "Recorded %.1f s, %" PRIu64 " frames, %s to %s (%ux%u, %s).\n",
		(double)result->duration_us / 1e6, result->frames, size,
		strcmp(path, "-") == 0 ? "the standard output" : path, result->width,
		result->height, options->codec == PACKET_CODEC_VP8 ? "VP8" : "VP9");
}

static int say_result(const char *path, const struct recorder_options *options,
	const struct recorder_result *result) {
	if (result->file_error != 0) {
		say_file_problem(path, result->file_error);
		say_summary(path, options, result);
		return EXIT_FILE;
	}
	enum exit_status status = say_exit_status(result->code);
	if (status != EXIT_DONE) {
		/* A refusal needs no detail. */
		say_error(result->code, status == EXIT_REFUSED ? NULL : result->detail);
	} else if (result->frames == 0 && result->signal != 0) {
		return EXIT_SIGNAL + result->signal;
	} else if (result->frames == 0) {
		say_problem(error_remedy(result->code),
			"The share ended before the first picture; nothing was recorded.");
		return EXIT_CAPTURE;
	} else if (result->code != ERROR_STOPPED) {
		(void)fprintf(stderr, "%s\n", error_message(result->code));
	}
	say_summary(path, options, result);
	return (int)status;
}

/* `portlight record` executes this program; its messages and its help carry that name. */
int main(int argc, char **argv) {
	(void)setlocale(LC_ALL, "");
	log_init("portlight", LOG_WARNING);
	g_set_prgname("portlight record");
	/* libavformat's errors come back from its functions; they are said in our own words. */
	av_log_set_level(AV_LOG_QUIET);
	struct recorder_options options = {.live = isatty(STDERR_FILENO) == 1};
	struct recorder_result result;
	gboolean force = FALSE;
	g_auto(GStrv) files = NULL;
	if (!parse(argc, argv, &options, &force, &files)) {
		return EXIT_USAGE;
	}
	if (files == NULL || files[1] != NULL) {
		return arguments_wrong(files == NULL ? "Name the file to record into."
						     : "Name one file, and no other arguments.");
	}
	const char *path = files[0];
	if (!output_create(path, force, &options.output)) {
		say_file_problem(path, errno);
		return EXIT_FILE;
	}
	recorder_run(&options, &result);
	int status = say_result(path, &options, &result);
	g_free(result.detail);
	output_destroy(options.output);
	return status;
}
