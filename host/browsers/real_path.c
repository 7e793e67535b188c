#include "browsers/real_path.h"

#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool same_file(const char *one, const char *other) {
	char first[PATH_MAX];
	char second[PATH_MAX];
	if (one == NULL || other == NULL) {
		return false;
	}
	return strcmp(one, other) == 0 ||
	       (realpath(one, first) != NULL && realpath(other, second) != NULL &&
		       strcmp(first, second) == 0);
}

bool leads_below(const char *folder, const char *path) {
	char root[PATH_MAX];
	char real[PATH_MAX];
	struct stat status;
	if (lstat(folder, &status) != 0) {
		return true;
	}
	g_autofree char *there = g_strdup(path);
	while (lstat(there, &status) != 0 && strcmp(there, "/") != 0) {
		char *above = g_path_get_dirname(there);
		g_free(there);
		there = above;
	}
	if (realpath(folder, root) == NULL || realpath(there, real) == NULL) {
		return false;
	}
	size_t length = strlen(root);
	return strncmp(real, root, length) == 0 && (real[length] == '\0' || real[length] == '/');
}
