/*
 * Runs other programs side by side and takes what they say: each for PROGRAMS_TIMEOUT_MS and
 * PROGRAMS_OUTPUT_MAX bytes at most, without a standard input, and with all that it starts in a
 * process group that is killed in the end.
 */
#pragma once

#include <stdbool.h>

#define PROGRAMS_TIMEOUT_MS 5000u
#define PROGRAMS_OUTPUT_MAX 4096u

struct programs;

struct program_result {
	bool answered;      /* it exited by itself, in time and after not too much output */
	int status;         /* its exit status, if so */
	const char *output; /* its standard output, text, cut off where it is too long */
	const char *why;    /* why it did not answer; NULL if it did */
};

struct programs *programs_create(void);

/* Kills what still runs. */
void programs_destroy(struct programs *programs);

/* Starts `path` with one argument, unless that was done before. */
void programs_start(struct programs *programs, const char *path, const char *argument);

/* Whether something still runs: then iterate the default main context. */
bool programs_busy(const struct programs *programs);

/* What came of programs_start(), which was called. Lent. */
struct program_result programs_result(
	const struct programs *programs, const char *path, const char *argument);

/* The version that a program gives to --version; free with g_free(). NULL when `result` is no
 * answer of the program that is called `name`. */
char *program_version(const struct program_result *result, const char *name);
