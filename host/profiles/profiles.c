#include "profiles/profiles.h"

#include <errno.h>
#include <string.h>

#include "browsers/read_file.h"
#include "profiles/profiles_parts.h"

/* A profile's file with thousands of settings has a megabyte. */
#define JSON_MAX ((size_t)16 * 1024 * 1024)
#define JSON_DEPTH 128

static void free_profile(void *data) {
	struct profile *profile = data;
	g_free(profile->path);
	g_free(profile->why);
	g_free(profile->version);
	g_free(profile->place);
	g_free(profile);
}

struct profile *profiles_append(GPtrArray *profiles, char *path) {
	if (profiles->len == PROFILES_MAX) {
		g_free(path);
		return NULL;
	}
	struct profile *profile = g_new0(struct profile, 1);
	profile->path = path;
	g_ptr_array_add(profiles, profile);
	return profile;
}

struct json_object *profiles_json(const char *path, char **why) {
	*why = NULL;
	int error = 0;
	g_autofree char *text = read_file(path, JSON_MAX, true, &error);
	if (text == NULL) {
		*why = error == ENOENT ? NULL : g_strdup_printf("%s: %s", path, g_strerror(error));
		return NULL;
	}
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)strlen(text));
	json_tokener_free(tokener);
	if (!json_object_is_type(object, json_type_object)) {
		(void)json_object_put(object);
		*why = g_strdup_printf("%s is not a JSON object", path);
		return NULL;
	}
	return object;
}

enum profile_access profiles_access(struct json_object *patterns) {
	static const char *const all[] = {"<all_urls>", "*://*/*", "https://*/*", NULL};
	enum profile_access access = ACCESS_NONE;
	size_t count = patterns != NULL ? json_object_array_length(patterns) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *pattern = json_object_array_get_idx(patterns, i);
		if (json_object_is_type(pattern, json_type_string)) {
			access = MAX(access, ACCESS_SOME);
			if (g_strv_contains(all, json_object_get_string(pattern))) {
				access = ACCESS_ALL;
			}
		}
	}
	return access;
}

char *profiles_manifest_version(const char *folder) {
	g_autofree char *path = g_build_filename(folder, "manifest.json", NULL);
	g_autofree char *why = NULL;
	struct json_object *manifest = profiles_json(path, &why);
	char *version = json_text(manifest, "version");
	(void)json_object_put(manifest);
	return version;
}

GPtrArray *profiles_read(const struct browser *browser, const struct sandboxed *flatpak,
	const struct extensions *extensions, const char *root) {
	GPtrArray *profiles = g_ptr_array_new_with_free_func(free_profile);
	for (const struct browser *row = browser;
		row->name != NULL && strcmp(row->name, browser->name) == 0; row++) {
		g_autofree char *manifest = flatpak != NULL ? sandboxes_manifest(flatpak, row)
							    : browsers_user_path(row);
		g_autofree char *hosts = g_path_get_dirname(manifest);
		g_autofree char *folder = g_path_get_dirname(hosts);
		if (browser->family == BROWSER_CHROMIUM) {
			profiles_add_chromium(profiles, folder, extensions);
		} else {
			profiles_add_firefox(profiles, folder, extensions, root);
		}
	}
	return profiles;
}

char *profiles_system(const struct browser *browser, const struct extensions *extensions,
	const char *root, char **version) {
	*version = NULL;
	/* Only these two are known to look there: others have folders of their own. */
	if (strcmp(browser->name, "chromium") == 0) {
		return profiles_system_chromium(extensions, root, version);
	}
	if (strcmp(browser->name, "firefox") == 0) {
		return profiles_system_firefox(extensions, root, version);
	}
	return NULL;
}
