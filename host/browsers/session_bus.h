/* The user's session bus. */
#pragma once

#include <gio/gio.h>

/* NULL where none runs: GLib alone might start one, on which nothing else is. Unref it. */
GDBusConnection *session_bus(void);
