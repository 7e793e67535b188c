#include "rooms/settings/settings_lines.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tool/suggest.h"

struct settings_lines {
	char *path;
	GArray *lines; /* struct settings_line */
	bool failed;
};

static void tell(
	struct settings_lines *lines, unsigned number, const char *what, const char *remedy) {
	lines->failed = true;
	if (number > 0) {
		(void)fprintf(stderr, "%s:%u: %s\n  %s\n", lines->path, number, what, remedy);
	} else {
		(void)fprintf(stderr, "portlight-rooms: %s\n  %s\n", what, remedy);
	}
}

static void clear_line(gpointer entry) {
	struct settings_line *line = entry;
	g_free(line->group);
	g_free(line->key);
	g_free(line->value);
}

/* Each line that sets something, as GKeyFile understands it. */
static void read_lines(struct settings_lines *lines, const char *text) {
	g_auto(GStrv) split = g_strsplit(text, "\n", -1);
	g_autofree char *group = g_strdup("");
	for (unsigned i = 0; split[i] != NULL; i++) {
		char *line = g_strstrip(split[i]);
		char *equals = strchr(line, '=');
		size_t length = strlen(line);
		if (length == 0 || line[0] == '#') {
			continue;
		}
		if (line[0] == '[' && line[length - 1] == ']') {
			g_free(group);
			group = g_strndup(line + 1, length - 2);
		} else if (equals == NULL || equals == line) {
			tell(lines, i + 1, "This line is neither [group] nor key=value.",
				"Begin a comment with #.");
		} else {
			struct settings_line entry = {
				.number = i + 1,
				.group = g_strdup(group),
				.key = g_strchomp(g_strndup(line, (gsize)(equals - line))),
				.value = g_strdup(g_strchug(equals + 1)),
			};
			g_array_append_val(lines->lines, entry);
		}
	}
}

struct settings_lines *settings_lines_read(const char *path) {
	struct settings_lines *lines = g_new0(struct settings_lines, 1);
	lines->path = g_strdup(path);
	lines->lines = g_array_new(FALSE, FALSE, sizeof(struct settings_line));
	g_array_set_clear_func(lines->lines, clear_line);
	g_autofree char *text = NULL;
	size_t length = 0;
	g_autoptr(GError) error = NULL;
	if (path == NULL) {
		return lines;
	}
	if (!g_file_get_contents(path, &text, &length, &error)) {
		tell(lines, 0, error->message, "Name a file that this user can read.");
	} else if (strlen(text) != length || !g_utf8_validate(text, -1, NULL)) {
		tell(lines, 0, "The configuration is not text in UTF-8.", "Name a text file.");
	} else {
		read_lines(lines, text);
	}
	return lines;
}

size_t settings_lines_count(const struct settings_lines *lines) {
	return lines->lines->len;
}

const struct settings_line *settings_lines_get(const struct settings_lines *lines, size_t i) {
	return &g_array_index(lines->lines, struct settings_line, i);
}

void settings_lines_override(struct settings_lines *lines, const char *key) {
	for (guint i = 0; i < lines->lines->len; i++) {
		struct settings_line *line = &g_array_index(lines->lines, struct settings_line, i);
		if (strcmp(line->key, key) == 0) {
			line->number = 0;
		}
	}
}

void settings_lines_wrong(
	struct settings_lines *lines, const char *key, const char *what, const char *remedy) {
	unsigned number = 0;
	for (guint i = 0; i < lines->lines->len; i++) {
		const struct settings_line *line =
			&g_array_index(lines->lines, struct settings_line, i);
		if (strcmp(line->key, key) == 0) {
			number = line->number;
		}
	}
	tell(lines, number, what, remedy);
}

void settings_lines_unknown(
	struct settings_lines *lines, const struct settings_line *line, const char *const *names) {
	const char *near = suggest(line->key, names);
	g_autofree char *what = g_strdup_printf("There is no %s in [%s].", line->key, line->group);
	g_autofree char *remedy =
		near == NULL
			? g_strdup("portlight-rooms(1) lists what can be set.")
			: g_strdup_printf("Did you mean %s? Groups: server, limits, ice.", near);
	tell(lines, line->number, what, remedy);
}

bool settings_lines_end(struct settings_lines *lines) {
	bool ok = !lines->failed;
	g_array_unref(lines->lines);
	g_free(lines->path);
	g_free(lines);
	return ok;
}
