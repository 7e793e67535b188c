/* Parses the commands' arguments. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Takes the options (`entries`, which end with an empty one) out of argv and leaves argv[0] and the
 * operands; "--" ends the options. `--help` prints the help and exits with 0. On a wrong option it
 * says so and returns false.
 */
bool arguments_parse(const char *operands, const char *description, const GOptionEntry *entries,
	int *argc, char ***argv);
