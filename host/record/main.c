#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <string.h>

#include "record/options.h"
#include "record/output.h"
#include "record/recorder.h"
#include "tool/begin.h"
#include "tool/say.h"

static void say_file_problem(const char *path, int error) {
	static const struct {
		int error;
		const char *text; /* after the path, if it begins with a space or a colon */
		const char *remedy;
	} problems[] = {
		{EEXIST, " already exists.", "Name another file, or replace it with --force."},
		{ENOENT, ": the folder does not exist.",
			"Create the folder, or name another file."},
		{EISDIR, " is a folder.", "Name a file in it."},
		{EMEDIUMTYPE, ": a recording is WebM, and its name must end with .webm.",
			"For another format record into a .webm, and convert it: ffmpeg -i "
			"a.webm a.mp4"},
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

static void say_summary(const struct options *options, const struct recorder_result *result) {
	if (result->frames == 0 || options->quiet) {
		return;
	}
	g_autofree char *size = g_format_size(result->bytes);
	(void)fprintf(stderr, "Recorded %.1f s, %" PRIu64 " frames, %s to %s (%ux%u, %s).\n",
		(double)result->duration_us / 1e6, result->frames, size,
		strcmp(options->path, "-") == 0 ? "the standard output" : options->path,
		result->width, result->height,
		options->recorder.codec == PACKET_CODEC_VP8 ? "VP8" : "VP9");
}

static int say_result(const struct options *options, const struct recorder_result *result) {
	if (result->file_error != 0) {
		say_file_problem(options->path, result->file_error);
		say_summary(options, result);
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
	} else if (result->code != ERROR_STOPPED && !options->quiet) {
		(void)fprintf(stderr, "%s\n", error_message(result->code));
	}
	say_summary(options, result);
	return (int)status;
}

static int record(struct options *options) {
	struct recorder_result result;
	struct output **output = &options->recorder.output;
	if (!output_create(options->path, options->force, output)) {
		int error = errno;
		say_file_problem(options->path, error);
		return error == EMEDIUMTYPE ? EXIT_USAGE : EXIT_FILE;
	}
	recorder_run(&options->recorder, &result);
	int status = say_result(options, &result);
	g_free(result.detail);
	output_destroy(*output);
	return status;
}

/* `portlight record` executes this program; its messages and its help carry that name. */
int main(int argc, char **argv) {
	tool_begin();
	g_set_prgname("portlight record");
	/* libavformat's errors come back from its functions; they are said in our own words. */
	av_log_set_level(AV_LOG_QUIET);
	struct options options;
	int status = options_parse(&options, argc, argv) ? record(&options) : EXIT_USAGE;
	options_finish(&options);
	return status;
}
