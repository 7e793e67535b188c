#include "record/options.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tool/arguments.h"

#define DEFAULT_FPS 30
#define DEFAULT_KBPS 8000
/* A week: more is a typo. 0 means no limit. */
#define DURATION_MAX_S 604800.0

static const char description[] =
	"Asks in the desktop's own dialog what to record, and records it into FILE.webm until\n"
	"Ctrl-C, the desktop's stop button or --duration. Without FILE.webm it takes a name with\n"
	"the date, in the current folder. FILE may be - for the standard output.\n"
	"\n"
	"Examples:\n"
	"  portlight record\n"
	"  portlight record --source screen --duration 30 demo.webm\n"
	"  portlight record --region 0,0,1280,720 corner.webm";

/* As typed. */
struct arguments {
	double duration_s;
	int fps;
	int kbps;
	char *codec;
	char *cursor;
	char *source;
	char *region;
	char **files;
};

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

static bool take_words(const struct arguments *arguments, struct recorder_options *options) {
	static const struct word codecs[] = {{"vp8", PACKET_CODEC_VP8}, {"vp9", PACKET_CODEC_VP9}};
	static const struct word cursors[] = {
		{"embedded", PORTAL_CURSOR_EMBEDDED}, {"hidden", PORTAL_CURSOR_HIDDEN}};
	static const struct word sources[] = {
		{"screen", PORTAL_SOURCE_MONITOR}, {"window", PORTAL_SOURCE_WINDOW}};
	options->codec = choose("codec", arguments->codec, PACKET_CODEC_VP9, codecs);
	options->cursor = choose("cursor", arguments->cursor, PORTAL_CURSOR_EMBEDDED, cursors);
	options->source_types = choose(
		"source", arguments->source, PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW, sources);
	return options->codec != 0 && options->cursor != 0 && options->source_types != 0;
}

bool options_parse_region(const char *text, struct packet_region *region) {
	g_auto(GStrv) parts = g_strsplit(text, ",", 5);
	guint64 values[4] = {0};
	if (g_strv_length(parts) != G_N_ELEMENTS(values)) {
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		guint64 least = i < 2 ? 0 : 2;
		if (!g_ascii_string_to_unsigned(
			    parts[i], 10, least, PACKET_SIDE_MAX, &values[i], NULL)) {
			return false;
		}
	}
	*region = (struct packet_region){
		(uint32_t)values[0], (uint32_t)values[1], (uint32_t)values[2], (uint32_t)values[3]};
	return true;
}

static bool take_numbers(const struct arguments *arguments, struct recorder_options *options) {
	const char *wrong = NULL;
	double duration_s = arguments->duration_s;
	if (!isfinite(duration_s) || duration_s < 0 || duration_s > DURATION_MAX_S) {
		wrong = "--duration must be a number of seconds, at most 604800 (a week).";
	} else if (arguments->fps < 1 || arguments->fps > (int)PACKET_FPS_MAX) {
		wrong = "--fps must be 1 to 240.";
	} else if (arguments->kbps < (int)PACKET_KBPS_MIN ||
		   arguments->kbps > (int)PACKET_KBPS_MAX) {
		wrong = "--kbps must be 100 to 200000.";
	} else if (arguments->region != NULL &&
		   !options_parse_region(arguments->region, &options->region)) {
		wrong = "--region must be the left, the top, the width and the height in pixels, "
			"such as 0,0,1280,720.";
	}
	if (wrong != NULL) {
		(void)arguments_wrong("%s", wrong);
		return false;
	}
	options->duration_us = (int64_t)(duration_s * 1e6);
	options->max_fps = (uint16_t)arguments->fps;
	options->max_kbps = (uint32_t)arguments->kbps;
	return true;
}

/* A name with the date that nothing in the current folder has. */
static char *dated_name(void) {
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *date = g_date_time_format(now, "%Y-%m-%d-%H%M%S");
	char *name = g_strdup_printf("portlight-%s.webm", date);
	for (int i = 2; g_file_test(name, G_FILE_TEST_EXISTS); i++) {
		g_free(name);
		name = g_strdup_printf("portlight-%s-%d.webm", date, i);
	}
	return name;
}

static bool take_file(struct options *options, char **files) {
	if (files != NULL && files[1] != NULL) {
		(void)arguments_wrong("Name one file, and no other arguments.");
		return false;
	}
	options->path = files == NULL ? dated_name() : g_strdup(files[0]);
	return true;
}

static void finish(struct arguments *arguments) {
	g_free(arguments->codec);
	g_free(arguments->cursor);
	g_free(arguments->source);
	g_free(arguments->region);
	g_strfreev(arguments->files);
}

bool options_parse(struct options *options, int argc, char **argv) {
	*options = (struct options){0};
	struct arguments arguments = {.fps = DEFAULT_FPS, .kbps = DEFAULT_KBPS};
	const GOptionEntry entries[] = {
		{"duration", 'd', 0, G_OPTION_ARG_DOUBLE, &arguments.duration_s,
			"Stop after this many seconds", "SECONDS"},
		{"source", 's', 0, G_OPTION_ARG_STRING, &arguments.source,
			"What the dialog offers (default: both)", "screen|window"},
		{"cursor", 'c', 0, G_OPTION_ARG_STRING, &arguments.cursor,
			"The pointer (default: embedded)", "embedded|hidden"},
		{"region", 0, 0, G_OPTION_ARG_STRING, &arguments.region,
			"Only this part of the picture, in its pixels", "X,Y,W,H"},
		{"codec", 0, 0, G_OPTION_ARG_STRING, &arguments.codec, "Default: vp9", "vp9|vp8"},
		{"fps", 'r', 0, G_OPTION_ARG_INT, &arguments.fps,
			"Maximum frame rate, 1 to 240 (default: 30)", "FPS"},
		{"kbps", 'b', 0, G_OPTION_ARG_INT, &arguments.kbps,
			"Target bit rate in kbit/s, 100 to 200000 (default: 8000)", "KBPS"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &options->force,
			"Replace FILE.webm if it exists", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "Say only what is wrong",
			NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.files, NULL,
			"[FILE.webm]"},
		{0},
	};
	bool ok = arguments_parse(description, entries, argc, argv) &&
		  take_numbers(&arguments, &options->recorder) &&
		  take_words(&arguments, &options->recorder) && take_file(options, arguments.files);
	options->recorder.live = !options->quiet && isatty(STDERR_FILENO) == 1;
	finish(&arguments);
	return ok;
}

void options_finish(struct options *options) {
	g_free(options->path);
}
