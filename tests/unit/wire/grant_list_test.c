/* The text of remembered grants: read back as written, and what is broken in it is left out. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/grant_list.h"

#define A "https://a.example\tmonitor\t100\t200\ttoken-a\n"
#define B "http://localhost:3000\twindow\t300\t300\ttoken-b\n"

static struct grant_list *list;

static int set_up(void **state) {
	(void)state;
	list = calloc(1, sizeof(*list));
	return list == NULL;
}

static int tear_down(void **state) {
	(void)state;
	free(list);
	return 0;
}

static bool parse(const char *text) {
	/* A copy of the exact length: a read past the end is the sanitizer's to see. */
	size_t length = strlen(text);
	char *copy = malloc(length + 1);
	assert_non_null(copy);
	memcpy(copy, text, length + 1);
	bool whole = grant_list_parse(list, copy, length);
	free(copy);
	return whole;
}

static void what_is_written_is_read(void **state) {
	(void)state;
	static const char text[] = "portlight-grants 1 7\n" A B;
	assert_true(parse(text));
	assert_int_equal(list->revocations, 7);
	assert_int_equal(list->count, 2);
	const struct grant *grant = grant_list_find(list, "http://localhost:3000");
	assert_non_null(grant);
	assert_int_equal(grant->surface, PROTOCOL_SURFACE_WINDOW);
	assert_int_equal(grant->since, 300);
	assert_string_equal(grant->token, "token-b");
	assert_int_equal(grant_list_find(list, "https://a.example")->last_used, 200);
	assert_null(grant_list_find(list, "https://b.example"));
	struct bytes out = {0};
	assert_true(grant_list_write(list, &out));
	assert_int_equal(out.length, strlen(text));
	assert_memory_equal(out.data, text, out.length);
	bytes_finish(&out);
}

static void what_is_broken_is_left_out(void **state) {
	(void)state;
	static const char *const lines[] = {
		"\n",
		"https://b.example\n",
		"https://b.example\tmonitor\t1\t2\t\n",
		"https://b.example\tmonitor\t1\t2\ttwo words\n",
		"https://b.example\tmonitor\t1\t2\ttoken\tmore\n",
		"https://b.example\tscreen\t1\t2\ttoken\n",
		"https://b.example\tmonitor\t-1\t2\ttoken\n",
		"https://b.example\tmonitor\t1\t1234567890123456\ttoken\n",
		"http://b.example\tmonitor\t1\t2\ttoken\n",
		"https://a.example\tmonitor\t1\t2\tanother-token-of-the-same\n",
		"\x01\xff\xfe",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), "portlight-grants 1 7\n" A "%s", lines[i]);
		if (parse(text) || list->count != 1 || list->revocations != 7) {
			fail_msg("%s was not left out, or took others with it", lines[i]);
		}
		assert_string_equal(list->grants[0].token, "token-a");
	}
	assert_true(
		parse("portlight-grants 1 7\nhttps://a.example\tmonitor\t1\t2\tcut-off-newline"));
}

static void another_format_is_no_list(void **state) {
	(void)state;
	static const char *const texts[] = {
		"",
		"x",
		"portlight-grants 2 7\n" A,
		"portlight-grants 1 \n" A,
		A,
		"portlight-grants 1 x\n" A,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(parse(texts[i]));
		assert_int_equal(list->count, 0);
	}
}

static void a_later_format_is_known_as_such(void **state) {
	(void)state;
	static const char *const newer[] = {"portlight-grants 2 7\n", "portlight-grants 10\n" A};
	static const char *const others[] = {"", "portlight-grants", "portlight-grants 1 7\n",
		"portlight-grants x 7\n", "portlight-grants 0 7\n", "portlight-other 2 7\n"};
	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
		assert_true(grant_list_is_newer(newer[i]));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(grant_list_is_newer(others[i]));
	}
}

static void a_full_list_gives_up_the_one_unused_for_longest(void **state) {
	(void)state;
	struct grant grant = {.token = "t", .surface = PROTOCOL_SURFACE_MONITOR};
	for (unsigned i = 0; i <= GRANTS_MAX; i++) {
		(void)snprintf(grant.origin, sizeof(grant.origin), "https://s%u.example", i);
		grant.last_used = i == 5 ? 1 : 1000 + (int64_t)i;
		grant_list_put(list, &grant);
	}
	assert_int_equal(list->count, GRANTS_MAX);
	assert_null(grant_list_find(list, "https://s5.example"));
	assert_non_null(grant_list_find(list, "https://s0.example"));
	assert_non_null(grant_list_find(list, "https://s256.example"));
}

static void a_grant_replaces_that_of_its_origin(void **state) {
	(void)state;
	assert_true(parse("portlight-grants 1 7\n" A B));
	struct grant grant = {.origin = "https://a.example", .token = "new"};
	grant_list_put(list, &grant);
	assert_int_equal(list->count, 2);
	assert_string_equal(grant_list_find(list, "https://a.example")->token, "new");
	assert_true(grant_list_remove(list, "https://a.example"));
	assert_false(grant_list_remove(list, "https://a.example"));
	assert_int_equal(list->count, 1);
	assert_string_equal(list->grants[0].token, "token-b");
}

static void tokens_are_bounded(void **state) {
	(void)state;
	char token[GRANT_TOKEN_MAX + 2];
	memset(token, 'x', sizeof(token));
	token[GRANT_TOKEN_MAX + 1] = '\0';
	assert_false(grant_token_is_valid(token));
	token[GRANT_TOKEN_MAX] = '\0';
	assert_true(grant_token_is_valid(token));
	assert_false(grant_token_is_valid(""));
	assert_false(grant_token_is_valid("a b"));
	assert_false(grant_token_is_valid("a\nhttps://b.example"));
	assert_false(grant_token_is_valid("t\xc3\xb6ken"));
}

static void any_text_keeps_its_bounds(void **state) {
	(void)state;
	static const char parts[] = "portlight-grants 1 \n\thttps://a.exmonitor0129\xff";
	srand(1);
	for (int round = 0; round < 2000; round++) {
		char text[400] = "portlight-grants 1 7\n" A;
		size_t start = round % 2 == 0 ? strlen(text) : 0;
		for (size_t i = start; i < sizeof(text) - 1; i++) {
			text[i] = parts[(size_t)rand() % (sizeof(parts) - 1)];
		}
		text[sizeof(text) - 1] = '\0';
		(void)parse(text);
		for (size_t i = 0; i < list->count; i++) {
			assert_true(grant_token_is_valid(list->grants[i].token));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_broken_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_format_is_no_list, set_up, tear_down),
		cmocka_unit_test(a_later_format_is_known_as_such),
		cmocka_unit_test_setup_teardown(
			a_full_list_gives_up_the_one_unused_for_longest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_grant_replaces_that_of_its_origin, set_up, tear_down),
		cmocka_unit_test(tokens_are_bounded),
		cmocka_unit_test_setup_teardown(any_text_keeps_its_bounds, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
