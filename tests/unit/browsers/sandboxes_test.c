#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "browsers/sandboxes.h"

static char *root;

static const struct sandboxed *find(const char *id) {
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		if (strcmp(one->id, id) == 0) {
			return one;
		}
	}
	fail_msg("no browser %s", id);
	return NULL;
}

static void make(const char *path) {
	g_autofree char *folder = g_build_filename(root, path, NULL);
	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
}

static void every_row_names_a_known_browser(void **state) {
	(void)state;
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		assert_non_null(browsers_find(one->browser));
	}
}

static void installed_is_told_from_has_run(void **state) {
	(void)state;
	static const struct {
		const char *id;
		const char *data;
		const char *program;
	} cases[] = {
		{"org.mozilla.firefox", "home/.var/app/org.mozilla.firefox",
			"var/lib/flatpak/app/org.mozilla.firefox"},
		{"com.google.Chrome", "home/.var/app/com.google.Chrome",
			"home/.local/share/flatpak/app/com.google.Chrome"},
		{"firefox", "home/snap/firefox", "snap/bin/firefox"},
		{"chromium", "home/snap/chromium", "var/lib/snapd/snap/bin/chromium"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct sandboxed *sandboxed = find(cases[i].id);
		assert_int_equal(sandboxes_trace(sandboxed, root), SANDBOXED_ABSENT);
		make(cases[i].data);
		assert_int_equal(sandboxes_trace(sandboxed, root), SANDBOXED_HAS_RUN);
		make(cases[i].program);
		assert_int_equal(sandboxes_trace(sandboxed, root), SANDBOXED_INSTALLED);
	}
}

static void a_flatpak_has_its_own_manifest(void **state) {
	(void)state;
	const struct sandboxed *chrome = find("com.google.Chrome");
	g_autofree char *path = sandboxes_manifest(chrome, browsers_find("chrome"));
	assert_true(g_str_has_suffix(path,
		"home/.var/app/com.google.Chrome/config/google-chrome/NativeMessagingHosts/"
		"org.portlight.host.json"));
	const struct sandboxed *firefox = find("org.mozilla.firefox");
	g_autofree char *other = sandboxes_manifest(firefox, browsers_find("firefox"));
	assert_true(g_str_has_suffix(other,
		"home/.var/app/org.mozilla.firefox/.mozilla/native-messaging-hosts/"
		"org.portlight.host.json"));
}

static void texts_say_what_works_and_what_to_do(void **state) {
	(void)state;
	const struct {
		const char *id;
		enum starter starter;
		const char *text;
		const char *remedy;
	} cases[] = {
		{"firefox", STARTER_THERE, "firefox as a Snap",
			"portlight install --allow snap.firefox"},
		{"firefox", STARTER_MISSING, "can't start the host", "as a package of your system"},
		{"org.mozilla.firefox", STARTER_THERE,
			"firefox as a Flatpak (org.mozilla.firefox) can", NULL},
		{"firefox", STARTER_SILENT, "may be able to start the host", "Log in again"},
		{"org.mozilla.firefox", STARTER_MISSING, "only the browser's own getDisplayMedia",
			"portlight install firefox"},
		{"com.google.Chrome", STARTER_MISSING, "the browser's own dialog",
			"portlight install chrome"},
		{"opera", STARTER_MISSING, "the browser's own dialog",
			"Install opera as a package of your system."},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct sandboxed *sandboxed = find(cases[i].id);
		g_autofree char *text = sandboxes_describe(sandboxed, cases[i].starter);
		g_autofree char *remedy = sandboxes_remedy(sandboxed, cases[i].starter);
		assert_non_null(strstr(text, cases[i].text));
		if (cases[i].remedy == NULL) {
			assert_null(remedy);
		} else {
			assert_non_null(strstr(remedy, cases[i].remedy));
		}
	}
}

int main(void) {
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "sandboxes-XXXXXX", NULL);
	root = g_mkdtemp(template);
	g_autofree char *home = g_build_filename(root, "home", NULL);
	/* Before GLib reads and keeps it. */
	(void)g_setenv("HOME", home, TRUE);
	g_unsetenv("XDG_DATA_HOME");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_names_a_known_browser),
		cmocka_unit_test(installed_is_told_from_has_run),
		cmocka_unit_test(a_flatpak_has_its_own_manifest),
		cmocka_unit_test(texts_say_what_works_and_what_to_do),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_autofree char *remove = g_strdup_printf("rm -r '%s'", root);
	return system(remove) != 0 ? 1 : failed;
}
