/* Which extensions the host answers: what is read of the files, and what is left out. */
#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/extensions.h"

#define CHROMIUM "dmefmpejkcdmdoopbohfmhdjieggcbbo"
#define OTHER "abcdefghijklmnopabcdefghijklmnop"
#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define UUID "{8B93d62b-0ae2-4f4b-8c3a-000000000000}"

static char *folder;
static char *file;

static void load(struct extensions *extensions) {
	extensions_init(extensions);
	extensions_add_file(extensions, file);
}

static void begin(struct extensions *extensions, const void *text, size_t length) {
	assert_true(g_file_set_contents(file, text, (gssize)length, NULL));
	load(extensions);
}

static bool chromium(const struct extensions *extensions, const char *id) {
	g_autofree char *name = g_strdup_printf("chrome-extension://%s/", id);
	return extensions_have(extensions, BROWSER_CHROMIUM, name);
}

static bool firefox(const struct extensions *extensions, const char *id) {
	return extensions_have(extensions, BROWSER_FIREFOX, id);
}

static size_t count(const struct extensions *extensions) {
	return extensions->names[BROWSER_CHROMIUM]->len + extensions->names[BROWSER_FIREFOX]->len;
}

/* The only problem is `why`, which may be cut short. */
static void assert_problem(const struct extensions *extensions, const char *why) {
	assert_int_equal(extensions->problems->len, 1);
	const char *problem = extensions->problems->pdata[0];
	assert_true(g_str_has_prefix(problem, file));
	assert_true(g_str_has_prefix(problem + strlen(file), why));
}

static void the_built_in_ones_are_whole(void **state) {
	(void)state;
	struct extensions extensions;
	extensions_init(&extensions);
	assert_int_equal(extensions.problems->len, 0);
	assert_true(chromium(&extensions, CHROMIUM));
	assert_true(firefox(&extensions, "portlight@portlight"));
	assert_false(chromium(&extensions, OTHER));
	assert_false(firefox(&extensions, CHROMIUM));
	extensions_finish(&extensions);
}

static void a_file_adds_to_them(void **state) {
	(void)state;
	static const char text[] =
		"# Mine.\r\n\r\n chromium\t" OTHER "\r\nfirefox " UUID " # theirs\n"
		"firefox name@example.org\nfirefox @x\n"
		"chromium " CHROMIUM "\nfirefox " UUID;
	struct extensions extensions;
	begin(&extensions, text, strlen(text));
	assert_int_equal(extensions.problems->len, 0);
	assert_true(chromium(&extensions, CHROMIUM));
	assert_true(chromium(&extensions, OTHER));
	assert_true(firefox(&extensions, UUID));
	assert_true(firefox(&extensions, "name@example.org"));
	assert_true(firefox(&extensions, "@x"));
	/* Twice is once. */
	assert_int_equal(count(&extensions), 6);
	extensions_finish(&extensions);
}

static void a_bad_line_is_left_out_alone(void **state) {
	(void)state;
	static const char *const lines[] = {"chromium", "firefox", OTHER, "safari name@example.org",
		"Chromium " OTHER, "chromium " OTHER " " OTHER, "chromium " OTHER "a",
		"chromium abcdefghijklmnopabcdefghijklmno",
		"chromium ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP",
		"chromium abcdefghijklmnopabcdefghijklmnoq", "chromium name@example.org",
		"firefox " OTHER, "firefox {not-a-uuid}", "firefox a@", "firefox a@b@c",
		"firefox a\"@b", "firefox a\\@b", "firefox a\1@b", "firefox \xc3\xa9@b",
		"firefox a@\xff", "firefox a,b@c", "\357\273\277firefox a@b",
		"firefox " A40 A40 "@"};
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct extensions extensions;
		g_autofree char *text = g_strdup_printf("#\n%s\nfirefox good@b\n", lines[i]);
		begin(&extensions, text, strlen(text));
		assert_problem(&extensions, ":2: a");
		assert_int_equal(count(&extensions), 3);
		assert_true(firefox(&extensions, "good@b"));
		extensions_finish(&extensions);
	}
}

static void a_file_without_lines_is_fine(void **state) {
	(void)state;
	struct extensions extensions;
	begin(&extensions, "", 0);
	assert_int_equal(extensions.problems->len, 0);
	(void)g_unlink(file);
	extensions_add_file(&extensions, file);
	assert_int_equal(extensions.problems->len, 0);
	assert_int_equal(count(&extensions), 2);
	extensions_finish(&extensions);
}

