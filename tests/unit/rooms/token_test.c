#include "rooms/session/token.h"

#include <stdio.h>
#include <string.h>

#include "rooms/wire/base64url.h"
#include "unit.h"

static const uint8_t key[] = "an example's key";
static const uint8_t other_key[] = "another one's ke";

static struct token_claims claims_of(const char *room, int64_t expires, uint8_t nonce) {
	struct token_claims claims = {.role = WIRE_PUBLISHER, .expires = expires, .nonce = {nonce}};
	(void)snprintf(claims.room, sizeof(claims.room), "%s", room);
	(void)snprintf(claims.nickname, sizeof(claims.nickname), "Zo\xc3\xab");
	(void)snprintf(claims.data, sizeof(claims.data), "{\"seat\":4}");
	return claims;
}

static void test_round_trip(void **state) {
	struct tokens *tokens = tokens_create(key, 16);
	struct token_claims claims = claims_of("room-1", 5000, 1);
	struct token_claims read;
	char text[TOKEN_TEXT_MAX];
	assert_true(token_issue(tokens, &claims, text));
	assert_int_equal(token_check(tokens, text, "room-1", 4999, &read), ROOMS_ERROR_NONE);
	assert_string_equal(read.room, "room-1");
	assert_string_equal(read.nickname, "Zo\xc3\xab");
	assert_string_equal(read.data, "{\"seat\":4}");
	assert_int_equal(read.role, WIRE_PUBLISHER);
	assert_int_equal(read.expires, 5000);
	assert_int_equal(
		token_check(tokens, text, "room-1", 5000, &read), ROOMS_ERROR_TOKEN_EXPIRED);
	assert_int_equal(token_check(tokens, text, "room-2", 0, &read), ROOMS_ERROR_TOKEN_ROOM);
	token_spend(tokens, &read, 0);
	assert_int_equal(token_check(tokens, text, "room-1", 0, &read), ROOMS_ERROR_TOKEN_USED);
	struct tokens *others = tokens_create(other_key, 16);
	assert_int_equal(token_check(others, text, "room-1", 0, &read), ROOMS_ERROR_BAD_TOKEN);
	tokens_destroy(others);
	(void)snprintf(claims.data, sizeof(claims.data), "\xff");
	assert_false(token_issue(tokens, &claims, text));
	tokens_destroy(tokens);
	tokens_destroy(NULL);
}

/* The largest claims fit. */
static void test_largest(void **state) {
	struct tokens *tokens = tokens_create(key, 16);
	struct token_claims claims = {.role = WIRE_MODERATOR, .expires = INT64_MAX};
	struct token_claims read;
	memset(claims.room, 'r', TOKEN_ROOM_MAX);
	memset(claims.nickname, 'n', TOKEN_NICKNAME_MAX);
	memset(claims.data, 'd', TOKEN_DATA_MAX);
	memset(claims.nonce, 0xff, sizeof(claims.nonce));
	char text[TOKEN_TEXT_MAX];
	assert_true(token_issue(tokens, &claims, text));
	assert_int_equal(token_check(tokens, text, claims.room, 1, &read), ROOMS_ERROR_NONE);
	assert_memory_equal(read.data, claims.data, sizeof(read.data));
	tokens_destroy(tokens);
}

/* No character can be changed, dropped or added. */
static void test_every_alteration_is_seen(void **state) {
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= ";
	struct tokens *tokens = tokens_create(key, 16);
	struct token_claims claims = claims_of("r", 5000, 1);
	struct token_claims read;
	char text[TOKEN_TEXT_MAX];
	char altered[TOKEN_TEXT_MAX + 2];
	assert_true(token_issue(tokens, &claims, text));
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++) {
		memcpy(altered, text, length + 1);
		for (const char *letter = letters; *letter != '\0'; letter++) {
			altered[i] = *letter;
			enum rooms_error error = token_check(tokens, altered, "r", 0, &read);
			assert_int_equal(error,
				*letter == text[i] ? ROOMS_ERROR_NONE : ROOMS_ERROR_BAD_TOKEN);
		}
		memcpy(altered, text, i);
		strcpy(altered + i, text + i + 1);
		assert_int_equal(
			token_check(tokens, altered, "r", 0, &read), ROOMS_ERROR_BAD_TOKEN);
		altered[i] = '\0';
		assert_int_equal(
			token_check(tokens, altered, "r", 0, &read), ROOMS_ERROR_BAD_TOKEN);
	}
	(void)snprintf(altered, sizeof(altered), "%sA", text);
	assert_int_equal(token_check(tokens, altered, "r", 0, &read), ROOMS_ERROR_BAD_TOKEN);
	tokens_destroy(tokens);
}

/* Used tokens are remembered until they expire, whatever the order, and no longer. */
static void test_memory_of_used(void **state) {
	struct tokens *tokens = tokens_create(key, 16);
	static const int64_t expiries[] = {300, 100, 500, 200, 400};
	for (uint8_t i = 0; i < 5; i++) {
		struct token_claims claims = claims_of("r", expiries[i], i);
		token_spend(tokens, &claims, 0);
		token_spend(tokens, &claims, 0);
	}
	assert_int_equal(tokens_spent(tokens), 5);
	for (int64_t now = 100; now <= 500; now += 100) {
		struct token_claims claims = claims_of("r", 1000, 9);
		token_spend(tokens, &claims, now);
		assert_int_equal(tokens_spent(tokens), 5 - now / 100 + 1);
	}
	tokens_destroy(tokens);
}

static void test_secret_equal(void **state) {
	assert_true(secret_equal("", 0, "", 0));
	assert_true(secret_equal("abc", 3, "abc", 3));
	assert_false(secret_equal("abc", 3, "abd", 3));
	assert_false(secret_equal("abc", 3, "ab", 2));
	assert_false(secret_equal("ab", 2, "abc", 3));
	assert_false(secret_equal("abc", 3, "", 0));
	assert_false(secret_equal("", 0, "a", 1));
}

static void test_base64url(void **state) {
	uint8_t bytes[8];
	uint8_t read[8];
	char text[16];
	size_t count = 0;
	for (size_t length = 0; length <= 8; length++) {
		memset(bytes, (int)(0xf8 + length), sizeof(bytes));
		base64url_write(bytes, length, text);
		assert_int_equal(strlen(text), BASE64URL_LENGTH(length));
		assert_true(base64url_read(text, strlen(text), read, sizeof(read), &count));
		assert_int_equal(count, length);
		assert_memory_equal(read, bytes, length);
	}
	base64url_write((const uint8_t *)"\xfb\xff", 2, text);
	assert_string_equal(text, "-_8");
	assert_false(base64url_read("-_9", 3, read, 8, &count)); /* bits past the end */
	assert_false(base64url_read("A", 1, read, 8, &count));
	assert_false(base64url_read("AA==", 4, read, 8, &count));
	assert_false(base64url_read("AAAA", 4, read, 2, &count));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_every_alteration_is_seen),
		cmocka_unit_test(test_memory_of_used),
		cmocka_unit_test(test_secret_equal),
		cmocka_unit_test(test_base64url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
