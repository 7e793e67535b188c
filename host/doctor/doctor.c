#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "browsers/browsers.h"
#include "browsers/sandboxes.h"
#include "config.h"
#include "control/local_socket.h"
#include "control/portal.h"
#include "doctor/doctor.h"
#include "tool/arguments.h"
#include "tool/say.h"
#include "wire/text.h"

#define PORTAL_TIMEOUT_DOCTOR_MS 5000u

static const char description[] =
	"Checks what screen sharing needs, one line each, and says how to fix what is wrong.\n"
	"The exit status is 0 when all is well, and 1 when there is a problem.";

struct doctor {
	GDBusConnection *bus; /* the session bus, or NULL */
	struct extensions extensions;
	unsigned problems;
};

/* Without a remedy all is well. The text may quote other programs. */
__attribute__((format(printf, 3, 4))) static void report(
	struct doctor *doctor, const char *remedy, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	text_clean(text);
	(void)printf("%s  %s\n", remedy == NULL ? "ok     " : "problem", text);
	if (remedy != NULL) {
		(void)printf("         %s\n", remedy);
		doctor->problems++;
	}
}

static void check_session(struct doctor *doctor) {
	static const char remedy[] = "Run this in a terminal of your desktop.";
	const char *display = g_getenv("WAYLAND_DISPLAY");
	if (display == NULL && g_getenv("DISPLAY") != NULL) {
		(void)puts("note     This is an X11 session; browsers can share it without "
			   "Portlight.");
		return;
	}
	if (display == NULL) {
		report(doctor, remedy,
			"There is no Wayland session here (WAYLAND_DISPLAY is not set).");
		return;
	}
	g_autofree char *path = NULL;
	if (local_socket_listens(g_get_user_runtime_dir(), display, &path)) {
		report(doctor, NULL, "Wayland session (%s)", path);
	} else {
		report(doctor, remedy, "The Wayland session at %s does not answer.", path);
	}
}

static void check_bus(struct doctor *doctor) {
	/* Without an address GLib may start a bus of its own, on which nothing runs. */
	g_autofree char *path = NULL;
	if (g_getenv("DBUS_SESSION_BUS_ADDRESS") == NULL &&
		!local_socket_listens(g_get_user_runtime_dir(), "bus", &path)) {
		report(doctor, "Log in to a desktop, and run this in a terminal there.",
			"There is no session bus.");
		return;
	}
	g_autoptr(GError) error = NULL;
	doctor->bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
	if (doctor->bus == NULL) {
		report(doctor, "Log in again.", "Can't connect to the session bus: %s",
			error->message);
		return;
	}
	report(doctor, NULL, "Session bus");
}

struct probe {
	GMainLoop *loop;
	enum error_code code;
	char *detail;
	struct portal_info info;
};

static void probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct probe *probe = data;
	probe->code = code;
	probe->detail = g_strdup(detail);
	if (info != NULL) {
		probe->info = *info;
	}
	g_main_loop_quit(probe->loop);
}

static char *join_names(uint32_t bits, const char *const *names) {
	const char *chosen[8] = {NULL};
	size_t count = 0;
	for (size_t i = 0; names[i] != NULL; i++) {
		if ((bits & (1u << i)) != 0) {
			chosen[count++] = names[i];
		}
	}
	return count > 0 ? g_strjoinv(", ", (char **)chosen) : g_strdup("none");
}

static void check_portal(struct doctor *doctor) {
	static const char *const sources[] = {"screens", "windows", "virtual screens", NULL};
	static const char *const cursors[] = {"hidden", "embedded", "metadata", NULL};
	struct probe probe = {.loop = g_main_loop_new(NULL, FALSE)};
	struct portal *portal = portal_create(PORTAL_TIMEOUT_DOCTOR_MS);
	portal_probe(portal, 0, NULL, probed, &probe);
	g_main_loop_run(probe.loop);
	if (probe.code != ERROR_NONE) {
		bool told = probe.detail != NULL;
		report(doctor, error_remedy(probe.code), "%s%s%s%s", error_message(probe.code),
			told ? " (" : "", told ? probe.detail : "", told ? ")" : "");
	} else if ((probe.info.source_types & (PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW)) ==
		   0) {
		report(doctor, error_remedy(ERROR_PORTAL_MISSING),
			"The screen sharing portal offers neither screens nor windows.");
	} else {
		g_autofree char *offered = join_names(probe.info.source_types, sources);
		g_autofree char *modes = join_names(probe.info.cursor_modes, cursors);
		report(doctor, NULL, "Screen sharing portal, version %u: %s; pointer: %s",
			probe.info.version, offered, modes);
	}
	portal_destroy(portal);
	g_main_loop_unref(probe.loop);
	g_free(probe.detail);
}

static void check_pipewire(struct doctor *doctor) {
	g_autofree char *path = NULL;
	if (local_socket_pipewire(&path)) {
		report(doctor, NULL, "PipeWire (%s)", path);
	} else {
		report(doctor,
			"Install pipewire and wireplumber, then: systemctl --user start pipewire "
			"wireplumber",
			"PipeWire does not run (%s).", path);
	}
}

static void check_program(struct doctor *doctor, const char *name) {
	static const char remedy[] = "Reinstall Portlight.";
	g_autofree char *path = program_find(name);
	if (path == NULL) {
		report(doctor, remedy, "%s is missing.", name);
		return;
	}
	char *argv[] = {path, (char[]){"--version"}, NULL};
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;
	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
		    &status, &error) ||
		!g_spawn_check_wait_status(status, &error)) {
		report(doctor, remedy, "%s does not run: %s", path, error->message);
		return;
	}
	g_autofree char *expected = g_strdup_printf("%s %s\n", name, PORTLIGHT_VERSION);
	if (strcmp(output, expected) != 0) {
		report(doctor, remedy, "%s has another version than this program (%s).", path,
			PORTLIGHT_VERSION);
		return;
	}
	report(doctor, NULL, "%s", path);
}

