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
#include "cli/progress.h"
#include "cli/recorder.h"
#include "cli/say.h"

#define DEFAULT_FPS 30
#define DEFAULT_KBPS 8000
/* A week: more is a slip of the finger. 0 means no end. */
#define DURATION_MAX_S 604800.0

static const char description[] =
	"Asks the desktop's own dialog what to record, and records it into FILE.webm until "
	"Ctrl-C,\n"
	"the desktop's stop, or --duration. FILE may be - for the standard output.\n"
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
			"End after so many seconds", "SECONDS"},
		{"source", 's', 0, G_OPTION_ARG_STRING, &arguments->source,
			"What the dialog offers: screen or window (default: both)", "KIND"},
		{"cursor", 'c', 0, G_OPTION_ARG_STRING, &arguments->cursor,
			"The pointer: embedded or hidden (default: embedded)", "MODE"},
		{"codec", 0, 0, G_OPTION_ARG_STRING, &arguments->codec, "vp8 or vp9 (default: vp9)",
			"CODEC"},
		{"fps", 'r', 0, G_OPTION_ARG_INT, &arguments->fps,
			"At most so many frames a second, 1 to 240 (default: 30)", "FPS"},
		{"kbps", 'b', 0, G_OPTION_ARG_INT, &arguments->kbps,
			"Aim at so many kbit/s, 100 to 200000 (default: 8000)", "KBPS"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &arguments->force,
			"Replace FILE.webm if it exists", NULL},
		{0},
	};
	return arguments_parse("FILE.webm", description, entries, argc, argv);
}

/* The value of the one of `names` (ends with NULL) that `text` is, or -1. */
static int choose(const char *text, const char *const *names, const int *values) {
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0) {
			return values[i];
		}
	}
	return -1;
}

static bool wrong(const char *message) {
	say_problem(message, "See portlight record --help.");
	return false;
}

/* Arguments as the person wrote them -> options within their bounds. */
static bool check(const struct arguments *arguments, struct recorder_options *options) {
	static const char *const codecs[] = {"vp8", "vp9", NULL};
	static const int codec_values[] = {PACKET_CODEC_VP8, PACKET_CODEC_VP9};
	static const char *const cursors[] = {"hidden", "embedded", NULL};
	static const int cursor_values[] = {PORTAL_CURSOR_HIDDEN, PORTAL_CURSOR_EMBEDDED};
	static const char *const sources[] = {"screen", "window", NULL};
	static const int source_values[] = {PORTAL_SOURCE_MONITOR, PORTAL_SOURCE_WINDOW};

	if (!isfinite(arguments->duration_s) || arguments->duration_s < 0 ||
		arguments->duration_s > DURATION_MAX_S) {
		return wrong("--duration is a number of seconds, at most a week (604800).");
	}
	if (arguments->fps < 1 || arguments->fps > (int)PACKET_FPS_MAX) {
		return wrong("--fps is 1 to 240.");
	}
	if (arguments->kbps < (int)PACKET_KBPS_MIN || arguments->kbps > (int)PACKET_KBPS_MAX) {
		return wrong("--kbps is 100 to 200000.");
	}
	int codec = PACKET_CODEC_VP9;
	if (arguments->codec != NULL &&
		(codec = choose(arguments->codec, codecs, codec_values)) < 0) {
		return wrong("--codec is vp8 or vp9.");
	}
	int cursor = PORTAL_CURSOR_EMBEDDED;
	if (arguments->cursor != NULL &&
		(cursor = choose(arguments->cursor, cursors, cursor_values)) < 0) {
		return wrong("--cursor is hidden or embedded.");
	}
	int source = PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW;
	if (arguments->source != NULL &&
		(source = choose(arguments->source, sources, source_values)) < 0) {
		return wrong("--source is screen or window.");
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
	g_autofree char *message = NULL;
	const char *remedy = NULL;
	switch (error) {
	case EEXIST:
		message = g_strdup_printf("%s exists already.", path);
		remedy = "Name another file, or replace it with --force.";
		break;
	case ENOTTY:
		message = g_strdup("A recording can't be shown on a terminal.");
		remedy = "Name a file, or send the output on: portlight record - | mpv -";
		break;
	case EPIPE:
		message = g_strdup("The program that read the recording has ended.");
		break;
	case ECANCELED:
		message = g_strdup("The program that reads the recording did not take the rest.");
		break;
	case ENOENT:
		message = g_strdup_printf("%s: there is no such folder.", path);
		remedy = "Create the folder, or name another file.";
		break;
	case EISDIR:
		message = g_strdup_printf("%s is a folder.", path);
		remedy = "Name a file.";
		break;
	case ENOSPC:
	case EDQUOT:
		message = g_strdup_printf("%s: the disk is full.", path);
		remedy = "Free some space, or record to another disk.";
		break;
	default:
		message = g_strdup_printf("%s can't be written: %s.", path, g_strerror(error));
		remedy = "Name a file that you may write, on a disk with room.";
		break;
	}
	say_problem(message, remedy);
}

/* One line on what the file holds, when it holds anything. */
static void say_summary(const char *path, const struct recorder_options *options,
	const struct recorder_result *result) {
	if (result->frames == 0) {
		return;
	}
	char size[32];
	progress_format_size(result->bytes, size, sizeof(size));
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
		/* That the person declined needs no detail. */
		say_error(result->code, status == EXIT_REFUSED ? NULL : result->detail);
	} else if (result->frames == 0 && result->signal != 0) {
		return EXIT_SIGNAL + result->signal;
	} else if (result->frames == 0) {
		say_problem("The share ended before there was a picture; nothing was recorded.",
			error_remedy(result->code));
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
	free(result.detail);
out:
	output_destroy(output);
	arguments_finish(&arguments);
	return status;
}
