/* Where manifests are to be written or removed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "browsers/browsers.h"
#include "install/options.h"
#include "install/outcome.h"

struct place {
	const char *name;              /* the browser's, or the Flatpak's */
	const struct browser *browser; /* whose manifest fits */
	char *path;
	char *bundle; /* the folder that gets the programs too; NULL: they stay where they are */
	char *within; /* the Flatpak's folder, out of which links must not lead; NULL: anywhere */
	unsigned levels; /* folders that install may have made */
	bool everybody;
};

/* The places that the options name, each a struct place; unref. For install it tells of the
 * browsers that are left out, and of what works in sandboxes;
 * for uninstall, of files that other browsers use too. */
GPtrArray *places_for_install(const struct options *options, struct outcomes *outcomes);
GPtrArray *places_for_uninstall(const struct options *options, struct outcomes *outcomes);
