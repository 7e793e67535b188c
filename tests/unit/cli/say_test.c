/* What the command quotes of other programs reaches the terminal as words alone. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"

static void what_is_quoted_is_clean(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int before = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	say_error(ERROR_PORTAL_ERROR, "\x1b]0;owned\x07 \xff and\nmore \xc3\xa9");
	(void)fflush(stderr);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	char text[1024] = "";
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "(?]0;owned? ? and?more \xc3\xa9)\n"));
	(void)close(before);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_quoted_is_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
