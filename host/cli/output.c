#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct output {
	char *path;
	char *folder;
	char *temporary; /* the name that it has for now; NULL: none */
	bool replace;
	bool direct; /* a device, a pipe or the standard output */
	int fd;
};

static char *folder_of(const char *path) {
	const char *slash = strrchr(path, '/');
	if (slash == NULL) {
		return strdup(".");
	}
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool prepare_existing(struct output *output, const struct stat *status) {
	if (S_ISDIR(status->st_mode)) {
		errno = EISDIR;
		return false;
	}
	if (!S_ISREG(status->st_mode)) {
		output->direct = true;
		return access(output->path, W_OK) == 0;
	}
	if (!output->replace) {
		errno = EEXIST;
		return false;
	}
	/* Renaming over a link would replace the link. */
	char *real = realpath(output->path, NULL);
	if (real == NULL) {
		return false;
	}
	free(output->path);
	output->path = real;
	return access(output->path, W_OK) == 0;
}

static bool prepare_file(struct output *output) {
	struct stat status;
	if (stat(output->path, &status) == 0) {
		if (!prepare_existing(output, &status) || output->direct) {
			return output->direct;
		}
	} else if (errno != ENOENT) {
		return false;
	}
	output->folder = folder_of(output->path);
	if (output->folder == NULL) {
		errno = ENOMEM;
		return false;
	}
	output->fd = open(output->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (output->fd >= 0) {
		return true;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
		return false;
	}
	/* No files without a name here: one is made when there is something to write. */
	return access(output->folder, W_OK | X_OK) == 0;
}

bool output_create(const char *path, bool replace, struct output **output) {
	struct output *made = calloc(1, sizeof(*made));
	if (made == NULL) {
		errno = ENOMEM;
		return false;
	}
	made->fd = -1;
	made->replace = replace;
	made->path = strdup(path);
	bool ok = made->path != NULL;
	if (ok && strcmp(path, "-") == 0) {
		made->direct = true;
		ok = isatty(STDOUT_FILENO) == 0;
		errno = ok ? 0 : ENOTTY;
	} else if (ok) {
		ok = prepare_file(made);
	}
	if (!ok) {
		int error = errno;
		output_destroy(made);
		errno = error;
		return false;
	}
	*output = made;
	return true;
}

void output_destroy(struct output *output) {
	if (output == NULL) {
		return;
	}
	if (output->temporary != NULL) {
		(void)unlink(output->temporary);
	}
	close_fd(&output->fd);
	free(output->temporary);
	free(output->folder);
	free(output->path);
	free(output);
}

static int open_direct(const struct output *output) {
	if (strcmp(output->path, "-") == 0) {
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	}
	/* A pipe that nobody reads is an error (ENXIO) instead of a wait without end. */
	int fd = open(output->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fcntl(fd, F_SETFL, 0) != 0) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* A hidden name beside the wanted one. */
static char *temporary_name(const struct output *output, const char *suffix) {
	const char *slash = strrchr(output->path, '/');
	const char *name = slash == NULL ? output->path : slash + 1;
	char *temporary = NULL;
	if (asprintf(&temporary, "%s/.%s.%s", output->folder, name, suffix) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	return temporary;
}

int output_open(struct output *output) {
	if (output->direct) {
		return open_direct(output);
	}
	if (output->fd < 0) {
		output->temporary = temporary_name(output, "XXXXXX");
		if (output->temporary == NULL) {
			return -1;
		}
		output->fd = mkostemp(output->temporary, O_CLOEXEC);
		if (output->fd < 0) {
			free(output->temporary);
			output->temporary = NULL;
			return -1;
		}
		mode_t mask = umask(0);
		(void)umask(mask);
		(void)fchmod(output->fd, 0666 & ~mask);
	}
	return fcntl(output->fd, F_DUPFD_CLOEXEC, 0);
}

static bool link_to(const struct output *output, const char *name) {
	char self[64];
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
}

bool output_publish(struct output *output) {
	if (output->direct) {
		return true;
	}
	if (output->temporary == NULL) {
		if (!output->replace) {
			return link_to(output, output->path);
		}
		char number[32];
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		char *temporary = temporary_name(output, number);
		if (temporary == NULL || !link_to(output, temporary)) {
			int error = errno;
			free(temporary);
			errno = error;
			return false;
		}
		output->temporary = temporary;
	}
	unsigned flags = output->replace ? 0 : RENAME_NOREPLACE;
	if (renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->path, flags) != 0) {
		return false;
	}
	free(output->temporary);
	output->temporary = NULL;
	return true;
}
