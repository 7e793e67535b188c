#include "install/bundle.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

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

char *bundle_host(const char *folder) {
	return g_build_filename(folder, HOST, NULL);
}

static bool is_carried(const char *library) {
	for (size_t i = 0; i < G_N_ELEMENTS(carried); i++) {
		if (g_str_has_prefix(library, carried[i])) {
			return true;
		}
	}
	return false;
}

static bool put(const char *target, const char *data, size_t length, int mode, bool *changed,
	GError **error) {
	g_autofree char *now = NULL;
	gsize now_length = 0;
	GStatBuf status;
	if (g_stat(target, &status) == 0 && (status.st_mode & 0777) == (unsigned)mode &&
		g_file_get_contents(target, &now, &now_length, NULL) && now_length == length &&
		memcmp(now, data, length) == 0) {
		return true;
	}
	*changed = true;
	return g_file_set_contents_full(
		target, data, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, mode, error);
}

static bool copy(const char *source, const char *folder, const char *name, int mode, bool *changed,
	GError **error) {
	g_autofree char *target = g_build_filename(folder, name, NULL);
	g_autofree char *data = NULL;
	gsize length = 0;
	return g_file_get_contents(source, &data, &length, error) &&
	       put(target, data, length, mode, changed, error);
}

/* Copies the libraries of a program that are carried. The loader lists a program's libraries
 * instead of running it when LD_TRACE_LOADED_OBJECTS is set: ld.so(8), and how ldd(1) does it. */
static bool copy_libraries(const char *program, const char *folder, bool *changed, GError **error) {
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
		/* "\tNAME => PATH (ADDRESS)" */
		g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " ", 4);
		if (g_strv_length(words) == 4 && strcmp(words[1], "=>") == 0 &&
			is_carried(words[0]) &&
			!copy(words[2], folder, words[0], 0644, changed, error)) {
			return false;
		}
	}
	return true;
}

bool bundle_write(const char *folder, const char *host, bool *changed, GError **error) {
	*changed = false;
	g_autofree char *beside = g_path_get_dirname(host);
	g_autofree char *helper = g_build_filename(beside, HELPER, NULL);
	g_autofree char *inner = g_build_filename(folder, INNER, NULL);
	g_autofree char *start = bundle_host(folder);
	if (g_mkdir_with_parents(inner, 0700) != 0) {
		int code = errno;
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			"Can't create %s: %s", inner, g_strerror(code));
		return false;
	}
	/* The script last: until it is there nothing is started. */
	return copy(host, inner, HOST, 0755, changed, error) &&
	       copy(helper, inner, HELPER, 0755, changed, error) &&
	       copy_libraries(host, inner, changed, error) &&
	       copy_libraries(helper, inner, changed, error) &&
	       put(start, script, strlen(script), 0755, changed, error);
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
