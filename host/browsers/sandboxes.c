#include "browsers/sandboxes.h"

#include "config.h"
#include "control/portal.h"

#define TIMEOUT_MS 5000

/* Only Firefox, since version 157, is known to use the proxy; the Snaps of Firefox and Chromium use
 * Ubuntu's portal. Both look for the manifest where browsers without a sandbox do. */
const struct sandboxed sandboxes_all[] = {
	{"firefox", "org.mozilla.firefox", SANDBOX_FLATPAK, false, true},
	{"firefox", "firefox", SANDBOX_SNAP, true, false},
	{"librewolf", "io.gitlab.librewolf-community", SANDBOX_FLATPAK, false, false},
	{"waterfox", "net.waterfox.waterfox", SANDBOX_FLATPAK, false, false},
	{"chromium", "org.chromium.Chromium", SANDBOX_FLATPAK, false, false},
	{"chromium", "io.github.ungoogled_software.ungoogled_chromium", SANDBOX_FLATPAK, false,
		false},
	{"chromium", "chromium", SANDBOX_SNAP, true, false},
	{"chrome", "com.google.Chrome", SANDBOX_FLATPAK, false, false},
	{"edge", "com.microsoft.Edge", SANDBOX_FLATPAK, false, false},
	{"brave", "com.brave.Browser", SANDBOX_FLATPAK, false, false},
	{"brave", "brave", SANDBOX_SNAP, false, false},
	{"vivaldi", "com.vivaldi.Vivaldi", SANDBOX_FLATPAK, false, false},
	{"vivaldi", "vivaldi", SANDBOX_SNAP, false, false},
	{"opera", "com.opera.Opera", SANDBOX_FLATPAK, false, false},
	{"opera", "opera", SANDBOX_SNAP, false, false},
	{0},
};

static bool exists(const char *folder, const char *below, const char *id) {
	g_autofree char *path = g_build_filename(folder, below, id, NULL);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

enum sandboxed_trace sandboxes_trace(const struct sandboxed *sandboxed, const char *root) {
	g_autofree char *system = g_build_filename("/", root, NULL);
	const char *id = sandboxed->id;
	bool snap = sandboxed->kind == SANDBOX_SNAP;
	bool installed = snap ? exists(system, "snap/bin", id) ||
					 exists(system, "var/lib/snapd/snap/bin", id)
			      : exists(system, "var/lib/flatpak/app", id) ||
					 exists(g_get_user_data_dir(), "flatpak/app", id);
	if (installed) {
		return SANDBOXED_INSTALLED;
	}
	return exists(g_get_home_dir(), snap ? "snap" : ".var/app", id) ? SANDBOXED_HAS_RUN
									: SANDBOXED_ABSENT;
}

static enum starter ask(GDBusConnection *bus, const char *name, const char *path,
	const char *interface, const char *method, GVariant *arguments) {
	g_autoptr(GVariant) kept = arguments != NULL ? g_variant_ref_sink(arguments) : NULL;
	g_autoptr(GError) error = NULL;
	if (bus == NULL) {
		return STARTER_MISSING;
	}
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(bus, name, path, interface, method,
		kept, NULL, G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, &error);
	if (reply != NULL) {
		return STARTER_THERE;
	}
	bool silent = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
		      g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
		      g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT) ||
		      g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT);
	return silent ? STARTER_SILENT : STARTER_MISSING;
}

static enum starter ask_portal(struct starters *starters) {
	if (starters->portal == STARTER_UNASKED) {
		starters->portal = ask(starters->bus, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
			"org.freedesktop.DBus.Properties", "Get",
			g_variant_new("(ss)", "org.freedesktop.portal.WebExtensions", "version"));
	}
	return starters->portal;
}

static enum starter ask_proxy(struct starters *starters) {
	if (starters->proxy == STARTER_UNASKED) {
		starters->proxy = ask(starters->bus, "org.freedesktop.NativeMessagingProxy", "/",
			"org.freedesktop.DBus.Peer", "Ping", NULL);
	}
	return starters->proxy;
}

enum starter sandboxes_starter(const struct sandboxed *sandboxed, struct starters *starters) {
	enum starter portal = sandboxed->asks_portal ? ask_portal(starters) : STARTER_MISSING;
	if (portal == STARTER_THERE) {
		return portal;
	}
	enum starter proxy = sandboxed->asks_proxy ? ask_proxy(starters) : STARTER_MISSING;
	return proxy == STARTER_MISSING ? portal : proxy;
}

char *sandboxes_folder(const struct sandboxed *sandboxed) {
	return g_build_filename(g_get_home_dir(), ".var/app", sandboxed->id, NULL);
}

/* The application's configuration is in its folder, and so is what the Flatpak keeps of the home
 * folder, as all of them keep what their browser has there. */
char *sandboxes_manifest(const struct sandboxed *sandboxed, const struct browser *row) {
	g_autofree char *folder = sandboxes_folder(sandboxed);
	bool config = g_str_has_prefix(row->user_folder, "$XDG_CONFIG_HOME/");
	return g_build_filename(folder, config ? "config" : "", strchr(row->user_folder, '/'),
		PORTLIGHT_HOST_NAME ".json", NULL);
}

char *sandboxes_describe(const struct sandboxed *sandboxed, enum starter starter) {
	bool snap = sandboxed->kind == SANDBOX_SNAP;
	const char *can = "can't start the host. Pages get the browser's own dialog, without what "
			  "needs the host.";
	if (starter == STARTER_THERE) {
		can = "can start the host.";
	} else if (starter == STARTER_SILENT) {
		can = "may be able to start the host: what would start it does not answer.";
	} else if (browsers_find(sandboxed->browser)->family == BROWSER_FIREFOX) {
		can = "can't start the host. Pages get only the browser's own getDisplayMedia.";
	}
	return g_strdup_printf("%s as a %s (%s) %s", sandboxed->browser, snap ? "Snap" : "Flatpak",
		sandboxed->id, can);
}

char *sandboxes_remedy(const struct sandboxed *sandboxed, enum starter starter) {
	if (starter == STARTER_SILENT) {
		return g_strdup("Log in again, and run this again.");
	}
	if (sandboxed->kind == SANDBOX_FLATPAK) {
		return starter == STARTER_THERE
			       ? NULL
			       : g_strdup_printf("portlight install %s", sandboxed->browser);
	}
	if (starter == STARTER_THERE) {
		return g_strdup_printf("It asks you once. If you declined: portlight install "
				       "--allow snap.%s",
			sandboxed->id);
	}
	return g_strdup_printf("Install %s as a package of your system.", sandboxed->browser);
}
