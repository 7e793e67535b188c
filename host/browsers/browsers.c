#include "browsers/browsers.h"

#include <glib.h>
#include <string.h>

#include "browsers.inc"
#include "browsers/json.h"
#include "config.h"

#define MANIFEST_NAME PORTLIGHT_HOST_NAME ".json"

const struct browser *browsers_find(const char *name) {
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if (strcmp(browser->name, name) == 0) {
			return browser;
		}
	}
	return NULL;
}

const char **browsers_names(void) {
	GPtrArray *names = g_ptr_array_new();
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if (browsers_find(browser->name) == browser) {
			g_ptr_array_add(names, (char *)browser->name);
		}
	}
	g_ptr_array_add(names, NULL);
	return (const char **)g_ptr_array_free(names, FALSE);
}

/* The row's folder begins with $XDG_CONFIG_HOME or $HOME. */
static char *user_folder(const struct browser *browser) {
	bool config = g_str_has_prefix(browser->user_folder, "$XDG_CONFIG_HOME/");
	return g_build_filename(config ? g_get_user_config_dir() : g_get_home_dir(),
		strchr(browser->user_folder, '/'), NULL);
}

char *browsers_user_path(const struct browser *browser) {
	g_autofree char *folder = user_folder(browser);
	return g_build_filename(folder, MANIFEST_NAME, NULL);
}

char *browsers_system_path(const struct browser *browser) {
	const char *folder = browser->system_folder;
	return folder != NULL ? g_build_filename(folder, MANIFEST_NAME, NULL) : NULL;
}

bool browsers_present(const struct browser *browser) {
	g_autofree char *folder = user_folder(browser);
	g_autofree char *parent = g_path_get_dirname(folder);
	g_autofree char *own = g_path_get_basename(folder);
	g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
	const char *entry = dir != NULL ? g_dir_read_name(dir) : NULL;
	if (g_strcmp0(entry, own) == 0 && g_dir_read_name(dir) == NULL) {
		g_autofree char *path = browsers_user_path(browser);
		return g_file_test(path, G_FILE_TEST_EXISTS);
	}
	return dir != NULL;
}

bool browsers_on_path(const struct browser *browser) {
	g_auto(GStrv) programs =
		g_strsplit(browser->programs != NULL ? browser->programs : "", ",", 0);
	for (char **program = programs; *program != NULL; program++) {
		g_autofree char *path = g_find_program_in_path(*program);
		if (path != NULL) {
			return true;
		}
	}
	return false;
}

/* The extensions' names as a list in JSON, without its brackets. */
static char *list_extensions(const struct browser *browser, const struct extensions *extensions) {
	const GPtrArray *names = extensions->names[browser->family];
	GString *list = g_string_new(NULL);
	for (guint i = 0; i < names->len; i++) {
		g_string_append_printf(
			list, "%s\"%s\"", i > 0 ? ", " : "", (const char *)names->pdata[i]);
	}
	return g_string_free(list, FALSE);
}

char *browsers_manifest(
	const struct browser *browser, const char *host, const struct extensions *extensions) {
	if (!g_utf8_validate(host, -1, NULL)) {
		return NULL;
	}
	struct json_object *path = json_object_new_string(host);
	g_autofree char *list = list_extensions(browser, extensions);
	GString *text = g_string_new(
		browser->family == BROWSER_CHROMIUM ? chromium_template : firefox_template);
	(void)g_string_replace(text, "@NAME@", PORTLIGHT_HOST_NAME, 0);
	(void)g_string_replace(text, "@EXTENSIONS@", list, 0);
	(void)g_string_replace(text, "\"@HOST@\"",
		json_object_to_json_string_ext(path, JSON_C_TO_STRING_NOSLASHESCAPE), 0);
	(void)json_object_put(path);
	return g_string_free(text, FALSE);
}

char *browsers_manifest_host(const char *manifest) {
	struct json_object *object = json_tokener_parse(manifest);
	g_autofree char *name = json_text(object, "name");
	char *host = g_strcmp0(name, PORTLIGHT_HOST_NAME) == 0 ? json_text(object, "path") : NULL;
	(void)json_object_put(object);
	return host;
}

const char *browsers_manifest_lacks(
	const struct browser *browser, const char *manifest, const struct extensions *extensions) {
	const GPtrArray *names = extensions->names[browser->family];
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *quoted = g_strdup_printf("\"%s\"", (char *)names->pdata[i]);
		if (strstr(manifest, quoted) == NULL) {
			return names->pdata[i];
		}
	}
	return NULL;
}
