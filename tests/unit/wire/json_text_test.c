#include <string.h>

#include "unit.h"
#include "wire/json_text.h"
#include "wire/text.h"

/* Latin, the euro sign, and a character beyond U+FFFF. */
#define BEYOND_ASCII "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"

static void test_text_beyond_ascii(void **state) {
	static const char text[] = "{\"" BEYOND_ASCII "\":[\"" BEYOND_ASCII "\",\"\\\\u00e4\"]} \n";
	enum json_tokener_error error = json_tokener_error_parse_eof;
	struct json_object *value = json_text_parse(text, strlen(text), 4, &error);
	assert_int_equal(error, json_tokener_success);
	struct json_object *list = json_object_object_get(value, BEYOND_ASCII);
	assert_string_equal(
		json_object_get_string(json_object_array_get_idx(list, 0)), BEYOND_ASCII);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(list, 1)), "\\u00e4");
	json_object_put(value);
	char *escaped = text_escape(BEYOND_ASCII, strlen(BEYOND_ASCII));
	assert_string_equal(escaped, "\\u00e4 \\u20ac \\ud83d\\ude00");
	free(escaped);
	assert_null(text_escape("ASCII", 5));
}

static void test_strict(void **state) {
	static const struct {
		const char *text;
		size_t length;
	} bad[] = {
		{"", 0},
		{"{\"a\":1", 6},
		{"{\"a\":1,}", 9},
		{"['a']", 5},
		{"{\"a\":1}x", 8},
		{"{\"a\":1}\0", 8},
		{"{\"\xc3\xa4\":1}\0x", 10},
		{"[\"\0\"]", 5},
		{"\xc3\xa4", 2},
		{"[[[[[1]]]]]", 11},
		{"[01]", 4},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum json_tokener_error error = json_tokener_success;
		struct json_object *value = json_text_parse(bad[i].text, bad[i].length, 4, &error);
		if (value != NULL || error == json_tokener_success) {
			fail_msg("%zu, %s, passed", i, bad[i].text);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_beyond_ascii),
		cmocka_unit_test(test_strict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
