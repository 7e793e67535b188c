#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "cli/arguments.h"
#include "cli/browsers.h"
#include "cli/command.h"
#include "cli/sandboxes.h"
#include "cli/say.h"
#include "config.h"
#include "control/local_socket.h"
#include "control/portal.h"
#include "wire/text.h"

#define PORTAL_TIMEOUT_DOCTOR_MS 5000u

static const char description[] =
	"Checks what screen sharing needs, one line for each thing, with the remedy where "
	"something\n"
	"is wrong. Ends with 0 when all is well and with 1 when there is a problem.";

struct doctor {
	unsigned problems;
};

static void good(const char *text) {
	(void)printf("ok       %s\n", text);
}

static void note(const char *text) {
	(void)printf("note     %s\n", text);
}

static void problem(struct doctor *doctor, const char *text, const char *remedy) {
	(void)printf("problem  %s\n         %s\n", text, remedy);
	doctor->problems++;
}

static void check_session(struct doctor *doctor) {
	const char *display = g_getenv("WAYLAND_DISPLAY");
	if (display == NULL && g_getenv("DISPLAY") != NULL) {
		note("This is an X11 session; browsers can share it without Portlight.");
		return;
	}
	if (display == NULL) {
		problem(doctor, "There is no Wayland session here (WAYLAND_DISPLAY is not set).",
			"Run this in a terminal of your desktop.");
		return;
	}
	g_autofree char *path = NULL;
	bool there = local_socket_listens(g_get_user_runtime_dir(), display, &path);
	g_autofree char *text = g_strdup_printf(
		there ? "Wayland session (%s)" : "The Wayland session at %s does not answer.",
		path);
	if (there) {
		good(text);
	} else {
		problem(doctor, text, "Run this in a terminal of your desktop.");
	}
}

static bool check_bus(struct doctor *doctor) {
	/* Without an address GLib may start a bus of its own, which would cure nothing. */
	g_autofree char *path = NULL;
	if (g_getenv("DBUS_SESSION_BUS_ADDRESS") == NULL &&
		!local_socket_listens(g_get_user_runtime_dir(), "bus", &path)) {
		problem(doctor, "There is no session bus.",
			"Log in to a desktop, and run this in a terminal there.");
		return false;
	}
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
	if (bus == NULL) {
		g_autofree char *text =
			g_strdup_printf("The session bus can't be reached: %s", error->message);
		problem(doctor, text, "Log in again.");
		return false;
	}
	good("Session bus");
	return true;
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
	if (probe->detail != NULL) {
		text_clean(probe->detail);
	}
	if (info != NULL) {
		probe->info = *info;
	}
	g_main_loop_quit(probe->loop);
}

static void append_names(GString *text, uint32_t bits, const char *const *names) {
	bool any = false;
	for (size_t i = 0; names[i] != NULL; i++) {
		if ((bits & (1u << i)) != 0) {
			g_string_append_printf(text, "%s%s", any ? ", " : "", names[i]);
			any = true;
		}
	}
	if (!any) {
		g_string_append(text, "none");
	}
}

static void check_portal(struct doctor *doctor) {
	static const char *const sources[] = {"screens", "windows", "virtual screens", NULL};
	static const char *const cursors[] = {"hidden", "embedded", "metadata", NULL};
	struct probe probe = {.loop = g_main_loop_new(NULL, FALSE)};
	struct portal *portal = portal_create(PORTAL_TIMEOUT_DOCTOR_MS);
	portal_probe(portal, 0, NULL, probed, &probe);
	g_main_loop_run(probe.loop);
	if (probe.code != ERROR_NONE) {
		g_autofree char *text = g_strdup_printf("%s%s%s%s", error_message(probe.code),
			probe.detail != NULL ? " (" : "", probe.detail != NULL ? probe.detail : "",
			probe.detail != NULL ? ")" : "");
		problem(doctor, text, error_remedy(probe.code));
	} else if ((probe.info.source_types & (PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW)) ==
		   0) {
		problem(doctor, "The screen sharing portal offers neither screens nor windows.",
			error_remedy(ERROR_PORTAL_MISSING));
	} else {
		g_autoptr(GString) text = g_string_new(NULL);
		g_string_append_printf(
			text, "Screen sharing portal, version %u: ", probe.info.version);
		append_names(text, probe.info.source_types, sources);
		g_string_append(text, "; pointer: ");
		append_names(text, probe.info.cursor_modes, cursors);
		good(text->str);
	}
	portal_destroy(portal);
	g_main_loop_unref(probe.loop);
	g_free(probe.detail);
}

static void check_pipewire(struct doctor *doctor) {
	g_autofree char *path = NULL;
	bool there = local_socket_pipewire(&path);
	g_autofree char *text =
		g_strdup_printf(there ? "PipeWire (%s)" : "PipeWire does not run (%s).", path);
	if (there) {
		good(text);
	} else {
		problem(doctor, text,
			"Install pipewire and wireplumber, then: systemctl --user start pipewire "
			"wireplumber");
	}
}

/* Runs one of our programs for its version. */
static void check_program(struct doctor *doctor, const char *name) {
	g_autofree char *path = program_find(name);
	if (path == NULL) {
		g_autofree char *text = g_strdup_printf("%s is missing.", name);
		problem(doctor, text, "Reinstall Portlight.");
		return;
	}
	char *argv[] = {path, (char[]){"--version"}, NULL};
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;
	bool ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output,
			   NULL, &status, &error) &&
		   g_spawn_check_wait_status(status, &error);
	if (!ran) {
		g_autofree char *text =
			g_strdup_printf("%s does not run: %s", path, error->message);
		problem(doctor, text, "Reinstall Portlight.");
		return;
	}
	g_autofree char *expected = g_strdup_printf("%s %s\n", name, PORTLIGHT_VERSION);
	if (strcmp(output, expected) != 0) {
		g_autofree char *text =
			g_strdup_printf("%s is of another version than this program (%s).", path,
				PORTLIGHT_VERSION);
		problem(doctor, text, "Reinstall Portlight.");
		return;
	}
	good(path);
}

