/* What the commands' arguments have in common. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Takes the options (`entries`, which end with an empty one) out of argv, leaving argv[0] and what
 * is no option; "--" ends the options. `--help` prints the help and exits with 0. False when an
 * option is wrong, after telling the person.
 */
bool arguments_parse(const char *operands, const char *description, const GOptionEntry *entries,
	int *argc, char ***argv);
