#include "tool/suggest.h"

#include <string.h>

#include "unit.h"

static const char *const words[] = {
	"record", "doctor", "install", "uninstall", "grants", "help", "chrome", "chromium", NULL};

static void assert_suggests(const char *word, const char *expected) {
	const char *got = suggest(word, words);
	if (expected == NULL) {
		assert_null(got);
	} else {
		assert_non_null(got);
		assert_string_equal(got, expected);
	}
}

static void a_slip_finds_its_word(void **state) {
	assert_suggests("recrod", "record");
	assert_suggests("docter", "doctor");
	assert_suggests("instal", "install");
	assert_suggests("uninstal", "uninstall");
	assert_suggests("unistall", "uninstall");
	assert_suggests("grant", "grants");
	assert_suggests("hlep", "help");
	assert_suggests("crhomuim", "chromium");
	assert_suggests("chrom", "chrome");
}

static void case_does_not_matter(void **state) {
	assert_suggests("Chrome", "chrome");
	assert_suggests("DOCTER", "doctor");
}

static void a_word_that_is_near_none_finds_none(void **state) {
	assert_suggests("", NULL);
	assert_suggests("x", NULL);
	assert_suggests("share", NULL);
	assert_suggests("/bin/ls", NULL);
	const char *const none[] = {NULL};
	assert_null(suggest("record", none));
}

static void huge_words_are_near_none(void **state) {
	char huge[4096];
	memset(huge, 'r', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_suggests(huge, NULL);
	const char *const long_words[] = {huge, "rr", NULL};
	assert_string_equal(suggest("rrr", long_words), "rr");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_finds_its_word),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(a_word_that_is_near_none_finds_none),
		cmocka_unit_test(huge_words_are_near_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
