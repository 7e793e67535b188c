/*
 * How the command speaks to the person: "portlight: what happened" and, below it, the remedy, on
 * stderr.
 */
#pragma once

#include "wire/errors.h"

/* What the command's exit status tells; portlight(1) lists them. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_PROBLEM = 1, /* doctor found problems, or install could not do everything */
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3, /* the person declined */
	EXIT_DESKTOP = 4, /* no portal, or it failed */
	EXIT_CAPTURE = 5, /* the capture helper, PipeWire or the encoder failed */
	EXIT_FILE = 6,    /* the file could not be written */
	EXIT_SIGNAL = 128 /* plus the signal's number: ended before anything was recorded */
};

/* `message` may quote other programs: what a terminal would obey becomes '?'. `remedy` may be NULL.
 */
void say_problem(const char *message, const char *remedy);

/* An error of the catalogue; `detail` may be NULL. */
void say_error(enum error_code code, const char *detail);

/* The exit status that belongs to an error of the catalogue. EXIT_DONE for what is no failure: the
 * share was stopped, here or on the desktop, or what was shared is gone. */
enum exit_status say_exit_status(enum error_code code);
