#include "control/extensions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config.h"

#define SYSTEM_FILE "/etc/portlight/extensions"
#define ID_MAX 80u /* the store's, for Firefox */

static const struct family {
	const char *word;
	const char *prefix; /* of a name, before the id */
	const char *suffix;
	const char *ids; /* those it takes: for any other it ignores the whole manifest */
	const char *advice;
} families[BROWSER_FAMILIES] = {
	[BROWSER_CHROMIUM] = {"chromium", "chrome-extension://", "/", "^[a-p]{32}$",
		"a Chromium extension's id has 32 letters from a to p"},
	[BROWSER_FIREFOX] = {"firefox", "", "",
		"(?i)^(\\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\}|[a-z0-9._-]*@[a-z0-9._-]+)$",
		"a Firefox extension's id is like name@example.org, or a UUID in braces"},
};

bool extensions_have(
	const struct extensions *extensions, enum browser_family family, const char *name) {
	return g_ptr_array_find_with_equal_func(extensions->names[family], name, g_str_equal, NULL);
}

/* Why the line is left out; NULL: it isn't. */
static const char *add_line(struct extensions *extensions, char *line) {
	line[strcspn(line, "#")] = '\0';
	char *rest = NULL;
	const char *word = strtok_r(line, " \t\r", &rest);
	const char *id = strtok_r(NULL, " \t\r", &rest);
	if (word == NULL) {
		return NULL;
	}
	enum browser_family family = BROWSER_CHROMIUM;
	while (family < BROWSER_FAMILIES && strcmp(families[family].word, word) != 0) {
		family++;
	}
	if (family == BROWSER_FAMILIES || id == NULL || strtok_r(NULL, " \t\r", &rest) != NULL) {
		return "a line is `chromium ID` or `firefox ID`";
	}
	const struct family *of = &families[family];
	if (strlen(id) > ID_MAX || !g_regex_match_simple(of->ids, id, G_REGEX_RAW, 0)) {
		return of->advice;
	}
	g_autofree char *name = g_strconcat(of->prefix, id, of->suffix, NULL);
	if (extensions_have(extensions, family, name)) {
		return NULL;
	}
	if (extensions->names[family]->len == EXTENSIONS_MAX) {
		return "there are too many";
	}
	g_ptr_array_add(extensions->names[family], g_steal_pointer(&name));
	return NULL;
}

static void add_problem(struct extensions *extensions, char *problem) {
	g_ptr_array_add(extensions->problems, problem);
}

/* `text` is cut into pieces. */
static void add_text(struct extensions *extensions, const char *file, char *text) {
	unsigned problems = 0;
	for (unsigned number = 1; text != NULL && problems < EXTENSIONS_PROBLEMS_MAX; number++) {
		const char *why = add_line(extensions, strsep(&text, "\n"));
		if (why != NULL) {
			problems++;
			add_problem(extensions, g_strdup_printf("%s:%u: %s", file, number, why));
		}
	}
	if (text != NULL && *text != '\0') {
		add_problem(extensions, g_strdup_printf("%s: the rest is left out", file));
	}
}

/* Reads it into EXTENSIONS_FILE_MAX + 1 bytes. Gives why it can't; NULL: it can, or there is none.
 */
static const char *read_file(const char *path, char *text) {
	text[0] = '\0';
	/* Does not wait for the other end of a pipe. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return errno == ENOENT && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)
			       ? NULL
			       : g_strerror(errno);
	}
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		return "is not a file";
	}
	if ((status.st_uid != 0 && status.st_uid != geteuid()) || (status.st_mode & S_IWOTH) != 0) {
		return "others can change it";
	}
	ssize_t length = read(fd, text, EXTENSIONS_FILE_MAX + 1);
	if (length < 0) {
		return g_strerror(errno);
	}
	if (length > EXTENSIONS_FILE_MAX || memchr(text, '\0', (size_t)length) != NULL) {
		text[0] = '\0';
		return "is not text, or longer than 16 KiB";
	}
	text[length] = '\0';
	return NULL;
}

void extensions_add_file(struct extensions *extensions, const char *path) {
	char text[EXTENSIONS_FILE_MAX + 1];
	const char *why = read_file(path, text);
	if (why != NULL) {
		add_problem(extensions, g_strdup_printf("%s: %s", path, why));
	}
	add_text(extensions, path, text);
}

void extensions_init(struct extensions *extensions) {
	char text[] = PORTLIGHT_EXTENSIONS;
	for (int family = 0; family < BROWSER_FAMILIES; family++) {
		extensions->names[family] = g_ptr_array_new_with_free_func(g_free);
	}
	extensions->problems = g_ptr_array_new_with_free_func(g_free);
	add_text(extensions, "manifest/extensions", text);
}

void extensions_read(struct extensions *extensions, bool user) {
	extensions_init(extensions);
	extensions_add_file(extensions, SYSTEM_FILE);
	if (user) {
		g_autofree char *path =
			g_build_filename(g_get_user_config_dir(), "portlight", "extensions", NULL);
		extensions_add_file(extensions, path);
	}
}

void extensions_finish(struct extensions *extensions) {
	for (int family = 0; family < BROWSER_FAMILIES; family++) {
		g_ptr_array_unref(extensions->names[family]);
	}
	g_ptr_array_unref(extensions->problems);
}
