/* What `install` and `uninstall` are asked to do. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct options {
	char **names; /* known browsers; NULL: none in particular, as with `all` */
	char **named; /* by --browser; with the others in `names` */
	gboolean all;
	gboolean system; /* for everybody */
	char **profiles; /* folders that Chromium gets as --user-data-dir */
	char *host;      /* as given; NULL: ours */
	char **allow;    /* application ids */
	gboolean force;
	gboolean dry_run;
	gboolean json;
	gboolean quiet;
};

/* False after saying what is wrong. Free with options_finish() in any case. */
bool options_parse(struct options *options, bool install, int argc, char **argv);
void options_finish(struct options *options);
