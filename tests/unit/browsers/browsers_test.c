#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "browsers/browsers.h"
#include "config.h"

static struct extensions extensions;

static void every_row_is_complete(void **state) {
	(void)state;
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		g_autofree char *user = browsers_user_path(browser);
		g_autofree char *system = browsers_system_path(browser);
		assert_true(browsers_find(browser->name) != NULL);
		assert_true(g_path_is_absolute(user));
		assert_true(system == NULL || g_path_is_absolute(system));
		assert_true(g_str_has_suffix(user, "/" PORTLIGHT_HOST_NAME ".json"));
		/* `portlight install --system` may make two folders of it. */
		if (browser->for_tool && system != NULL) {
			assert_true(g_str_has_prefix(system, "/etc/opt/") ||
				    g_str_has_prefix(system, "/usr/lib/"));
			assert_string_equal(
				strrchr(browser->system_folder, '/'), "/native-messaging-hosts");
		}
	}
	assert_null(browsers_find("lynx"));
}

static void paths_are_where_the_browsers_look(void **state) {
	(void)state;
	g_autofree char *chromium = browsers_user_path(browsers_find("chromium"));
	assert_string_equal(chromium,
		"/nonexistent/config/chromium/NativeMessagingHosts/" PORTLIGHT_HOST_NAME ".json");
	g_autofree char *firefox = browsers_user_path(browsers_find("firefox"));
	assert_string_equal(firefox,
		"/nonexistent/home/.mozilla/native-messaging-hosts/" PORTLIGHT_HOST_NAME ".json");
	g_autofree char *system = browsers_system_path(browsers_find("chromium"));
	assert_string_equal(
		system, "/etc/chromium/native-messaging-hosts/" PORTLIGHT_HOST_NAME ".json");
	assert_false(browsers_present(browsers_find("chromium")));
}

static void a_manifest_names_host_and_extension(void **state) {
	(void)state;
	static const char *const names[] = {"chromium", "firefox"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct browser *browser = browsers_find(names[i]);
		g_autofree char *manifest =
			browsers_manifest(browser, "/opt/a b/portlight-host", &extensions);
		assert_non_null(strstr(manifest, "\"name\": \"" PORTLIGHT_HOST_NAME "\""));
		assert_null(strstr(manifest, "@EXTENSIONS@"));
		g_autofree char *host = browsers_manifest_host(manifest);
		assert_string_equal(host, "/opt/a b/portlight-host");
		assert_null(browsers_manifest_lacks(browser, manifest, &extensions));
	}
	g_autofree char *other = browsers_manifest(browsers_find("firefox"), "/x", &extensions);
	assert_non_null(browsers_manifest_lacks(browsers_find("chromium"), other, &extensions));
}

static void a_manifest_names_every_extension(void **state) {
	(void)state;
	const struct browser *browser = browsers_find("firefox");
	g_autofree char *one = browsers_manifest(browser, "/x", &extensions);
	struct extensions more;
	extensions_init(&more);
	g_ptr_array_add(more.names[BROWSER_FIREFOX], g_strdup("{other}"));
	assert_string_equal(browsers_manifest_lacks(browser, one, &more), "{other}");
	g_autofree char *two = browsers_manifest(browser, "/x", &more);
	assert_null(browsers_manifest_lacks(browser, two, &more));
	assert_non_null(strstr(two, "[\"portlight@portlight\", \"{other}\"]"));
	extensions_finish(&more);
}

static void odd_paths_survive_the_manifest(void **state) {
	(void)state;
	static const char path[] = "/opt/\"quoted\" \\ back/@NAME@/\xc3\xa9/portlight-host";
	g_autofree char *manifest = browsers_manifest(browsers_find("chromium"), path, &extensions);
	g_autofree char *host = browsers_manifest_host(manifest);
	assert_string_equal(host, path);
	assert_null(browsers_manifest(
		browsers_find("chromium"), "/opt/\xff/portlight-host", &extensions));
}

static void other_texts_name_no_host(void **state) {
	(void)state;
	assert_null(browsers_manifest_host(""));
	assert_null(browsers_manifest_host("{\"name\": \"" PORTLIGHT_HOST_NAME "\", \"path\": 5}"));
	assert_null(browsers_manifest_host("{\"path\": \"/x\"}"));
	assert_null(browsers_manifest_host("{\"name\": \"other\", \"path\": \"/x\"}"));
	assert_null(browsers_manifest_host("\xff\xfe"));
}

int main(void) {
	/* Before GLib reads and keeps them. */
	(void)g_setenv("HOME", "/nonexistent/home", TRUE);
	(void)g_setenv("XDG_CONFIG_HOME", "/nonexistent/config", TRUE);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(paths_are_where_the_browsers_look),
		cmocka_unit_test(a_manifest_names_host_and_extension),
		cmocka_unit_test(a_manifest_names_every_extension),
		cmocka_unit_test(odd_paths_survive_the_manifest),
		cmocka_unit_test(other_texts_name_no_host),
	};
	extensions_init(&extensions);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	extensions_finish(&extensions);
	return failed;
}
