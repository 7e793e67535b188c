#include "record/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
	char *path;
	char *unpublished; /* the file's name until it is published; NULL: none */
	bool replace;
	bool direct; /* a device, a pipe or the standard output */
};

/* What is in the file decides what plays it, but people and programs go by the name. */
static bool is_webm_name(const char *path) {
	const char *dot = strrchr(path, '.');
	return dot != NULL && strcasecmp(dot, ".webm") == 0;
}

/* What may become a file, or replace the one that `exists`. */
static bool prepare_file(struct output *output, bool exists) {
	if (!is_webm_name(output->path)) {
		errno = EMEDIUMTYPE;
		return false;
	}
	if (exists && !output->replace) {
		errno = EEXIST;
		return false;
	}
	if (exists) {
		/* Renaming over a link would replace the link. */
		char *real = realpath(output->path, NULL);
		if (real == NULL || access(real, W_OK) != 0) {
			free(real);
			return false;
		}
		g_free(output->path);
		output->path = real;
	}
	g_autofree char *folder = g_path_get_dirname(output->path);
	return access(folder, W_OK | X_OK) == 0;
}

static bool prepare(struct output *output) {
	struct stat status;
	if (strcmp(output->path, "-") == 0) {
		output->direct = true;
		errno = ENOTTY;
		return isatty(STDOUT_FILENO) == 0;
	}
	if (stat(output->path, &status) != 0) {
		return errno == ENOENT && prepare_file(output, false);
	}
	if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		output->direct = true;
		return access(output->path, W_OK) == 0;
	}
	return prepare_file(output, true);
}

bool output_create(const char *path, bool replace, struct output **output) {
	struct output *made = g_new0(struct output, 1);
	made->replace = replace;
	made->path = g_strdup(path);
	if (!prepare(made)) {
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
	if (output->unpublished != NULL) {
		(void)unlink(output->unpublished);
	}
	g_free(output->unpublished);
	g_free(output->path);
	g_free(output);
}

static int open_direct(const struct output *output) {
	if (strcmp(output->path, "-") == 0) {
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	}
	/* A pipe that nobody reads is an error (ENXIO) instead of a wait without end. */
	int fd = open(output->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		(void)fcntl(fd, F_SETFL, 0);
	}
	return fd;
}

int output_open(struct output *output) {
	if (output->direct) {
		return open_direct(output);
	}
	/* What replaces a file has a hidden name beside it until it is published. */
	g_autofree char *folder = g_path_get_dirname(output->path);
	g_autofree char *name = g_path_get_basename(output->path);
	g_autofree char *beside = g_strdup_printf("%s/.%s.%08x", folder, name, g_random_int());
	const char *path = output->replace ? beside : output->path;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0) {
		output->unpublished = g_strdup(path);
	}
	return fd;
}

bool output_publish(struct output *output) {
	if (output->direct) {
		return true;
	}
	if (output->replace && rename(output->unpublished, output->path) != 0) {
		return false;
	}
	g_clear_pointer(&output->unpublished, g_free);
	return true;
}
