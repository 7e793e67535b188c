/* What all of our programs do: find each other, answer for their version, and tell when nobody got
 * what they printed. */
#pragma once

#include <stdbool.h>

/* The path of one of our programs: beside the running one, or in ../libexec/portlight/ of it. NULL
 * when neither is there. Free with free(). */
char *program_find(const char *name);

/* Closes stdout. False, after saying so on stderr as `name`, when what was written there did not
 * get where it should. */
bool program_close_stdout(const char *name);

/* Answers a command line that has nothing but --help (-h) or --version (-V), on stdout, which it
 * closes; *status is then the exit status, 0 or 1. False for any other command line. */
bool program_answers(const char *name, const char *help, int argc, char *const argv[], int *status);
