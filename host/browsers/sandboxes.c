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

static bool succeeds(GDBusConnection *bus, const char *name, const char *path,
	const char *interface, const char *method, GVariant *arguments) {
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(bus, name, path, interface, method,
		arguments, NULL, G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, NULL);
	return reply != NULL;
}

bool sandboxes_start_host(const struct sandboxed *sandboxed, GDBusConnection *bus) {
	if (bus == NULL) {
		return false;
	}
	if (sandboxed->asks_portal &&
		succeeds(bus, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
			"org.freedesktop.DBus.Properties", "Get",
			g_variant_new("(ss)", "org.freedesktop.portal.WebExtensions", "version"))) {
		return true;
	}
	return sandboxed->asks_proxy && succeeds(bus, "org.freedesktop.NativeMessagingProxy", "/",
						"org.freedesktop.DBus.Peer", "Ping", NULL);
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

char *sandboxes_describe(const struct sandboxed *sandboxed, bool starts_host) {
	bool snap = sandboxed->kind == SANDBOX_SNAP;
	const char *can = "can't start the host. Pages get the browser's own dialog, without what "
			  "needs the host.";
	if (starts_host) {
		can = "can start the host.";
	} else if (browsers_find(sandboxed->browser)->family == BROWSER_FIREFOX) {
		can = "can't start the host. Pages get only the browser's own getDisplayMedia.";
	}
	return g_strdup_printf("%s as a %s (%s) %s", sandboxed->browser, snap ? "Snap" : "Flatpak",
		sandboxed->id, can);
}

char *sandboxes_remedy(const struct sandboxed *sandboxed, bool starts_host) {
	if (sandboxed->kind == SANDBOX_FLATPAK) {
		return starts_host ? NULL
				   : g_strdup_printf("portlight install %s", sandboxed->browser);
	}
	if (starts_host) {
		return g_strdup_printf("It asks you once. If you declined: portlight install "
				       "--allow snap.%s",
			sandboxed->id);
	}
	return g_strdup_printf("Install %s as a package of your system.", sandboxed->browser);
}