/* The manifest's text that this browser would find, the person's own first, or NULL. */
static char *read_manifest(const struct browser *browser, char **path) {
	char *text = NULL;
	*path = browsers_user_path(browser);
	if (g_file_get_contents(*path, &text, NULL, NULL)) {
		return text;
	}
	for (size_t i = 0; i < browsers_count(); i++) {
		if (strcmp(browsers_get(i)->name, browser->name) != 0) {
			continue;
		}
		g_free(*path);
		*path = browsers_system_path(browsers_get(i));
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
	g_autofree char *text = NULL;
	if (manifest == NULL) {
		text = g_strdup_printf("%s does not know the host.", browser->name);
	} else if (host == NULL || !g_file_test(host, G_FILE_TEST_IS_EXECUTABLE)) {
		text = g_strdup_printf("%s names a host that can't be run: %s", path,
			host != NULL ? host : "none");
	} else if (!browsers_manifest_admits(browser, manifest)) {
		text = g_strdup_printf("%s does not let Portlight's extension in.", path);
	}
	if (text != NULL) {
		problem(doctor, text, remedy);
		return;
	}
	text = g_strdup_printf("%s knows the host (%s)", browser->name, path);
	good(text);
}

/* Whether the session bus has the service, running or to be started. */
static bool bus_has(GDBusConnection *bus, const char *name) {
	static const char *const calls[] = {"ListNames", "ListActivatableNames"};
	for (size_t i = 0; bus != NULL && i < G_N_ELEMENTS(calls); i++) {
		g_autoptr(GVariant) reply = g_dbus_connection_call_sync(bus, "org.freedesktop.DBus",
			"/org/freedesktop/DBus", "org.freedesktop.DBus", calls[i], NULL,
			G_VARIANT_TYPE("(as)"), G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_DOCTOR_MS,
			NULL, NULL);
		g_autofree const char **names = NULL;
		if (reply != NULL) {
			g_variant_get(reply, "(^a&s)", &names);
			if (g_strv_contains(names, name)) {
				return true;
			}
		}
	}
	return false;
}

/* Whether the desktop's portal is Ubuntu's, which starts hosts for browsers in a sandbox. */
static bool portal_starts_hosts(GDBusConnection *bus) {
	g_autoptr(GVariant) version =
		bus == NULL ? NULL
			    : g_dbus_connection_call_sync(bus, "org.freedesktop.portal.Desktop",
				      "/org/freedesktop/portal/desktop",
				      "org.freedesktop.DBus.Properties", "Get",
				      g_variant_new("(ss)", "org.freedesktop.portal.WebExtensions",
					      "version"),
				      G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE,
				      PORTAL_TIMEOUT_DOCTOR_MS, NULL, NULL);
	return version != NULL;
}

static void check_sandboxed(struct doctor *doctor, GDBusConnection *bus,
	const struct sandboxed *sandboxed, enum sandboxed_trace trace) {
	bool starts = sandboxes_starts_host(sandboxed,
		sandboxed->asks_portal && portal_starts_hosts(bus),
		sandboxed->asks_proxy && bus_has(bus, "org.freedesktop.NativeMessagingProxy"));
	g_autofree char *text = sandboxes_describe(sandboxed, starts);
	g_autofree char *remedy = sandboxes_remedy(sandboxed, starts);
	if (!starts && trace == SANDBOXED_INSTALLED) {
		problem(doctor, text, remedy);
		return;
	}
	(void)printf("note     %s\n         %s\n", text, remedy);
	/* Its own folders are elsewhere, so it was not looked at among the others. */
	const struct browser *browser = browsers_find(sandboxed->browser);
	if (starts && !browsers_present(browser)) {
		check_browser(doctor, browser);
	}
}

static size_t check_sandboxes(struct doctor *doctor, bool has_bus) {
	g_autoptr(GDBusConnection) bus =
		has_bus ? g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL) : NULL;
	size_t present = 0;
	for (size_t i = 0; i < sandboxes_count(); i++) {
		enum sandboxed_trace trace = sandboxes_trace(sandboxes_get(i), "");
		if (trace != SANDBOXED_ABSENT) {
			check_sandboxed(doctor, bus, sandboxes_get(i), trace);
			present++;
		}
	}
	return present;
}

static void check_browsers(struct doctor *doctor, bool has_bus) {
	size_t present = 0;
	for (size_t i = 0; i < browsers_count(); i++) {
		if (browsers_present(browsers_get(i))) {
			check_browser(doctor, browsers_get(i));
			present++;
		}
	}
	present += check_sandboxes(doctor, has_bus);
	if (present == 0) {
		note("None of the browsers that Portlight knows has run here yet.");
	}
}

int command_doctor(int argc, char **argv) {
	static const GOptionEntry entries[] = {{0}};
	struct doctor doctor = {0};
	if (!arguments_parse(NULL, description, entries, &argc, &argv)) {
		return EXIT_USAGE;
	}
	if (argc > 1) {
		say_problem("This command takes no arguments.", "See portlight doctor --help.");
		return EXIT_USAGE;
	}
	check_session(&doctor);
	bool has_bus = check_bus(&doctor);
	if (has_bus) {
		check_portal(&doctor);
	}
	check_pipewire(&doctor);
	check_program(&doctor, "portlight-host");
	check_program(&doctor, "portlight-capture");
	check_browsers(&doctor, has_bus);
	return doctor.problems == 0 ? EXIT_DONE : EXIT_PROBLEM;
}
