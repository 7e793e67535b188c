#include "browsers/session_bus.h"

#include "control/local_socket.h"

GDBusConnection *session_bus(void) {
	g_autofree char *path = NULL;
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	if ((address == NULL || address[0] == '\0') &&
		!local_socket_listens(g_get_user_runtime_dir(), "bus", &path)) {
		return NULL;
	}
	return g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
}
