#include "browsers/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "browsers/real_path.h"

#define HOST "portlight-host"
#define HELPER "portlight-capture"
/* The programs are in a folder of their own, so that one has the libraries beside it. */
#define INNER "lib"

/* A program of a package has no library path built in, so a script gives it one. */
static const char script[] =
	"#!/bin/sh\n"
	"# Written by portlight install: a Flatpak's runtime may lack these libraries.\n"
	"here=${0%/*}/" INNER "\n"
	"export LD_LIBRARY_PATH=\"$here${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\"\n"
	"exec \"$here/" HOST "\" \"$@\"\n";

/* The beginnings of the libraries' names. */
static const char *const carried[] = {
	"libjson-c.so", "libvpx.so", "libyuv.so", "libjpeg.so", "libseccomp.so"};

char *bundle_folder(const struct sandboxed *flatpak) {
	g_autofree char *folder = sandboxes_folder(flatpak);
	return g_build_filename(folder, "data/portlight", NULL);
}

char *bundle_host(const char *folder) {
	return g_build_filename(folder, HOST, NULL);
}

bool bundle_stays(const char *folder, const char *within) {
	g_autofree char *inner = g_build_filename(folder, INNER, NULL);
	return leads_below(within, folder) && leads_below(within, inner);
}

static bool is_carried(const char *library) {
	for (size_t i = 0; i < G_N_ELEMENTS(carried); i++) {
		if (g_str_has_prefix(library, carried[i])) {
			return true;
		}
	}
	return false;
}

/* What bundle_write() does at each file. */
struct copying {
	bool dry_run;
	char *changed; /* the first file that differs; NULL: none */
};

/* The sandbox can put links and pipes in the file's place. */
static bool is_same(const char *target, const char *data, size_t length, unsigned mode) {
	cleanup_fd int fd = open(target, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat status;
	/* The user's umask may take the other bits. */
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
		status.st_size != (off_t)length || (status.st_mode & 0700) != (mode & 0700)) {
		return false;
	}
	g_autofree char *now = g_malloc(length + 1);
	size_t got = 0;
	ssize_t part = 0;
	while (got <= length && (part = read(fd, now + got, length + 1 - got)) > 0) {
		got += (size_t)part;
	}
	return got == length && memcmp(now, data, length) == 0;
}

static bool put(struct copying *copying, const char *target, const char *data, size_t length,
	int mode, GError **error) {
	if (is_same(target, data, length, (unsigned)mode)) {
		return true;
	}
	if (copying->changed == NULL) {
		copying->changed = g_strdup(target);
	}
	/* Replaces a link. */
	return copying->dry_run || g_file_set_contents_full(target, data, (gssize)length,
					   G_FILE_SET_CONTENTS_CONSISTENT, mode, error);
}

static bool copy(struct copying *copying, const char *source, const char *folder, const char *name,
	int mode, GError **error) {
	g_autofree char *target = g_build_filename(folder, name, NULL);
	g_autofree char *data = NULL;
	gsize length = 0;
	return g_file_get_contents(source, &data, &length, error) &&
	       put(copying, target, data, length, mode, error);
}

/* Copies the libraries of a program that are carried. The loader lists a program's libraries
 * instead of running it when LD_TRACE_LOADED_OBJECTS is set: ld.so(8), and how ldd(1) does it. */
static bool copy_libraries(
	struct copying *copying, const char *program, const char *folder, GError **error) {
	char *argv[] = {(char *)program, (char[]){"--version"}, NULL};
	g_auto(GStrv) environment =
		g_environ_setenv(g_get_environ(), "LD_TRACE_LOADED_OBJECTS", "1", TRUE);
	g_autofree char *list = NULL;
	if (!g_spawn_sync(NULL, argv, environment, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &list,
		    NULL, NULL, error)) {
		return false;
	}
	g_auto(GStrv) lines = g_strsplit(list, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		/* "\tNAME => PATH (ADDRESS)"; one that is missing is "=> not found". */
		g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " ", 4);
		if (g_strv_length(words) == 4 && strcmp(words[1], "=>") == 0 &&
			words[2][0] == '/' && is_carried(words[0]) &&
			!copy(copying, words[2], folder, words[0], 0644, error)) {
			return false;
		}
	}
	return true;
}

static bool put_all(struct copying *copying, const char *folder, const char *host, GError **error) {
	g_autofree char *beside = g_path_get_dirname(host);
	g_autofree char *helper = g_build_filename(beside, HELPER, NULL);
	g_autofree char *inner = g_build_filename(folder, INNER, NULL);
	g_autofree char *start = bundle_host(folder);
	if (!copying->dry_run && g_mkdir_with_parents(inner, 0700) != 0) {
		int code = errno;
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			"Can't create %s: %s", inner, g_strerror(code));
		return false;
	}
	/* The script last: until it is there nothing is started. */
	return copy(copying, host, inner, HOST, 0755, error) &&
	       copy(copying, helper, inner, HELPER, 0755, error) &&
	       copy_libraries(copying, host, inner, error) &&
	       copy_libraries(copying, helper, inner, error) &&
	       put(copying, start, script, strlen(script), 0755, error);
}

bool bundle_write(
	const char *folder, const char *host, bool dry_run, char **changed, GError **error) {
	struct copying copying = {.dry_run = dry_run};
	bool ok = put_all(&copying, folder, host, error);
	*changed = copying.changed;
	return ok;
}

static bool is_ours(const char *name) {
	return strcmp(name, HOST) == 0 || strcmp(name, HELPER) == 0 || is_carried(name);
}

bool bundle_remove(const char *folder, GError **error) {
	g_autofree char *inner = g_build_filename(folder, INNER, NULL);
	g_autofree char *start = bundle_host(folder);
	(void)g_unlink(start);
	g_autoptr(GDir) entries = g_dir_open(inner, 0, NULL);
	const char *name = NULL;
	while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
		g_autofree char *path = g_build_filename(inner, name, NULL);
		if (is_ours(name) && g_unlink(path) != 0) {
			int code = errno;
			g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
				"Can't remove %s: %s", path, g_strerror(code));
			return false;
		}
	}
	(void)g_rmdir(inner);
	(void)g_rmdir(folder);
	return true;
}
