/* Which origins may have a grant. */
#include "unit.h"

#include <string.h>

#include "wire/origin.h"

static bool valid(const char *text) {
	return origin_is_valid(text, strlen(text));
}

static void secure_origins_are_taken(void **state) {
	(void)state;
	assert_true(valid("https://meet.example.org"));
	assert_true(valid("https://xn--bcher-kva.example:8443"));
	assert_true(valid("https://192.168.0.1"));
	assert_true(valid("https://[2001:db8::1]:1"));
	assert_true(valid("http://localhost"));
	assert_true(valid("http://localhost:3000"));
	assert_true(valid("http://a.b.localhost:3000"));
	assert_true(valid("http://127.0.0.1:65535"));
	assert_true(valid("http://[::1]:80"));
}

static void all_else_is_refused(void **state) {
	(void)state;
	static const char *const texts[] = {
		"",
		"null",
		"https://",
		"https://:443",
		"https://a.example:",
		"https://a.example:123456",
		"https://a.example/",
		"https://a.example/path",
		"https://user@a.example",
		"https://A.example",
		"https://a.example\t",
		"https://a.example\nhttps://b.example",
		"https://[::1",
		"https://[]",
		"https://[::1]x",
		"https://[::g]",
		"http://a.example",
		"http://localhost.a.example",
		"http://notlocalhost",
		"http://.localhost.",
		"http://127.0.0.2",
		"ftp://localhost",
		"chrome-extension://dmefmpejkcdmdoopbohfmhdjieggcbbo",
		"file://",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (valid(texts[i])) {
			fail_msg("%s was taken", texts[i]);
		}
	}
}

static void the_length_is_bounded(void **state) {
	(void)state;
	char text[ORIGIN_MAX + 2];
	memset(text, 'a', sizeof(text));
	memcpy(text, "https://", 8);
	assert_true(origin_is_valid(text, ORIGIN_MAX));
	assert_false(origin_is_valid(text, ORIGIN_MAX + 1));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secure_origins_are_taken),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(the_length_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
