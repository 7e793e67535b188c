/* The user's session bus. */
#pragma once

#include <gio/gio.h>

/* Runs the default main context until it is connected, for five seconds at most. NULL with an
 * error; without one where no bus runs: GLib alone might start one, on which nothing else is. Unref
 * it. */
GDBusConnection *session_bus(GError **error);
