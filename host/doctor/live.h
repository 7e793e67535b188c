/* `portlight doctor --live`: a real share, from the desktop's dialog to the frames. */
#pragma once

#include "wire/errors.h"

struct live_result {
	/* Why it ended; ERROR_STOPPED after LIVE_SECONDS or by a signal. */
	enum error_code code;
	char *detail; /* may be NULL; g_free() */
	int signal;   /* the signal that ended it, or 0 */
	unsigned frames;
	unsigned width; /* of the first frame */
	unsigned height;
	double seconds; /* from the first frame to the end */
};

/* From the first frame on. */
#define LIVE_SECONDS 3u

/* Asks and counts. Runs the default main context, handles SIGINT, SIGTERM and SIGHUP meanwhile, and
 * returns once the capture helper has exited and the share is closed. */
void live_run(struct live_result *result);
