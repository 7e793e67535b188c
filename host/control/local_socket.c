#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/local_socket.h"

bool local_socket_listens(const char *folder, const char *name, char **path) {
	*path = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(*path) >= sizeof(address.sun_path)) {
		return false;
	}
	memcpy(address.sun_path, *path, strlen(*path) + 1);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* EAGAIN: the listener's queue is full. */
	return fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
				  errno == EAGAIN);
}

bool local_socket_pipewire(char **path) {
	const char *folder = g_getenv("PIPEWIRE_RUNTIME_DIR");
	const char *name = g_getenv("PIPEWIRE_REMOTE");
	/* A Flatpak's sandbox has no socket: the portal hands out PipeWire there. */
	if (g_file_test("/.flatpak-info", G_FILE_TEST_EXISTS)) {
		*path = NULL;
		return true;
	}
	return local_socket_listens(folder != NULL ? folder : g_get_user_runtime_dir(),
		name != NULL ? name : "pipewire-0", path);
}