/* The manifest that this browser would find, the user's own first, or NULL. */
static char *read_manifest(const struct browser *browser, char **path) {
	char *text = NULL;
	*path = browsers_user_path(browser);
	if (g_file_get_contents(*path, &text, NULL, NULL)) {
		return text;
	}
	/* A browser's rows are next to each other. */
	for (const struct browser *row = browsers_find(browser->name);
		row->name != NULL && strcmp(row->name, browser->name) == 0; row++) {
		g_free(*path);
		*path = browsers_system_path(row);
		if (*path != NULL && g_file_get_contents(*path, &text, NULL, NULL)) {
			return text;
		}
	}
	return NULL;
}

static void check_browser(struct doctor *doctor, const struct browser *browser) {
	g_autofree char *path = NULL;
	g_autofree char *manifest = read_manifest(browser, &path);
	g_autofree char *host = manifest != NULL ? browsers_manifest_host(manifest) : NULL;
	g_autofree char *remedy = g_strdup_printf("portlight install --browser %s", browser->name);
	const char *missing =
		manifest != NULL ? browsers_manifest_lacks(browser, manifest, &doctor->extensions)
				 : NULL;
	if (manifest == NULL) {
		report(doctor, remedy, "%s does not know the host.", browser->name);
	} else if (host == NULL || !g_file_test(host, G_FILE_TEST_IS_EXECUTABLE)) {
		report(doctor, remedy, "%s names a host that can't be run: %s", path,
			host != NULL ? host : "none");
	} else if (missing != NULL) {
		report(doctor, remedy, "%s does not let the extension %s in.", path, missing);
	} else {
		report(doctor, NULL, "%s knows the host (%s)", browser->name, path);
	}
}

static bool succeeds(GDBusConnection *bus, const char *name, const char *path,
	const char *interface, const char *method, GVariant *arguments) {
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(bus, name, path, interface, method,
		arguments, NULL, G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_DOCTOR_MS, NULL, NULL);
	return reply != NULL;
}

/* Whether xdg-native-messaging-proxy runs or can be started. */
static bool has_proxy(GDBusConnection *bus) {
	return succeeds(bus, "org.freedesktop.NativeMessagingProxy", "/",
		"org.freedesktop.DBus.Peer", "Ping", NULL);
}

/* Whether the desktop's portal is Ubuntu's, which starts hosts for browsers in a sandbox. */
static bool portal_starts_hosts(GDBusConnection *bus) {
	return succeeds(bus, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH, "org.freedesktop.DBus.Properties",
		"Get", g_variant_new("(ss)", "org.freedesktop.portal.WebExtensions", "version"));
}

static void check_sandboxed(
	struct doctor *doctor, const struct sandboxed *sandboxed, enum sandboxed_trace trace) {
	bool starts = doctor->bus != NULL &&
		      ((sandboxed->asks_portal && portal_starts_hosts(doctor->bus)) ||
			      (sandboxed->asks_proxy && has_proxy(doctor->bus)));
	g_autofree char *text = sandboxes_describe(sandboxed, starts);
	g_autofree char *remedy = sandboxes_remedy(sandboxed, starts);
	if (!starts && trace == SANDBOXED_INSTALLED) {
		report(doctor, remedy, "%s", text);
		return;
	}
	(void)printf("note     %s\n         %s\n", text, remedy);
	/* Its own folders are inside the sandbox, so check_browsers() did not see it. */
	const struct browser *browser = browsers_find(sandboxed->browser);
	if (starts && !browsers_present(browser)) {
		check_browser(doctor, browser);
	}
}

static void check_extensions(struct doctor *doctor) {
	extensions_read(&doctor->extensions);
	const GPtrArray *problems = doctor->extensions.problems;
	for (guint i = 0; i < problems->len; i++) {
		report(doctor, "Correct it, then: portlight install", "%s",
			(const char *)problems->pdata[i]);
	}
}

static void check_browsers(struct doctor *doctor) {
	bool present = false;
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if (browsers_present(browser)) {
			check_browser(doctor, browser);
			present = true;
		}
	}
	for (const struct sandboxed *sandboxed = sandboxes_all; sandboxed->id != NULL;
		sandboxed++) {
		enum sandboxed_trace trace = sandboxes_trace(sandboxed, "");
		if (trace != SANDBOXED_ABSENT) {
			check_sandboxed(doctor, sandboxed, trace);
			present = true;
		}
	}
	if (!present) {
		(void)puts("note     None of the browsers that Portlight knows has run here yet.");
	}
}

int command_doctor(int argc, char **argv) {
	static const GOptionEntry entries[] = {{0}};
	struct doctor doctor = {0};
	if (!arguments_parse(description, entries, argc, argv)) {
		return EXIT_USAGE;
	}
	check_session(&doctor);
	check_bus(&doctor);
	if (doctor.bus != NULL) {
		check_portal(&doctor);
	}
	check_pipewire(&doctor);
	check_program(&doctor, "portlight-host");
	check_program(&doctor, "portlight-capture");
	check_extensions(&doctor);
	check_browsers(&doctor);
	extensions_finish(&doctor.extensions);
	g_clear_object(&doctor.bus);
	return doctor.problems == 0 ? EXIT_DONE : EXIT_PROBLEM;
}
