/* A configuration file (GKeyFile's format) by its lines, which GKeyFile does not tell, and mistakes
 * told by them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct settings_line {
	unsigned number; /* from 1 */
	char *group;
	char *key;
	char *value;
};

struct settings_lines;

/* Tells lines that are none, and a file that can't be read. `path` NULL: no file. */
struct settings_lines *settings_lines_read(const char *path);
size_t settings_lines_count(const struct settings_lines *lines);
const struct settings_line *settings_lines_get(const struct settings_lines *lines, size_t i);

/* From now on `key`'s mistakes are the command line's. */
void settings_lines_override(struct settings_lines *lines, const char *key);

/* Tells a mistake in the value of `key`. */
void settings_lines_wrong(
	struct settings_lines *lines, const char *key, const char *what, const char *remedy);
/* Tells that there is no such setting; `names` ends with NULL. */
void settings_lines_unknown(
	struct settings_lines *lines, const struct settings_line *line, const char *const *names);

/* Frees it. False when a mistake was told. */
bool settings_lines_end(struct settings_lines *lines);
