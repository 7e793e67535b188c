#include "cli/sandboxes.h"

#include <glib.h>

#include "config.h"

/* Only Firefox, since version 157, is known to ask the proxy; Ubuntu's portal is asked by the Snaps
 * of Firefox and Chromium. Both look for the host's manifest where browsers without a sandbox do.
 */
static const struct sandboxed all[] = {
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
};

size_t sandboxes_count(void) {
	return G_N_ELEMENTS(all);
}

const struct sandboxed *sandboxes_get(size_t index) {
	return &all[index];
}

static bool exists(const char *folder, const char *below, const char *id) {
	g_autofree char *path = g_build_filename(folder, below, id, NULL);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

enum sandboxed_trace sandboxes_trace(const struct sandboxed *sandboxed, const char *root) {
	static const char *const snaps[] = {"snap/bin", "var/lib/snapd/snap/bin"};
	g_autofree char *system = g_build_filename("/", root, NULL);
	const char *home = g_get_home_dir();
	const char *id = sandboxed->id;
	if (sandboxed->kind == SANDBOX_FLATPAK) {
		if (exists(system, "var/lib/flatpak/app", id) ||
			exists(g_get_user_data_dir(), "flatpak/app", id)) {
			return SANDBOXED_INSTALLED;
		}
		return exists(home, ".var/app", id) ? SANDBOXED_HAS_RUN : SANDBOXED_ABSENT;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(snaps); i++) {
		if (exists(system, snaps[i], id)) {
			return SANDBOXED_INSTALLED;
		}
	}
	return exists(home, "snap", id) ? SANDBOXED_HAS_RUN : SANDBOXED_ABSENT;
}

bool sandboxes_starts_host(const struct sandboxed *sandboxed, bool portal, bool proxy) {
	return (sandboxed->asks_portal && portal) || (sandboxed->asks_proxy && proxy);
}

char *sandboxes_describe(const struct sandboxed *sandboxed, bool starts_host) {
	const char *kind = sandboxed->kind == SANDBOX_SNAP ? "Snap" : "Flatpak";
	if (starts_host) {
		return g_strdup_printf("%s as a %s (%s) can have the host started from outside of "
				       "its sandbox%s.",
			sandboxed->browser, kind, sandboxed->id,
			sandboxed->kind == SANDBOX_FLATPAK ? ", from Firefox 157 on" : "");
	}
	return g_strdup_printf("%s as a %s (%s) can't start the host: its sandbox is closed. %s",
		sandboxed->browser, kind, sandboxed->id,
		browsers_find(sandboxed->browser)->family == BROWSER_FIREFOX
			? "Pages have the browser's own getDisplayMedia, and nothing of Portlight."
			: "Pages get the browser's own dialog; what needs the host is missing.");
}

char *sandboxes_remedy(const struct sandboxed *sandboxed, bool starts_host) {
	if (starts_host && sandboxed->kind == SANDBOX_SNAP) {
		return g_strdup_printf("It asks you once. If you declined: flatpak permission-set "
				       "webextensions " PORTLIGHT_HOST_NAME " snap.%s yes",
			sandboxed->id);
	}
	if (starts_host) {
		return g_strdup("If it does not find the host, update the browser.");
	}
	return g_strdup_printf("Install %s as a package of your system%s.", sandboxed->browser,
		sandboxed->asks_proxy
			? ", or xdg-native-messaging-proxy (for Firefox 157 and newer)"
			: "");
}
