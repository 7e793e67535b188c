/* The sockets of the desktop's services. */
#pragma once

#include <stdbool.h>

/* True when something listens on the socket `name`, in `folder` unless it is an absolute path. The
 * caller frees *path, which is the socket's in any case. */
bool local_socket_listens(const char *folder, const char *name, char **path);

/* The same for PipeWire's socket, where its environment variables say. */
bool local_socket_pipewire(char **path);
