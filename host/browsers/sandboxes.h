/*
 * Browsers that come as a Flatpak or a Snap: which are here, and whether they can start the native
 * host. They see neither its manifest nor its program. A Flatpak gets both in its own folder
 * (browsers/bundle.h); for a Snap the desktop's portal has to start the host outside.
 */
#pragma once

#include <stdbool.h>

#include <gio/gio.h>

#include "browsers/browsers.h"

enum sandbox_kind { SANDBOX_FLATPAK, SANDBOX_SNAP };

struct sandboxed {
	const char *browser; /* a name in browsers_all */
	const char *id;      /* the Flatpak's or the Snap's name */
	enum sandbox_kind kind;
	bool asks_portal; /* uses Ubuntu's portal org.freedesktop.portal.WebExtensions */
	bool asks_proxy;  /* uses xdg-native-messaging-proxy */
};

enum sandboxed_trace {
	SANDBOXED_ABSENT,
	SANDBOXED_HAS_RUN, /* only the user's data is there; it may be uninstalled */
	SANDBOXED_INSTALLED,
};

/* The last one's id is NULL. */
extern const struct sandboxed sandboxes_all[];

/* `root`: prefix of the system's folders; "" except in tests. */
enum sandboxed_trace sandboxes_trace(const struct sandboxed *sandboxed, const char *root);

/* Of a Flatpak, freed with g_free(): the application's own folder, which has the same path inside;
 * and a row's manifest in it. */
char *sandboxes_folder(const struct sandboxed *sandboxed);
char *sandboxes_manifest(const struct sandboxed *sandboxed, const struct browser *row);

/* Whether something on the session bus starts the host for a browser. */
enum starter { STARTER_UNASKED, STARTER_MISSING, STARTER_THERE, STARTER_SILENT };

/* What was asked so far: begins as {bus}, which may be NULL and is lent. */
struct starters {
	GDBusConnection *bus;
	enum starter portal;
	enum starter proxy;
};

/* Of what starts the host for it, the best: there, silent (it may be), missing. What was not asked
 * before is asked, for five seconds, in which no main context runs. */
enum starter sandboxes_starter(const struct sandboxed *sandboxed, struct starters *starters);

/* Whether the host can be started from there, what pages get, and what to do about it. Free with
 * g_free(). */
char *sandboxes_describe(const struct sandboxed *sandboxed, enum starter starter);
char *sandboxes_remedy(const struct sandboxed *sandboxed, enum starter starter);
