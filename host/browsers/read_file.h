/* Files that browsers, users and packages wrote: of any kind and size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The text of a file of at most `max` bytes; free with g_free(). NULL when there is none, with why
 * in *error: an errno; EISDIR, ENXIO (a pipe, a device), EFBIG, or EILSEQ for what is no text (it
 * has a NUL). Does not wait for the other end of a pipe. `follow`: also where `path` is a link;
 * otherwise that is ELOOP.
 */
char *read_file(const char *path, size_t max, bool follow, int *error);
