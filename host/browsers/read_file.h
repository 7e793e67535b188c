/* Files that browsers, users and packages wrote: of any kind and size. */
#pragma once

#include <stddef.h>

/*
 * The text of a file of at most `max` bytes; free with g_free(). NULL when there is none, with why
 * in *error: an errno; EISDIR, ENXIO (a pipe, a device), EFBIG, or EILSEQ for what is no text (it
 * has a NUL). Does not wait for the other end of a pipe.
 */
char *read_file(const char *path, size_t max, int *error);
