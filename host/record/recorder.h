/* One recording, from asking the portal to the complete file. It uses portal, screen cast and
 * capture helper as the native host does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/portal.h"
#include "record/output.h"
#include "wire/errors.h"
#include "wire/packet.h"

struct recorder_options {
	struct output *output; /* lent */
	uint32_t source_types; /* enum portal_source, or'ed */
	enum portal_cursor cursor;
	enum packet_codec codec;
	uint16_t max_fps;
	uint32_t max_kbps;
	struct packet_region region; /* all 0: the whole picture */
	int64_t duration_us;         /* from the first picture; 0: no limit */
	bool live;                   /* show the live line */
};

struct recorder_result {
	/* Why it ended. ERROR_STOPPED: by a signal or at its duration. ERROR_NONE: the file could
	 * not be written, see file_error. */
	enum error_code code;
	char *detail;   /* may be NULL; g_free() */
	int file_error; /* errno, or 0 */
	int signal;     /* the signal that ended it, or 0 */
	/* What is in the file. */
	uint64_t frames;
	uint64_t bytes;
	int64_t duration_us;
	uint32_t width; /* of the first frame */
	uint32_t height;
};

/* Records. Runs its own main loop on the default context, handles SIGINT, SIGTERM and SIGHUP
 * meanwhile, and returns once the file is complete and the helper has exited. */
void recorder_run(const struct recorder_options *options, struct recorder_result *result);