static void a_long_list_ends_at_its_bound(void **state) {
	(void)state;
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		g_string_append_printf(text, "firefox %u@b\n", i);
	}
	struct extensions extensions;
	begin(&extensions, text->str, text->len);
	assert_problem(&extensions, ":64: there are too many");
	assert_int_equal(extensions.names[BROWSER_FIREFOX]->len, EXTENSIONS_MAX);
	extensions_finish(&extensions);
	g_string_free(text, TRUE);
}

static void noise_is_told_of_once(void **state) {
	(void)state;
	static char text[EXTENSIONS_FILE_MAX + 1];
	struct extensions extensions;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)(rand() % 255 + 1);
	}
	begin(&extensions, text, EXTENSIONS_FILE_MAX);
	assert_in_range(extensions.problems->len, 1, EXTENSIONS_PROBLEMS_MAX + 1);
	assert_int_equal(count(&extensions), 2);
	extensions_finish(&extensions);

	memset(text, '\n', sizeof(text));
	begin(&extensions, text, EXTENSIONS_FILE_MAX);
	assert_int_equal(extensions.problems->len, 0);
	extensions_finish(&extensions);
	begin(&extensions, text, sizeof(text));
	assert_problem(&extensions, ": is not text, or longer");
	extensions_finish(&extensions);

	begin(&extensions, "firefox a@b\n\0", 13);
	assert_problem(&extensions, ": is not text, or longer");
	assert_false(firefox(&extensions, "a@b"));
	extensions_finish(&extensions);
}

static void what_is_no_file_is_left_out(void **state) {
	(void)state;
	static const char text[] = "firefox a@b\n";
	g_autofree char *other = g_build_filename(folder, "other", NULL);
	struct extensions extensions;
	begin(&extensions, text, strlen(text));
	assert_int_equal(g_rename(file, other), 0);
	assert_int_equal(symlink(other, file), 0);
	extensions_finish(&extensions);
	load(&extensions);
	assert_true(firefox(&extensions, "a@b"));
	extensions_finish(&extensions);

	(void)g_unlink(other);
	load(&extensions);
	assert_problem(&extensions, ": No such file");
	extensions_finish(&extensions);
	(void)g_unlink(file);

	assert_int_equal(g_mkdir(file, 0700), 0);
	load(&extensions);
	assert_problem(&extensions, ": is not a file");
	extensions_finish(&extensions);
	(void)g_rmdir(file);

	assert_int_equal(mkfifo(file, 0600), 0);
	load(&extensions);
	assert_problem(&extensions, ": is not a file");
	extensions_finish(&extensions);
	(void)g_unlink(file);
}

static void what_others_can_write_is_left_out(void **state) {
	(void)state;
	static const char text[] = "firefox a@b\n";
	struct extensions extensions;
	begin(&extensions, text, strlen(text));
	extensions_finish(&extensions);
	assert_int_equal(chmod(file, 0666), 0);
	load(&extensions);
	assert_problem(&extensions, ": others can change it");
	assert_false(firefox(&extensions, "a@b"));
	extensions_finish(&extensions);

	assert_int_equal(chmod(file, 0000), 0);
	load(&extensions);
	if (geteuid() != 0) {
		assert_problem(&extensions, ": Permission denied");
		extensions_finish(&extensions);
		return;
	}
	/* Root reads everything, and can give its file away. */
	assert_true(firefox(&extensions, "a@b"));
	extensions_finish(&extensions);
	assert_int_equal(chown(file, 12345, 12345), 0);
	load(&extensions);
	assert_problem(&extensions, ": others can change it");
	assert_false(firefox(&extensions, "a@b"));
	extensions_finish(&extensions);
}

int main(void) {
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "extensions-XXXXXX", NULL);
	folder = g_mkdtemp(template);
	file = g_build_filename(folder, "extensions", NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_built_in_ones_are_whole),
		cmocka_unit_test(a_file_adds_to_them),
		cmocka_unit_test(a_bad_line_is_left_out_alone),
		cmocka_unit_test(a_file_without_lines_is_fine),
		cmocka_unit_test(a_long_list_ends_at_its_bound),
		cmocka_unit_test(noise_is_told_of_once),
		cmocka_unit_test(what_is_no_file_is_left_out),
		cmocka_unit_test(what_others_can_write_is_left_out),
	};
	int failed = cmocka_run_group_tests_name("extensions", tests, NULL, NULL);
	(void)g_unlink(file);
	(void)g_rmdir(folder);
	g_free(file);
	return failed;
}
