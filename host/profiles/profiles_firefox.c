#include <stdlib.h>
#include <string.h>

#include "browsers/read_file.h"
#include "profiles/profiles_parts.h"

/* Firefox's own id, by which the system's folders of extensions are named. */
#define FIREFOX_ID "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"
#define SCAN_PREF "\"extensions.startupScanScopes\""
#define SCOPE_SYSTEM 8
#define TEXT_MAX ((size_t)1024 * 1024)

/* The value of the last line that sets SCAN_PREF; -1: none does. */
static int find_scopes(const char *path) {
	int error = 0;
	int scopes = -1;
	g_autofree char *text = read_file(path, TEXT_MAX, true, &error);
	char *rest = text;
	while (rest != NULL) {
		char *line = g_strchug(strsep(&rest, "\n"));
		char *name = g_str_has_prefix(line, "//") ? NULL : strstr(line, SCAN_PREF);
		char *comma = name != NULL ? strchr(name, ',') : NULL;
		if (comma != NULL) {
			scopes = (int)strtol(comma + 1, NULL, 10);
		}
	}
	return scopes;
}

static int find_scopes_in_folder(const char *folder) {
	GDir *entries = g_dir_open(folder, 0, NULL);
	int scopes = -1;
	const char *name = NULL;
	while (entries != NULL && scopes < 0 && (name = g_dir_read_name(entries)) != NULL) {
		if (g_str_has_suffix(name, ".js")) {
			g_autofree char *path = g_build_filename(folder, name, NULL);
			scopes = find_scopes(path);
		}
	}
	if (entries != NULL) {
		g_dir_close(entries);
	}
	return scopes;
}

/* Neither waits for a pipe nor reads without end, as GLib's own way would. */
static GKeyFile *load_ini(const char *folder, const char *name) {
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int error = 0;
	g_autofree char *text = read_file(path, TEXT_MAX, true, &error);
	g_autoptr(GKeyFile) file = g_key_file_new();
	bool ok = text != NULL &&
		  g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL);
	return ok ? g_steal_pointer(&file) : NULL;
}

/* Where the Firefox is that used the profile last; NULL: unknown. */
static char *find_program_folder(const char *profile) {
	g_autoptr(GKeyFile) file = load_ini(profile, "compatibility.ini");
	return file != NULL ? g_key_file_get_string(file, "Compatibility", "LastPlatformDir", NULL)
			    : NULL;
}

/* What the user set comes before what the system did. Debian's packages read /etc/NAME, where NAME
 * is that of their folder in /usr/lib. */
static bool scans_system(const char *profile, const char *root) {
	static const char *const own[] = {"user.js", "prefs.js"};
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *path = g_build_filename(profile, own[i], NULL);
		int scopes = find_scopes(path);
		if (scopes >= 0) {
			return (scopes & SCOPE_SYSTEM) != 0;
		}
	}
	g_autofree char *program = find_program_folder(profile);
	if (program == NULL) {
		program = g_strdup("/usr/lib/firefox-esr");
	}
	g_autofree char *name = g_path_get_basename(program);
	g_autofree char *system = g_build_filename("/", root, "etc", name, NULL);
	g_autofree char *shipped = g_build_filename("/", root, program, "defaults/pref", NULL);
	int scopes = find_scopes_in_folder(system);
	if (scopes < 0) {
		scopes = find_scopes_in_folder(shipped);
	}
	return scopes >= 0 && (scopes & SCOPE_SYSTEM) != 0;
}

static bool is_true(struct json_object *entry, const char *name) {
	return json_object_get_boolean(json_member(entry, name, json_type_boolean));
}

/* Some versions keep permissions in a data base instead, which is not read. */
static void read_access(struct profile *profile, const char *id) {
	g_autofree char *base =
		g_build_filename(profile->path, "extension-store-permissions", NULL);
	g_autofree char *path = g_build_filename(profile->path, "extension-preferences.json", NULL);
	g_autofree char *why = NULL;
	struct json_object *file =
		g_file_test(base, G_FILE_TEST_EXISTS) ? NULL : profiles_json(path, &why);
	if (file == NULL) {
		return;
	}
	struct json_object *entry = json_member(file, id, json_type_object);
	profile->never_asked = entry == NULL;
	profile->access = profiles_access(json_member(entry, "origins", json_type_array));
	(void)json_object_put(file);
}

