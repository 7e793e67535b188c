#include "unit.h"

#include <glib.h>
#include <string.h>

#include "record/progress.h"

static void assert_time(int64_t us, const char *expected) {
	const struct progress progress = {0};
	g_autofree char *line = progress_format(&progress, us, 0, 0);
	assert_true(g_str_has_prefix(line, expected));
	assert_int_equal(line[strlen(expected)], ' ');
}

static void times_read_as_clocks_do(void **state) {
	(void)state;
	assert_time(0, "0:00");
	assert_time(5999999, "0:05");
	assert_time(INT64_C(754000000), "12:34");
	assert_time(INT64_C(3599999999), "59:59");
	assert_time(INT64_C(3600000000), "1:00:00");
	assert_time(INT64_C(360000000000), "100:00:00");
}

static void assert_line(const struct progress *progress, int64_t elapsed_us, uint64_t frames,
	const char *expected) {
	g_autofree char *line = progress_format(progress, elapsed_us, frames, 1500000);
	assert_string_equal(line, expected);
}

static void the_rate_is_that_of_the_last_two_seconds(void **state) {
	(void)state;
	struct progress progress = {0};
	assert_line(&progress, 0, 0, "0:00  0 frames  1.5\u00a0MB  0 fps  (Ctrl-C ends)");
	uint64_t frames = 0;
	int64_t now_us = INT64_C(70000000);
	for (int i = 0; i < 20; i++) { /* 40 a second */
		progress_update(&progress, now_us, frames, 0);
		now_us += 250000;
		frames += 10;
	}
	assert_line(
		&progress, 5000000, 190, "0:05  190 frames  1.5\u00a0MB  40 fps  (Ctrl-C ends)");
	for (int i = 0; i < 8; i++) { /* then nothing moves */
		progress_update(&progress, now_us, frames, 0);
		now_us += 250000;
	}
	assert_line(&progress, 7000000, 200, "0:07  200 frames  1.5\u00a0MB  0 fps  (Ctrl-C ends)");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_read_as_clocks_do),
		cmocka_unit_test(the_rate_is_that_of_the_last_two_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
