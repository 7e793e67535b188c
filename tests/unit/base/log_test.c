#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Runs `body` with stderr in a pipe and gives what it wrote, NUL-terminated, in `out`. */
static void capture_stderr(void (*body)(void), char *out, size_t size) {
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	body();
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	(void)close(ends[1]);
	size_t used = 0;
	ssize_t got = 0;
	while (used + 1 < size && (got = read(ends[0], out + used, size - used - 1)) > 0) {
		used += (size_t)got;
	}
	out[used] = '\0';
	(void)close(ends[0]);
}

static void write_three_levels(void) {
	log_error("code %d", 7);
	log_warning("careful");
	log_info("hidden");
}

static void a_line_names_program_and_level(void **state) {
	(void)state;
	char out[2048];
	(void)unsetenv("PORTLIGHT_LOG");
	log_init("portlight-test", LOG_WARNING);
	capture_stderr(write_three_levels, out, sizeof(out));
	char wanted[256];
	(void)snprintf(wanted, sizeof(wanted),
		"portlight-test[%d] error: code 7\nportlight-test[%d] warning: careful\n",
		(int)getpid(), (int)getpid());
	assert_string_equal(out, wanted);
}

static void the_environment_sets_the_level(void **state) {
	(void)state;
	char out[2048];
	(void)setenv("PORTLIGHT_LOG", "error", 1);
	log_init("portlight-test", LOG_DEBUG);
	capture_stderr(write_three_levels, out, sizeof(out));
	assert_non_null(strstr(out, "error: code 7"));
	assert_null(strstr(out, "careful"));
	(void)unsetenv("PORTLIGHT_LOG");
}

static void write_a_long_line(void) {
	char text[4000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
}

static void a_long_line_is_cut_and_still_ends(void **state) {
	(void)state;
	char out[8192];
	log_init("portlight-test", LOG_WARNING);
	capture_stderr(write_a_long_line, out, sizeof(out));
	size_t length = strlen(out);
	assert_in_range(length, 512, 1024);
	assert_int_equal(out[length - 1], '\n');
}

static void cleanup_closes_and_frees(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	{
		cleanup_fd int closed = ends[0];
		cleanup_fd int kept = ends[1];
		cleanup_free char *text = strdup("freed, or the leak sanitizer says so");
		assert_non_null(text);
		assert_int_equal(steal_fd(&kept), ends[1]);
		assert_int_equal(kept, -1);
		assert_true(closed >= 0);
	}
	assert_int_equal(close(ends[0]), -1);
	assert_int_equal(close(ends[1]), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_program_and_level),
		cmocka_unit_test(the_environment_sets_the_level),
		cmocka_unit_test(a_long_line_is_cut_and_still_ends),
		cmocka_unit_test(cleanup_closes_and_frees),
	};
	return cmocka_run_group_tests_name("base/log and base/cleanup", tests, NULL, NULL);
}
