#include "base/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

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

bool program_close_stdout(const char *name) {
	bool pending = __fpending(stdout) > 0;
	bool failed = ferror(stdout) != 0;
	int reason = fclose(stdout) == 0 ? 0 : errno;
	/* Where nothing was written it does not matter that stdout was never open. */
	if (reason != 0 && (pending || reason != EBADF)) {
		failed = true;
	}
	if (failed) {
		/* An earlier write's reason is lost. */
		const char *why = reason != 0 ? strerror(reason) : "";
		(void)fprintf(stderr, "%s: Can't write the output%s%s.\n", name,
			why[0] != '\0' ? ": " : "", why);
	}
	return !failed;
}

bool program_answers(
	const char *name, const char *help, int argc, char *const argv[], int *status) {
	const char *asked = argc == 2 ? argv[1] : "";
	if (strcmp(asked, "--version") == 0 || strcmp(asked, "-V") == 0) {
		(void)printf("%s " PORTLIGHT_VERSION "\n", name);
	} else if (strcmp(asked, "--help") == 0 || strcmp(asked, "-h") == 0) {
		(void)fputs(help, stdout);
	} else {
		return false;
	}
	*status = program_close_stdout(name) ? EXIT_SUCCESS : EXIT_FAILURE;
	return true;
}
