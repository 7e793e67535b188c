#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/recorder.h"
#include "cli/say.h"

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

struct arguments {
	double duration_s;
	int fps;
	int kbps;
	char *codec;
	char *cursor;
	char *source;
	gboolean force;
};

static void arguments_finish(struct arguments *arguments) {
	g_free(arguments->codec);
	g_free(arguments->cursor);
	g_free(arguments->source);
}

static bool parse(struct arguments *arguments, int *argc, char ***argv) {
	const GOptionEntry entries[] = {
		{"duration", 'd', 0, G_OPTION_ARG_DOUBLE, &arguments->duration_s,
			"Stop after this many seconds", "SECONDS"},
		{"source", 's', 0, G_OPTION_ARG_STRING, &arguments->source,
			"What the dialog offers: screen or window (default: both)", "KIND"},
		{"cursor", 'c', 0, G_OPTION_ARG_STRING, &arguments->cursor,
			"The pointer: embedded or hidden (default: embedded)", "MODE"},
		{"codec", 0, 0, G_OPTION_ARG_STRING, &arguments->codec, "vp8 or vp9 (default: vp9)",
			"CODEC"},
		{"fps", 'r', 0, G_OPTION_ARG_INT, &arguments->fps,
			"Maximum frame rate, 1 to 240 (default: 30)", "FPS"},
		{"kbps", 'b', 0, G_OPTION_ARG_INT, &arguments->kbps,
			"Target bit rate in kbit/s, 100 to 200000 (default: 8000)", "KBPS"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &arguments->force,
			"Replace FILE.webm if it exists", NULL},
		{0},
	};
	return arguments_parse("FILE.webm", description, entries, argc, argv);
}

static bool wrong(const char *message) {
	say_problem("See portlight record --help.", "%s", message);
	return false;
}

struct word {
	const char *text;
	int value;
};

/* Stores the value of the word that `text` is; without a `text` nothing. */
static bool choose(const char *option, const char *text, const struct word words[2], int *value) {
	for (int i = 0; text != NULL && i < 2; i++) {
		if (strcmp(text, words[i].text) == 0) {
			*value = words[i].value;
			return true;
		}
	}
	g_autofree char *message =
		g_strdup_printf("--%s must be %s or %s.", option, words[0].text, words[1].text);
	return text == NULL || wrong(message);
}

static bool check(const struct arguments *arguments, struct recorder_options *options) {
	static const struct word codecs[] = {{"vp8", PACKET_CODEC_VP8}, {"vp9", PACKET_CODEC_VP9}};
	static const struct word cursors[] = {
		{"embedded", PORTAL_CURSOR_EMBEDDED}, {"hidden", PORTAL_CURSOR_HIDDEN}};
	static const struct word sources[] = {
		{"screen", PORTAL_SOURCE_MONITOR}, {"window", PORTAL_SOURCE_WINDOW}};
	int codec = PACKET_CODEC_VP9;
	int cursor = PORTAL_CURSOR_EMBEDDED;
	int source = PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW;

	if (!isfinite(arguments->duration_s) || arguments->duration_s < 0 ||
		arguments->duration_s > DURATION_MAX_S) {
		return wrong("--duration must be a number of seconds, at most 604800 (a week).");
	}
	if (arguments->fps < 1 || arguments->fps > (int)PACKET_FPS_MAX) {
		return wrong("--fps must be 1 to 240.");
	}
	if (arguments->kbps < (int)PACKET_KBPS_MIN || arguments->kbps > (int)PACKET_KBPS_MAX) {
		return wrong("--kbps must be 100 to 200000.");
	}
	if (!choose("codec", arguments->codec, codecs, &codec) ||
		!choose("cursor", arguments->cursor, cursors, &cursor) ||
		!choose("source", arguments->source, sources, &source)) {
		return false;
	}
	options->codec = (enum packet_codec)codec;
	options->cursor = (enum portal_cursor)cursor;
	options->source_types = (uint32_t)source;
	options->max_fps = (uint16_t)arguments->fps;
	options->max_kbps = (uint32_t)arguments->kbps;
	options->duration_us = (int64_t)(arguments->duration_s * 1e6);
	return true;
}

static void say_file_problem(const char *path, int error) {
	switch (error) {
	case EEXIST:
		say_problem("Name another file, or replace it with --force.", "%s already exists.",
			path);
		break;
	case ENOTTY:
		say_problem("Name a file, or use a pipe: portlight record - | mpv -",
			"A recording can't be shown on a terminal.");
		break;
	case EPIPE:
		say_problem(NULL, "The program that read the recording has ended.");
		break;
	case ECANCELED:
		say_problem(NULL, "The program that reads the recording did not take the rest.");
		break;
	case ENOENT:
		say_problem("Create the folder, or name another file.",
			"%s: the folder does not exist.", path);
		break;
	case EISDIR:
		say_problem("Name a file.", "%s is a folder.", path);
		break;
	case ENOSPC:
	case EDQUOT:
		say_problem("Free some space, or record to another disk.", "%s: the disk is full.",
			path);
		break;
	default:
		say_problem("Name a file that you can write, on a disk with room.",
			"Can't write %s: %s.", path, g_strerror(error));
		break;
	}
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

int command_record(int argc, char **argv) {
	struct arguments arguments = {.fps = DEFAULT_FPS, .kbps = DEFAULT_KBPS};
	struct recorder_options options = {.live = isatty(STDERR_FILENO) == 1};
	struct recorder_result result = {0};
	struct output *output = NULL;
	const char *path = NULL;
	int status = EXIT_USAGE;
	if (!parse(&arguments, &argc, &argv) || !check(&arguments, &options)) {
		goto out;
	}
	if (argc != 2) {
		(void)wrong(argc < 2 ? "Name the file to record into."
				     : "Name one file, and no other arguments.");
		goto out;
	}
	path = argv[1];
	if (!output_create(path, arguments.force, &output)) {
		say_file_problem(path, errno);
		status = EXIT_FILE;
		goto out;
	}
	options.output = output;
	recorder_run(&options, &result);
	status = say_result(path, &options, &result);
	g_free(result.detail);
out:
	output_destroy(output);
	arguments_finish(&arguments);
	return status;
}
