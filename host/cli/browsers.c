#include "cli/browsers.h"

#include <glib.h>
#include <string.h>

#include "browsers.inc"
#include "config.h"

#define MANIFEST_NAME PORTLIGHT_HOST_NAME ".json"

size_t browsers_count(void) {
	return G_N_ELEMENTS(browsers);
}

const struct browser *browsers_get(size_t index) {
	return &browsers[index];
}

const struct browser *browsers_find(const char *name) {
	for (size_t i = 0; i < G_N_ELEMENTS(browsers); i++) {
		if (strcmp(browsers[i].name, name) == 0) {
			return &browsers[i];
		}
	}
	return NULL;
}

static char *user_folder(const struct browser *browser) {
	static const char config[] = "$XDG_CONFIG_HOME/";
	static const char home[] = "$HOME/";
	const char *folder = browser->user_folder;
	if (g_str_has_prefix(folder, config)) {
		return g_build_filename(g_get_user_config_dir(), folder + strlen(config), NULL);
	}
	g_assert(g_str_has_prefix(folder, home));
	return g_build_filename(g_get_home_dir(), folder + strlen(home), NULL);
}

char *browsers_user_path(const struct browser *browser) {
	g_autofree char *folder = user_folder(browser);
	return g_build_filename(folder, MANIFEST_NAME, NULL);
}

char *browsers_system_path(const struct browser *browser) {
	if (browser->system_folder == NULL) {
		return NULL;
	}
	return g_build_filename(browser->system_folder, MANIFEST_NAME, NULL);
}

bool browsers_present(const struct browser *browser) {
	g_autofree char *folder = user_folder(browser);
	g_autofree char *parent = g_path_get_dirname(folder);
	return g_file_test(parent, G_FILE_TEST_IS_DIR);
}

static char *escape_json(const char *text) {
	GString *escaped = g_string_new(NULL);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\') {
			g_string_append_c(escaped, '\\');
			g_string_append_c(escaped, *at);
		} else if ((unsigned char)*at < 0x20) {
			g_string_append_printf(escaped, "\\u%04x", (unsigned)(unsigned char)*at);
		} else {
			g_string_append_c(escaped, *at);
		}
	}
	return g_string_free(escaped, FALSE);
}

char *browsers_manifest(const struct browser *browser, const char *host) {
	if (!g_utf8_validate(host, -1, NULL)) {
		return NULL;
	}
	g_autofree char *path = escape_json(host);
	GString *text = g_string_new(
		browser->family == BROWSER_CHROMIUM ? chromium_template : firefox_template);
	(void)g_string_replace(text, "@NAME@", PORTLIGHT_HOST_NAME, 0);
	(void)g_string_replace(text, "@CHROMIUM_ID@", PORTLIGHT_CHROMIUM_ID, 0);
	(void)g_string_replace(text, "@FIREFOX_ID@", PORTLIGHT_FIREFOX_ID, 0);
	(void)g_string_replace(text, "@HOST@", path, 0);
	return g_string_free(text, FALSE);
}

char *browsers_manifest_host(const char *manifest) {
	g_autoptr(GRegex) pattern =
		g_regex_new("\"path\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	if (!g_utf8_validate(manifest, -1, NULL) || !g_regex_match(pattern, manifest, 0, &match)) {
		return NULL;
	}
	g_autofree char *escaped = g_match_info_fetch(match, 1);
	/* JSON's other escapes do not occur in paths that we write. */
	return g_strcompress(escaped);
}

bool browsers_manifest_admits(const struct browser *browser, const char *manifest) {
	return strstr(manifest, browser->family == BROWSER_CHROMIUM
					? "chrome-extension://" PORTLIGHT_CHROMIUM_ID "/"
					: "\"" PORTLIGHT_FIREFOX_ID "\"") != NULL;
}

char *browsers_find_program(const char *name) {
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	if (self == NULL) {
		return NULL;
	}
	g_autofree char *folder = g_path_get_dirname(self);
	char *path = g_build_filename(folder, name, NULL);
	if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
		return path;
	}
	g_free(path);
	g_autofree char *prefix = g_path_get_dirname(folder);
	path = g_build_filename(prefix, "libexec", "portlight", name, NULL);
	if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
		return path;
	}
	g_free(path);
	return NULL;
}
