#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/output.h"

struct fixture {
	char folder[64];
	char path[96];
};

static int set_up(void **state) {
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/output_test.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/x.webm", fixture->folder);
	*state = fixture;
	return 0;
}

/* How many files the folder holds, hidden ones too. */
static int count_files(const struct fixture *fixture) {
	DIR *folder = opendir(fixture->folder);
	assert_non_null(folder);
	int count = -2; /* . and .. */
	while (readdir(folder) != NULL) {
		count++;
	}
	(void)closedir(folder);
	return count;
}

static int tear_down(void **state) {
	struct fixture *fixture = *state;
	(void)unlink(fixture->path);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static void write_file(const char *path, const char *text) {
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_file(const char *path, const char *text) {
	g_autofree char *content = NULL;
	assert_true(g_file_get_contents(path, &content, NULL, NULL));
	assert_string_equal(content, text);
}

static void record(struct output *output, const char *text) {
	cleanup_fd int fd = output_open(output);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void nothing_is_there_before_it_is_opened(void **state) {
	struct fixture *fixture = *state;
	struct output *output = NULL;
	assert_true(output_create(fixture->path, false, &output));
	assert_int_equal(count_files(fixture), 0);
	record(output, "new");
	assert_true(output_publish(output));
	output_destroy(output);
	assert_file(fixture->path, "new");
	assert_int_equal(count_files(fixture), 1);
}

static void what_is_not_published_leaves_nothing(void **state) {
	struct fixture *fixture = *state;
	struct output *output = NULL;
	assert_true(output_create(fixture->path, false, &output));
	record(output, "new");
	output_destroy(output);
	assert_int_equal(count_files(fixture), 0);
}

static void an_existing_file_is_refused(void **state) {
	struct fixture *fixture = *state;
	write_file(fixture->path, "old");
	struct output *output = NULL;
	assert_false(output_create(fixture->path, false, &output));
	assert_int_equal(errno, EEXIST);
	assert_file(fixture->path, "old");
}

static void a_file_that_appears_meanwhile_is_kept(void **state) {
	struct fixture *fixture = *state;
	struct output *output = NULL;
	assert_true(output_create(fixture->path, false, &output));
	write_file(fixture->path, "old");
	assert_int_equal(output_open(output), -1);
	assert_int_equal(errno, EEXIST);
	output_destroy(output);
	assert_file(fixture->path, "old");
	assert_int_equal(count_files(fixture), 1);
}

static void a_file_is_replaced_once_there_is_something_new(void **state) {
	struct fixture *fixture = *state;
	write_file(fixture->path, "old");
	struct output *output = NULL;
	assert_true(output_create(fixture->path, true, &output));
	record(output, "new");
	assert_file(fixture->path, "old");
	assert_true(output_publish(output));
	assert_file(fixture->path, "new");
	output_destroy(output);
	assert_int_equal(count_files(fixture), 1);
}

static void a_file_is_not_replaced_for_nothing(void **state) {
	struct fixture *fixture = *state;
	write_file(fixture->path, "old");
	struct output *output = NULL;
	assert_true(output_create(fixture->path, true, &output));
	record(output, "new");
	output_destroy(output);
	assert_file(fixture->path, "old");
	assert_int_equal(count_files(fixture), 1);
}

static void replacing_follows_a_link(void **state) {
	struct fixture *fixture = *state;
	char link[128];
	(void)snprintf(link, sizeof(link), "%s/link.webm", fixture->folder);
	write_file(fixture->path, "old");
	assert_int_equal(symlink("x.webm", link), 0);
	struct output *output = NULL;
	assert_true(output_create(link, true, &output));
	record(output, "new");
	assert_true(output_publish(output));
	output_destroy(output);
	struct stat status;
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_file(fixture->path, "new");
	assert_int_equal(unlink(link), 0);
}

static void places_that_can_not_be_are_refused(void **state) {
	struct fixture *fixture = *state;
	struct output *output = NULL;
	char path[128];
	assert_false(output_create(fixture->folder, true, &output));
	assert_int_equal(errno, EISDIR);
	(void)snprintf(path, sizeof(path), "%s/no/x.webm", fixture->folder);
	assert_false(output_create(path, false, &output));
	assert_int_equal(errno, ENOENT);
	const char *const names[] = {"x.mp4", "x", "x.webm.mkv", "webm"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, names[i]);
		assert_false(output_create(path, false, &output));
		assert_int_equal(errno, EMEDIUMTYPE);
		write_file(path, "old");
		assert_false(output_create(path, true, &output));
		assert_int_equal(errno, EMEDIUMTYPE);
		assert_int_equal(unlink(path), 0);
	}
	write_file(fixture->path, "old");
	(void)snprintf(path, sizeof(path), "%s/y.webm", fixture->path);
	assert_false(output_create(path, false, &output));
	assert_int_equal(errno, ENOTDIR);
}

static void a_device_is_written_to_as_it_is(void **state) {
	(void)state;
	struct output *output = NULL;
	assert_true(output_create("/dev/null", false, &output));
	record(output, "new");
	assert_true(output_publish(output));
	output_destroy(output);
	struct stat status;
	assert_int_equal(stat("/dev/null", &status), 0);
	assert_true(S_ISCHR(status.st_mode));
}

static void a_pipe_without_a_reader_is_refused(void **state) {
	struct fixture *fixture = *state;
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	struct output *output = NULL;
	assert_true(output_create(fixture->path, false, &output));
	assert_int_equal(output_open(output), -1);
	assert_int_equal(errno, ENXIO);
	output_destroy(output);
}

static void the_umask_counts(void **state) {
	struct fixture *fixture = *state;
	mode_t before = umask(027);
	struct output *output = NULL;
	assert_true(output_create(fixture->path, false, &output));
	record(output, "new");
	assert_true(output_publish(output));
	output_destroy(output);
	(void)umask(before);
	struct stat status;
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			nothing_is_there_before_it_is_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_not_published_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_existing_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_appears_meanwhile_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_is_replaced_once_there_is_something_new, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_is_not_replaced_for_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replacing_follows_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			places_that_can_not_be_are_refused, set_up, tear_down),
		cmocka_unit_test(a_device_is_written_to_as_it_is),
		cmocka_unit_test_setup_teardown(
			a_pipe_without_a_reader_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_umask_counts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
