#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "profiles/profiles.h"

#define FIREFOX_FOLDER "usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"
#define CHROMIUM_FOLDER "usr/share/chromium/extensions"
/* Some other extension's. */
#define OTHER_KEY "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"

static struct extensions extensions;
static char *root;
static char *home;

static void put(const char *folder, const char *path, const char *text) {
	g_autofree char *full = g_build_filename(folder, path, NULL);
	g_autofree char *above = g_path_get_dirname(full);
	assert_int_equal(g_mkdir_with_parents(above, 0700), 0);
	assert_true(g_file_set_contents(full, text, -1, NULL));
}

static char *system_place(const char *browser, char **version) {
	return profiles_system(browsers_find(browser), &extensions, root, version);
}

static void the_system_s_folders_are_read(void **state) {
	(void)state;
	g_autofree char *version = NULL;
	assert_null(system_place("firefox", &version));
	assert_null(system_place("chromium", &version));

	put(root, FIREFOX_FOLDER "/portlight@portlight/manifest.json", "{\"version\": \"1.2.3\"}");
	g_autofree char *firefox = system_place("firefox", &version);
	assert_non_null(strstr(firefox, FIREFOX_FOLDER "/portlight@portlight"));
	assert_string_equal(version, "1.2.3");
	g_autofree char *none = NULL;
	assert_null(system_place("librewolf", &none));

	/* Whose it is, its key tells, not the folder's name. */
	put(root, CHROMIUM_FOLDER "/a-portlight/manifest.json",
		"{\"version\": \"1\", \"key\": \"" OTHER_KEY "\"}");
	put(root, CHROMIUM_FOLDER "/b-broken/manifest.json", "{");
	assert_null(system_place("chromium", &none));
	g_autofree char *manifest = NULL;
	assert_true(g_file_get_contents("manifest/extension.chromium.json", &manifest, NULL, NULL));
	put(root, CHROMIUM_FOLDER "/c-ours/manifest.json", manifest);
	g_autofree char *chromium = system_place("chromium", &none);
	assert_non_null(strstr(chromium, CHROMIUM_FOLDER "/c-ours"));
	assert_null(none);
}

/* Firefox's only profile. */
static bool scans(void) {
	g_autoptr(GPtrArray) profiles =
		profiles_read(browsers_find("firefox"), NULL, &extensions, root);
	assert_int_equal(profiles->len, 1);
	return ((const struct profile *)profiles->pdata[0])->scans;
}

static void who_looks_for_new_extensions_is_told(void **state) {
	(void)state;
	put(home, ".mozilla/firefox/profiles.ini", "[Profile0]\nPath=a\n[Profile1]\nPath=gone\n");
	put(home, ".mozilla/firefox/a/extensions.json", "{}");
	assert_false(scans());
	put(root, "etc/firefox/webext-portlight.js",
		"pref(\"extensions.startupScanScopes\", 8);\n");
	assert_false(scans()); /* of a Firefox that may be another one */
	put(home, ".mozilla/firefox/a/compatibility.ini",
		"[Compatibility]\nLastPlatformDir=/usr/lib/firefox\n");
	assert_true(scans());
	put(root, "etc/firefox/webext-portlight.js",
		"// pref(\"extensions.startupScanScopes\", 8);\n");
	assert_false(scans());
	put(root, "usr/lib/firefox/defaults/pref/a.js",
		"  pref( \"extensions.startupScanScopes\" , 15 );\n");
	assert_true(scans());
	put(home, ".mozilla/firefox/a/prefs.js",
		"user_pref(\"extensions.startupScanScopes\", 0);\n");
	assert_false(scans());
}

static void there_is_a_limit(void **state) {
	(void)state;
	for (unsigned i = 0; i < PROFILES_MAX + 5; i++) {
		g_autofree char *path =
			g_strdup_printf(".config/chromium/Profile %u/Preferences", i);
		put(home, path, "{}");
	}
	g_autoptr(GPtrArray) profiles =
		profiles_read(browsers_find("chromium"), NULL, &extensions, root);
	assert_int_equal(profiles->len, PROFILES_MAX);
	for (guint i = 0; i < profiles->len; i++) {
		const struct profile *profile = profiles->pdata[i];
		assert_int_equal(profile->state, PROFILE_WITHOUT);
	}
}

static int set_up(void **state) {
	(void)state;
	root = g_dir_make_tmp("portlight-profiles-XXXXXX", NULL);
	home = g_build_filename(root, "home", NULL);
	assert_true(g_setenv("HOME", home, TRUE));
	g_unsetenv("XDG_CONFIG_HOME");
	extensions_init(&extensions);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	char *argv[] = {"rm", "-rf", root, NULL};
	assert_true(g_spawn_sync(
		NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
	extensions_finish(&extensions);
	g_free(home);
	g_free(root);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_s_folders_are_read),
		cmocka_unit_test(who_looks_for_new_extensions_is_told),
		cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
