/*
 * Browsers that come as a Flatpak or a Snap: which are here, and whether such a one can start the
 * native host. It sees neither the host's manifest nor its program; something outside of the
 * sandbox has to start the host for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/browsers.h"

enum sandbox_kind { SANDBOX_FLATPAK, SANDBOX_SNAP };

struct sandboxed {
	const char *browser; /* as browsers_get() names it */
	const char *id;      /* the Flatpak's or the Snap's name */
	enum sandbox_kind kind;
	bool asks_portal; /* knows Ubuntu's portal org.freedesktop.portal.WebExtensions */
	bool asks_proxy;  /* knows xdg-native-messaging-proxy */
};

enum sandboxed_trace {
	SANDBOXED_ABSENT,
	SANDBOXED_HAS_RUN, /* only the person's folder is there; it may be uninstalled */
	SANDBOXED_INSTALLED,
};

size_t sandboxes_count(void);
/* `index` is less than sandboxes_count(). Static. */
const struct sandboxed *sandboxes_get(size_t index);

/* `root` is in front of the system's folders: "" but in tests. */
enum sandboxed_trace sandboxes_trace(const struct sandboxed *sandboxed, const char *root);

/* Whether the host can be started from there, where the session bus has these two services. */
bool sandboxes_starts_host(const struct sandboxed *sandboxed, bool portal, bool proxy);

/* What works there and what does not, and what can be done. Freed with g_free(). */
char *sandboxes_describe(const struct sandboxed *sandboxed, bool starts_host);
char *sandboxes_remedy(const struct sandboxed *sandboxed, bool starts_host);
