#include "browsers/session_bus.h"

#include "control/local_socket.h"

#define TIMEOUT_MS 5000u

struct connecting {
	GMainLoop *loop;
	GDBusConnection *bus;
	GError *error;
};

static void connected(GObject *source, GAsyncResult *result, gpointer data) {
	(void)source;
	struct connecting *connecting = data;
	connecting->bus = g_bus_get_finish(result, &connecting->error);
	g_main_loop_quit(connecting->loop);
}

static gboolean cancel(gpointer data) {
	g_cancellable_cancel(data);
	return G_SOURCE_CONTINUE;
}

GDBusConnection *session_bus(GError **error) {
	/* Without an address GLib may start a bus of its own. */
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	g_autofree char *path = NULL;
	if ((address == NULL || address[0] == '\0') &&
		!local_socket_listens(g_get_user_runtime_dir(), "bus", &path)) {
		return NULL;
	}
	struct connecting connecting = {.loop = g_main_loop_new(NULL, FALSE)};
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	/* It may take the connection and then say nothing. */
	guint timer = g_timeout_add(TIMEOUT_MS, cancel, cancellable);
	g_bus_get(G_BUS_TYPE_SESSION, cancellable, connected, &connecting);
	g_main_loop_run(connecting.loop);
	g_source_remove(timer);
	g_main_loop_unref(connecting.loop);
	if (connecting.error != NULL) {
		g_propagate_error(error, connecting.error);
	}
	return connecting.bus;
}
