#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static const char *program_name = "portlight";
static enum log_level max_level = LOG_WARNING;

void log_init(const char *program, enum log_level level) {
	program_name = program;
	max_level = level;
	const char *wanted = getenv("PORTLIGHT_LOG");
	for (int i = LOG_ERROR; wanted != NULL && i <= LOG_DEBUG; i++) {
		if (strcmp(wanted, level_names[i]) == 0) {
			max_level = (enum log_level)i;
		}
	}
}

void log_relay(const char *line) {
	(void)dprintf(STDERR_FILENO, "%s\n", line);
}

void log_write(enum log_level level, const char *format, ...) {
	if (level > max_level) {
		return;
	}
	/* One write per line, so that lines of several processes do not mix. */
	char line[1024];
	int used = snprintf(
		line, sizeof(line), "%s[%d] %s: ", program_name, (int)getpid(), level_names[level]);
	if (used < 0 || (size_t)used >= sizeof(line) - 1) {
		return;
	}
	va_list args;
	va_start(args, format);
	int more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	va_end(args);
	if (more < 0) {
		return;
	}
	size_t length = strlen(line);
	line[length++] = '\n';
	(void)!write(STDERR_FILENO, line, length);
}
