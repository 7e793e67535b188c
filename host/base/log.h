/*
 * One line per event on stderr, where browsers collect a native host's log:
 * "portlight-host[123] warning: text".
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Sets the program's name, which is not copied, and the most detailed level that is printed.
 * PORTLIGHT_LOG=error|warning|info|debug in the environment overrides `level`. */
void log_init(const char *program, enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Another program's line with its name, without the newline. */
void log_relay(const char *line);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
