#include "base/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *program_find(const char *name) {
	static const char *const places[] = {"", "../libexec/portlight/"};
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length <= 0) {
		return NULL;
	}
	self[length] = '\0';
	strrchr(self, '/')[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = NULL;
		if (asprintf(&path, "%s%s%s", self, places[i], name) < 0) {
			return NULL;
		}
		if (access(path, X_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}
