/*
 * Where a recording goes. Nothing is created, replaced or truncated before there is something to
 * record, and an existing file is replaced only when the new one has begun.
 *
 * Devices, pipes and "-" (the standard output) are written to directly.
 */
#pragma once

#include <stdbool.h>

struct output;

/*
 * Checks whether a recording could go to `path` (lent for the call), without leaving a trace. With
 * `replace` an existing file is replaced. False with errno set: EEXIST, EISDIR, EACCES, ENOENT (no
 * such folder), ENOTTY (the standard output is a terminal), EMEDIUMTYPE (a file's name that does
 * not end with .webm), …
 */
bool output_create(const char *path, bool replace, struct output **output);

/* Removes a file that was opened but not published. NULL is fine. */
void output_destroy(struct output *output);

/* A descriptor to write to, which the caller owns; -1 with errno set: EEXIST when such a file has
 * appeared since output_create(). Call once. */
int output_open(struct output *output);

/* Keeps the file, and replaces the old one with it. False with errno set. Call once, after
 * output_open(). */
bool output_publish(struct output *output);
