/* Where paths lead, links followed. */
#pragma once

#include <stdbool.h>

/* Whether both name one file, or are the same text. NULL is no file. */
bool same_file(const char *one, const char *other);

/* Whether what would be at the absolute `path` is in `folder`, as far as its folders are there. A
 * link to nowhere leads out. */
bool leads_below(const char *folder, const char *path);
