/*
 * Where a recording goes. Nothing is created, replaced or truncated before there is something to
 * keep: the recording starts in a file without a name, and output_publish() gives it the name once
 * its first frame is in it. From then on what is recorded is in the named file, whatever happens.
 *
 * Devices and pipes that exist already are written to as they are, and so is "-", the standard
 * output.
 */
#pragma once

#include <stdbool.h>

struct output;

/*
 * Sees whether a recording could go to `path` (lent for the call), without leaving a trace. With
 * `replace` an existing file is replaced in the end. False with errno set: EEXIST, EISDIR, EACCES,
 * ENOENT (no such folder), ENOTTY (the standard output is a terminal), …
 */
bool output_create(const char *path, bool replace, struct output **output);

/* Closes what is open. What has no name yet is gone with it. NULL is fine. */
void output_destroy(struct output *output);

/* A descriptor to write to, which the caller owns; -1 with errno set. To be called once. */
int output_open(struct output *output);

/* Gives the file its name. False with errno set: EEXIST when such a file has appeared meanwhile. To
 * be called once, after output_open(). */
bool output_publish(struct output *output);
