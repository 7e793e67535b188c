/* UTF-8 and base64 at their edges. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

static void well_formed_text_passes(void **state) {
	(void)state;
	const char *texts[] = {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x96\xa5z"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(text_is_utf8(texts[i], strlen(texts[i])));
	}
	assert_true(text_is_utf8("a\0b", 3));
}

static void malformed_text_does_not(void **state) {
	(void)state;
	const char *texts[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
		"\xe0\x9f\xbf", "\xe1\x80", "\xe1\x80\x41", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe",
		"\xff", "good\xff", "\xf0\x90\x80\x41"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* On the heap without a terminator, so that the sanitizer sees a read past the end.
		 */
		size_t length = strlen(texts[i]);
		char *copy = malloc(length);
		assert_non_null(copy);
		memcpy(copy, texts[i], length);
		assert_false(text_is_utf8(copy, length));
		free(copy);
	}
}

static void cleaning_leaves_printable_text(void **state) {
	(void)state;
	char text[] = "a\xff\xc3\xa9\n\xe2\x82\x1b\x7f.";
	text_clean(text);
	assert_string_equal(text, "a?\xc3\xa9?????.");
	char empty[] = "";
	text_clean(empty);
	assert_string_equal(empty, "");
}

static void assert_base64(const char *data, const char *expected) {
	char out[64];
	memset(out, '#', sizeof(out));
	size_t length = text_base64_length(strlen(data));
	text_base64((const uint8_t *)data, strlen(data), out);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(out, expected, length);
	assert_int_equal(out[length], '#');
}

/* The vectors of RFC 4648. */
static void base64_is_the_standards(void **state) {
	(void)state;
	assert_base64("", "");
	assert_base64("f", "Zg==");
	assert_base64("fo", "Zm8=");
	assert_base64("foo", "Zm9v");
	assert_base64("foob", "Zm9vYg==");
	assert_base64("fooba", "Zm9vYmE=");
	assert_base64("foobar", "Zm9vYmFy");
	assert_base64("\xfb\xff\xfe\xff\xff\xff", "+//+////");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_passes),
		cmocka_unit_test(malformed_text_does_not),
		cmocka_unit_test(cleaning_leaves_printable_text),
		cmocka_unit_test(base64_is_the_standards),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
