/* Which host a browser starts: the manifests that it would find on this machine. */
#pragma once

#include <glib.h>

#include "browsers/browsers.h"
#include "browsers/sandboxes.h"

/* With every extension that a list can have it is a tenth of this. */
#define MANIFEST_MAX ((size_t)64 * 1024)

struct found_manifest {
	char *path;
	char *text; /* NULL: it can't be read */
	char *host; /* the program's absolute path; NULL: it names none */
	char *why;  /* why a browser can't use it; NULL: it can, if the host can be run */
};

/* Those of all rows of the browser that are there, of struct found_manifest, in the order in which
 * it looks: the first is the one that counts. `flatpak`: those that the browser as this Flatpak
 * sees; NULL: without a sandbox. Free with g_ptr_array_unref(). */
GPtrArray *manifests_find(const struct browser *browser, const struct sandboxed *flatpak);
