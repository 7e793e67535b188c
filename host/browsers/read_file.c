#include "browsers/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_regular(const char *path, size_t max, bool follow) {
	cleanup_fd int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
	struct stat status;
	if (fd < 0 || fstat(fd, &status) != 0) {
		return -1;
	}
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : ENXIO;
		return -1;
	}
	if (status.st_size > (off_t)max) {
		errno = EFBIG;
		return -1;
	}
	return steal_fd(&fd);
}

char *read_file(const char *path, size_t max, bool follow, int *error) {
	*error = 0;
	cleanup_fd int fd = open_regular(path, max, follow);
	if (fd < 0) {
		*error = errno;
		return NULL;
	}
	/* It may grow meanwhile: one byte more than fits tells. */
	GByteArray *bytes = g_byte_array_new();
	uint8_t part[16384];
	ssize_t length = 0;
	while (bytes->len <= max && (length = read(fd, part, sizeof(part))) > 0) {
		g_byte_array_append(bytes, part, (guint)length);
	}
	if (length < 0) {
		*error = errno;
	} else if (bytes->len > max) {
		*error = EFBIG;
	} else if (bytes->len > 0 && memchr(bytes->data, '\0', bytes->len) != NULL) {
		*error = EILSEQ;
	}
	g_byte_array_append(bytes, (const uint8_t *)"", 1);
	char *text = (char *)g_byte_array_free(bytes, FALSE);
	if (*error != 0) {
		g_free(text);
		return NULL;
	}
	return text;
}
