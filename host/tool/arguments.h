/* Parses the commands' arguments. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Parses argv by `entries`, which end with an empty one and take operands by G_OPTION_REMAINING.
 * `--help` prints the help and exits with 0. False after saying what is wrong.
 */
bool arguments_parse(const char *description, const GOptionEntry *entries, int argc, char **argv);

/* Whether all `words` (NULL: none) are `known`, both ending with NULL. Else it says that Portlight
 * does not know a `what` of the first such name, and the one that was probably meant. */
bool arguments_known(const char *what, char *const *words, const char *const *known);

/* Says what is wrong with the arguments, and gives EXIT_USAGE. */
int arguments_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
