/* The sockets of the desktop's services. */
#pragma once

#include <stdbool.h>

/* True when something listens on the socket `name`, in `folder` unless it is an absolute path.
 * *path is the socket's path in any case; free with g_free(). */
bool local_socket_listens(const char *folder, const char *name, char **path);

/* The same for PipeWire's socket; heeds its environment variables. In a Flatpak, where the portal
 * hands out PipeWire, it is true and *path is NULL. */
bool local_socket_pipewire(char **path);
