#include "install/manifest.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "browsers/browsers.h"
#include "browsers/manifest_file.h"
#include "browsers/read_file.h"

static void judge(struct manifest *manifest, const char *host) {
	manifest->host = browsers_manifest_host(manifest->text);
	if (manifest->host == NULL) {
		manifest->why = g_strdup("is no manifest of Portlight's");
		return;
	}
	g_autofree char *program = g_path_get_basename(manifest->host);
	manifest->ours =
		strcmp(program, "portlight-host") == 0 || g_strcmp0(manifest->host, host) == 0;
	if (!manifest->ours) {
		manifest->why = g_strdup_printf("names another program, %s", manifest->host);
	}
}

static char *explain(int error) {
	const char *why = error == ELOOP                      ? "is a link"
			  : error == EISDIR || error == ENXIO ? "is not a file"
			  : error == EFBIG                    ? "is too large for a manifest"
			  : error == EILSEQ                   ? "is not text"
							      : NULL;
	return why != NULL ? g_strdup(why)
			   : g_strdup_printf("can't be read (%s)", g_strerror(error));
}

void manifest_read(struct manifest *manifest, const char *path, const char *host) {
	*manifest = (struct manifest){0};
	/* A link is somebody's who put it there. */
	int error = 0;
	manifest->text = read_file(path, MANIFEST_MAX, false, &error);
	bool link = error == ELOOP && g_file_test(path, G_FILE_TEST_IS_SYMLINK);
	/* Nothing, or no folder that it could be in: writing tells why. */
	manifest->there = error != ENOENT && error != ENOTDIR && (error != ELOOP || link);
	if (!manifest->there) {
		return;
	}
	if (manifest->text == NULL) {
		manifest->why = explain(error);
	} else if (manifest->text[0] == '\0') {
		manifest->why = g_strdup("is empty");
	} else {
		judge(manifest, host);
	}
}

void manifest_finish(struct manifest *manifest) {
	g_free(manifest->text);
	g_free(manifest->host);
	g_free(manifest->why);
}

/* Removes empty folders from `folder` up, at most `levels`. */
static void remove_folders(const char *folder, unsigned levels) {
	g_autofree char *one = g_strdup(folder);
	while (levels-- > 0 && g_rmdir(one) == 0) {
		char *above = g_path_get_dirname(one);
		g_free(one);
		one = above;
	}
}

/* How many folders of the path are not there. */
static unsigned count_missing(const char *folder) {
	g_autofree char *one = g_strdup(folder);
	unsigned missing = 0;
	while (!g_file_test(one, G_FILE_TEST_EXISTS) && strcmp(one, "/") != 0) {
		char *above = g_path_get_dirname(one);
		g_free(one);
		one = above;
		missing++;
	}
	return missing;
}

static bool make_folder(const char *folder, bool everybody, GError **error) {
	if (g_mkdir_with_parents(folder, everybody ? 0755 : 0700) == 0) {
		return true;
	}
	int code = errno;
	/* The first one of the path that is something else, for the message. */
	g_autofree char *one = g_strdup(folder);
	while (!g_file_test(one, G_FILE_TEST_EXISTS) && !g_file_test(one, G_FILE_TEST_IS_SYMLINK)) {
		char *above = g_path_get_dirname(one);
		g_free(one);
		one = above;
	}
	if (!g_file_test(one, G_FILE_TEST_IS_DIR)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR, "%s is not a folder.", one);
	} else {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
			"Can't create %s: %s.", folder, g_strerror(code));
	}
	return false;
}

bool manifest_write(const char *path, const char *text, bool everybody, GError **error) {
	g_autofree char *folder = g_path_get_dirname(path);
	unsigned made = count_missing(folder);
	/* Root's umask must not keep the manifest from everybody. */
	mode_t mask = everybody ? umask(022) : 0;
	bool ok = make_folder(folder, everybody, error);
	if (ok) {
		ok = g_file_set_contents_full(
			path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
	}
	if (everybody) {
		(void)umask(mask);
	}
	if (!ok) {
		remove_folders(folder, made);
	}
	return ok;
}

bool manifest_remove(const char *path, unsigned levels, GError **error) {
	if (g_unlink(path) != 0) {
		int code = errno;
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
			"Can't remove %s: %s.", path, g_strerror(code));
		return false;
	}
	g_autofree char *folder = g_path_get_dirname(path);
	remove_folders(folder, levels);
	return true;
}
