#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/say.h"

struct named_error {
	enum error_code code;
	const char *dom_name;
};

static const struct named_error catalogue[] = {
#define ERROR(name, code, dom_name, message, remedy) {ERROR_##name, dom_name},
#include "wire/errors.def"
#undef ERROR
};

/* What a page does not see as an error is none in a terminal either, and the other way round. */
static void what_is_no_error_ends_well(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++) {
		bool failure = catalogue[i].dom_name[0] != '\0';
		if ((say_exit_status(catalogue[i].code) != EXIT_DONE) != failure) {
			fail_msg("%s", error_code_string(catalogue[i].code));
		}
	}
}

static void the_kinds_of_error_differ(void **state) {
	(void)state;
	assert_int_equal(say_exit_status(ERROR_DENIED), EXIT_REFUSED);
	assert_int_equal(say_exit_status(ERROR_PORTAL_MISSING), EXIT_DESKTOP);
	assert_int_equal(say_exit_status(ERROR_BUS_LOST), EXIT_DESKTOP);
	assert_int_equal(say_exit_status(ERROR_HELPER_CRASHED), EXIT_CAPTURE);
	assert_int_equal(say_exit_status(ERROR_REGION_OUTSIDE), EXIT_USAGE);
	assert_int_equal(say_exit_status(ERROR_PIPEWIRE_LOST), EXIT_CAPTURE);
}

/* Gives what say_error() writes to stderr. */
static void hear(enum error_code code, const char *detail, char *out, size_t size) {
	FILE *file = tmpfile();
	assert_non_null(file);
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	(void)fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	say_error(code, detail);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

static void an_error_comes_with_its_remedy(void **state) {
	(void)state;
	char text[1024];
	hear(ERROR_DENIED, NULL, text, sizeof(text));
	assert_string_equal(text, "portlight: The user declined to share.\n"
				  "  Ask again and choose a screen or a window in the dialog.\n");
}

static void a_detail_is_told(void **state) {
	(void)state;
	char text[1024];
	hear(ERROR_FORMAT_UNSUPPORTED, "offered: YUY2", text, sizeof(text));
	assert_non_null(strstr(text, "can read. (offered: YUY2)\n"));
}

/* What is quoted of other programs reaches the terminal as words alone. */
static void a_detail_steers_no_terminal(void **state) {
	(void)state;
	char text[1024];
	hear(ERROR_PORTAL_ERROR, "\x1b]0;owned\x07 \xff and\nmore \xc3\xa9", text, sizeof(text));
	assert_non_null(strstr(text, "(?]0;owned? ? and?more \xc3\xa9)\n"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_error_ends_well),
		cmocka_unit_test(the_kinds_of_error_differ),
		cmocka_unit_test(an_error_comes_with_its_remedy),
		cmocka_unit_test(a_detail_is_told),
		cmocka_unit_test(a_detail_steers_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
