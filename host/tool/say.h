/* What the command tells the user when something goes wrong: "portlight: what happened" on stderr,
 * and what to do about it on the next line. */
#pragma once

#include "wire/errors.h"

/* Exit statuses; portlight(1) lists them. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_PROBLEM = 1, /* doctor found problems, or install could not do everything */
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3, /* the user declined */
	EXIT_DESKTOP = 4, /* no portal, or it failed */
	EXIT_CAPTURE = 5, /* the capture helper, PipeWire or the encoder failed */
	EXIT_FILE = 6,    /* the file could not be written */
	EXIT_SIGNAL = 128 /* plus the signal's number: ended before anything was recorded */
};

/* `remedy` may be NULL. The message may quote other programs: control characters become '?'. */
void say_problem(const char *remedy, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An error from wire/errors.def with its remedy; `detail` may be NULL. */
void say_error(enum error_code code, const char *detail);

/* EXIT_DONE for the ends that are not failures: the share was stopped here or on the desktop, or
 * the shared window was closed. */
enum exit_status say_exit_status(enum error_code code);
