/* The pages that the server has, read whole into memory: a request can name nothing else. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct pages;

struct page {
	GBytes *bytes;
	const char *type;
	char tag[24]; /* an ETag, quoted */
};

/* NULL, with *problem (g_free), when the folder can't be read or has more than 16 MiB. */
struct pages *pages_read(const char *folder, char **problem);
void pages_destroy(struct pages *pages); /* takes NULL */

/* By the URL's path; a folder's is its index.html. NULL: none. *folder: the path lacks its last /.
 */
const struct page *pages_get(const struct pages *pages, const char *path, bool *folder);
