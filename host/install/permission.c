#include "install/permission.h"

#include <gio/gio.h>
#include <string.h>

#include "browsers/session_bus.h"
#include "config.h"

#define STORE "org.freedesktop.impl.portal.PermissionStore"
#define STORE_PATH "/org/freedesktop/impl/portal/PermissionStore"
#define TABLE "webextensions" /* Ubuntu's portal's own */
#define TIMEOUT_MS 10000

bool permission_is_app(const char *app) {
	return g_regex_match_simple(
		       "^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)+$", app, G_REGEX_RAW, 0) &&
	       strlen(app) <= 255;
}

static GVariant *call(
	GDBusConnection *bus, const char *method, GVariant *arguments, GError **error) {
	return g_dbus_connection_call_sync(bus, STORE, STORE_PATH, STORE, method, arguments, NULL,
		G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, error);
}

static bool is_not_found(const GError *error) {
	g_autofree char *name = g_dbus_error_get_remote_error(error);
	return g_strcmp0(name, "org.freedesktop.portal.Error.NotFound") == 0;
}

/* What is kept for the application: *set tells whether there is anything, *allowed whether it is a
 * yes. */
static bool look_up(
	GDBusConnection *bus, const char *app, bool *set, bool *allowed, GError **error) {
	*set = *allowed = false;
	g_autoptr(GError) failed = NULL;
	g_autoptr(GVariant) reply =
		call(bus, "Lookup", g_variant_new("(ss)", TABLE, PORTLIGHT_HOST_NAME), &failed);
	if (reply == NULL) {
		/* No table yet, or nothing about our host. */
		if (is_not_found(failed)) {
			return true;
		}
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	if (!g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{sas}v)"))) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "its answer makes no sense");
		return false;
	}
	g_autoptr(GVariant) apps = g_variant_get_child_value(reply, 0);
	g_autofree const char **kept = NULL;
	if (g_variant_lookup(apps, app, "^a&s", &kept)) {
		*set = true;
		*allowed = g_strcmp0(kept[0], "yes") == 0 && kept[1] == NULL;
	}
	return true;
}

static bool change(GDBusConnection *bus, const char *app, bool allow, GError **error) {
	static const char *const yes[] = {"yes", NULL};
	g_autoptr(GVariant) reply =
		allow ? call(bus, "SetPermission",
				g_variant_new(
					"(sbss^as)", TABLE, TRUE, PORTLIGHT_HOST_NAME, app, yes),
				error)
		      : call(bus, "DeletePermission",
				g_variant_new("(sss)", TABLE, PORTLIGHT_HOST_NAME, app), error);
	return reply != NULL;
}

static void set_one(GDBusConnection *bus, const char *app, bool allow, struct outcomes *outcomes) {
	g_autoptr(GError) error = NULL;
	bool set = false;
	bool allowed = false;
	bool known = look_up(bus, app, &set, &allowed, &error);
	bool changes = allow ? !allowed : set;
	if (!known || (changes && !outcomes->dry_run && !change(bus, app, allow, &error))) {
		(void)g_dbus_error_strip_remote_error(error);
		bool none = g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
		outcomes_add(outcomes, OUTCOME_FAILED, app, NULL,
			none ? "Install xdg-desktop-portal, and log in again."
			     : "Log in again, then try again.",
			"The desktop's permission store failed: %s", error->message);
		return;
	}
	enum outcome done = allow ? OUTCOME_WRITTEN : OUTCOME_REMOVED;
	outcomes_add(outcomes, changes ? done : OUTCOME_SAME, app, NULL, NULL,
		"its permission to start the host");
}

void permission_set(char **apps, bool allow, struct outcomes *outcomes) {
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = session_bus(&error);
	for (char **app = apps; *app != NULL; app++) {
		if (error != NULL) {
			outcomes_add(outcomes, OUTCOME_FAILED, *app, NULL, "Log in again.",
				"Can't connect to the session bus: %s", error->message);
			return;
		}
		if (bus == NULL) {
			outcomes_add(outcomes, OUTCOME_FAILED, *app, NULL,
				"Log in to a desktop, and run this in a terminal there.",
				"There is no session bus.");
			return;
		}
		set_one(bus, *app, allow, outcomes);
	}
}
