#pragma once

/* The sockets of the desktop's services. */

#include <stdbool.h>

/*
 * True when something listens on the socket `name`, in `folder` unless its path is absolute. *path
 * is the socket's, for the caller to free, either way.
 */
bool local_socket_listens(const char *folder, const char *name, char **path);

/* The same for PipeWire's, which its own variables of the environment may move. */
bool local_socket_pipewire(char **path);
