/* The arguments of `portlight record`. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "record/recorder.h"

struct options {
	struct recorder_options recorder; /* all but `output` */
	char *path;                       /* "-" for the standard output */
	gboolean force;
	gboolean quiet;
};

/* False after saying what is wrong. Free with options_finish() either way. */
bool options_parse(struct options *options, int argc, char **argv);
void options_finish(struct options *options);

/* "x,y,w,h" in pixels. False when it is nothing like that, or out of the protocol's bounds. */
bool options_parse_region(const char *text, struct packet_region *region);
