/* Cleaned text, and base64 at its edges. */
#include "unit.h"

#include <string.h>

#include "wire/text.h"

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
		cmocka_unit_test(cleaning_leaves_printable_text),
		cmocka_unit_test(base64_is_the_standards),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