static void read_addon(struct profile *profile, struct json_object *addon, const char *id) {
	bool off = is_true(addon, "userDisabled") || is_true(addon, "appDisabled") ||
		   is_true(addon, "softDisabled") || is_true(addon, "embedderDisabled") ||
		   !is_true(addon, "active");
	profile->state = off ? PROFILE_OFF : PROFILE_ON;
	profile->version = json_text(addon, "version");
	profile->place = json_text(addon, "path");
	read_access(profile, id);
}

static void read_addons(
	struct profile *profile, struct json_object *addons, const struct extensions *extensions) {
	size_t count = addons != NULL ? json_object_array_length(addons) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *addon = json_object_array_get_idx(addons, i);
		g_autofree char *id = json_text(addon, "id");
		if (id != NULL && extensions_have(extensions, BROWSER_FIREFOX, id)) {
			read_addon(profile, addon, id);
			return;
		}
	}
}

/* A profile that Firefox never started with has no such file, and gets everything at its first
 * start: it is left out. */
static void add_profile(
	GPtrArray *profiles, char *path, const struct extensions *extensions, const char *root) {
	g_autofree char *file = g_build_filename(path, "extensions.json", NULL);
	g_autofree char *why = NULL;
	struct json_object *object = profiles_json(file, &why);
	if (object == NULL && why == NULL) {
		g_free(path);
		return;
	}
	struct profile *profile = profiles_append(profiles, path);
	if (profile != NULL) {
		profile->state = why != NULL ? PROFILE_UNREADABLE : PROFILE_WITHOUT;
		profile->why = g_steal_pointer(&why);
		profile->scans = scans_system(profile->path, root);
		read_addons(profile, json_member(object, "addons", json_type_array), extensions);
	}
	(void)json_object_put(object);
}

static void add_listed(GPtrArray *profiles, const char *folder, const struct extensions *extensions,
	const char *root) {
	g_autoptr(GKeyFile) file = load_ini(folder, "profiles.ini");
	if (file == NULL) {
		return;
	}
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group != NULL && profiles->len < PROFILES_MAX; group++) {
		g_autofree char *name = g_key_file_get_string(file, *group, "Path", NULL);
		if (name != NULL && g_str_has_prefix(*group, "Profile")) {
			add_profile(
				profiles, g_canonicalize_filename(name, folder), extensions, root);
		}
	}
}

void profiles_add_firefox(GPtrArray *profiles, const char *folder,
	const struct extensions *extensions, const char *root) {
	/* Firefox has its own below what it shares with its relatives. */
	g_autofree char *below = g_build_filename(folder, "firefox", NULL);
	add_listed(profiles, below, extensions, root);
	add_listed(profiles, folder, extensions, root);
}

char *profiles_system_firefox(
	const struct extensions *extensions, const char *root, char **version) {
	static const char *const folders[] = {"usr/share/mozilla/extensions",
		"usr/lib/mozilla/extensions", "usr/lib64/mozilla/extensions"};
	const GPtrArray *names = extensions->names[BROWSER_FIREFOX];
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		for (guint j = 0; j < names->len; j++) {
			g_autofree char *place = g_build_filename(
				"/", root, folders[i], FIREFOX_ID, names->pdata[j], NULL);
			g_autofree char *packed = g_strconcat(place, ".xpi", NULL);
			if (g_file_test(place, G_FILE_TEST_EXISTS)) {
				*version = profiles_manifest_version(place);
				return g_steal_pointer(&place);
			}
			if (g_file_test(packed, G_FILE_TEST_EXISTS)) {
				return g_steal_pointer(&packed);
			}
		}
	}
	return NULL;
}
