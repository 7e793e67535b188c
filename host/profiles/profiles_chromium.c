#include <string.h>

#include "profiles/profiles_parts.h"

#define ID_LENGTH 32u
#define PREFIX "chrome-extension://"
/* Of the system's folder; more than anybody has there. */
#define FOLDERS_MAX 64u

/* The values of Chromium's mojom::ManifestLocation for what is loaded from a folder. */
enum location { LOCATION_UNPACKED = 4, LOCATION_COMMAND_LINE = 8 };

static int64_t number(struct json_object *object, const char *name, int64_t otherwise) {
	struct json_object *member = json_member(object, name, json_type_int);
	return member != NULL ? json_object_get_int64(member) : otherwise;
}

/* Older versions have a number with a bit for each reason, newer ones a list. */
static bool is_disabled(struct json_object *entry) {
	struct json_object *reasons = json_member(entry, "disable_reasons", json_type_array);
	return (reasons != NULL && json_object_array_length(reasons) > 0) ||
	       number(entry, "disable_reasons", 0) != 0 || number(entry, "state", 1) == 0;
}

static enum profile_access find_access(struct json_object *entry) {
	struct json_object *withheld =
		json_member(entry, "withholding_permissions", json_type_boolean);
	bool chosen = withheld != NULL && json_object_get_boolean(withheld);
	struct json_object *granted = json_member(entry,
		chosen ? "runtime_granted_permissions" : "active_permissions", json_type_object);
	if (granted == NULL && !chosen) {
		return ACCESS_UNKNOWN;
	}
	return profiles_access(json_member(granted, "scriptable_host", json_type_array));
}

/* False: what is there is left of an extension that is gone. */
static bool read_entry(struct profile *profile, struct json_object *entry) {
	g_autofree char *path = json_text(entry, "path");
	int64_t location = number(entry, "location", 0);
	if (path == NULL || location == 0) {
		return false;
	}
	g_autofree char *place = g_path_is_absolute(path) ? g_strdup(path)
							  : g_build_filename(profile->path,
								    "Extensions", path, NULL);
	bool lent = location == LOCATION_UNPACKED || location == LOCATION_COMMAND_LINE;
	if (lent && !g_file_test(place, G_FILE_TEST_IS_DIR)) {
		return false;
	}
	profile->version = json_text(json_member(entry, "manifest", json_type_object), "version");
	if (profile->version == NULL) {
		profile->version = profiles_manifest_version(place);
	}
	profile->place = g_steal_pointer(&place);
	profile->access = find_access(entry);
	profile->state = is_disabled(entry) ? PROFILE_OFF : PROFILE_ON;
	return true;
}

static void read_settings(
	struct profile *profile, struct json_object *file, const struct extensions *extensions) {
	struct json_object *part = json_member(file, "extensions", json_type_object);
	struct json_object *settings = json_member(part, "settings", json_type_object);
	const GPtrArray *names = extensions->names[BROWSER_CHROMIUM];
	for (guint i = 0; i < names->len && profile->state < PROFILE_OFF; i++) {
		g_autofree char *id =
			g_strndup((const char *)names->pdata[i] + strlen(PREFIX), ID_LENGTH);
		struct json_object *entry = json_member(settings, id, json_type_object);
		if (entry != NULL && read_entry(profile, entry)) {
			return;
		}
	}
}

/* Chromium keeps its settings in one of the two, by system and version. */
static void read_profile(struct profile *profile, const struct extensions *extensions) {
	static const char *const files[] = {"Secure Preferences", "Preferences"};
	for (size_t i = 0; i < G_N_ELEMENTS(files) && profile->state < PROFILE_OFF; i++) {
		g_autofree char *path = g_build_filename(profile->path, files[i], NULL);
		g_autofree char *why = NULL;
		struct json_object *file = profiles_json(path, &why);
		if (why != NULL && profile->why == NULL) {
			profile->state = PROFILE_UNREADABLE;
			profile->why = g_steal_pointer(&why);
		}
		read_settings(profile, file, extensions);
		(void)json_object_put(file);
	}
}

void profiles_add_chromium(
	GPtrArray *profiles, const char *folder, const struct extensions *extensions) {
	GDir *entries = g_dir_open(folder, 0, NULL);
	const char *name = NULL;
	while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
		/* Opera's one profile is the folder itself in older versions. */
		if (strcmp(name, "Default") != 0 && !g_str_has_prefix(name, "Profile ")) {
			continue;
		}
		struct profile *profile =
			profiles_append(profiles, g_build_filename(folder, name, NULL));
		if (profile == NULL) {
			break;
		}
		read_profile(profile, extensions);
	}
	if (entries != NULL) {
		g_dir_close(entries);
	}
}

/* The name that Chromium derives from the key in a manifest: half of a hash, in letters from a. */
static char *name_of_key(const char *key) {
	gsize length = 0;
	g_autofree guchar *data = g_base64_decode(key, &length);
	g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, length);
	hash[ID_LENGTH] = '\0';
	for (char *digit = hash; *digit != '\0'; digit++) {
		*digit = (char)('a' + g_ascii_xdigit_value(*digit));
	}
	return g_strdup_printf(PREFIX "%s/", hash);
}

char *profiles_system_chromium(
	const struct extensions *extensions, const char *root, char **version) {
	g_autofree char *folder =
		g_build_filename("/", root, "usr/share/chromium/extensions", NULL);
	GDir *entries = g_dir_open(folder, 0, NULL);
	char *found = NULL;
	for (guint i = 0; entries != NULL && found == NULL && i < FOLDERS_MAX; i++) {
		const char *name = g_dir_read_name(entries);
		if (name == NULL) {
			break;
		}
		g_autofree char *place = g_build_filename(folder, name, NULL);
		g_autofree char *path = g_build_filename(place, "manifest.json", NULL);
		g_autofree char *why = NULL;
		struct json_object *manifest = profiles_json(path, &why);
		g_autofree char *key = json_text(manifest, "key");
		g_autofree char *id = key != NULL ? name_of_key(key) : NULL;
		if (id != NULL && extensions_have(extensions, BROWSER_CHROMIUM, id)) {
			*version = json_text(manifest, "version");
			found = g_steal_pointer(&place);
		}
		(void)json_object_put(manifest);
	}
	if (entries != NULL) {
		g_dir_close(entries);
	}
	return found;
}
