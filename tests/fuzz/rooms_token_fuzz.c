/*
 * Any text as a token: none passes that was not issued. And any claims, signed: they read back as
 * they were, or are refused before they are signed. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms/session/token.h"

static void check(bool good) {
	if (!good) {
		abort();
	}
}

/* Takes up to `high` bytes, ended by a 0 or the input's end. */
static void take(const uint8_t **data, size_t *size, char *text, size_t high) {
	size_t length = strnlen((const char *)*data, *size < high ? *size : high);
	memcpy(text, *data, length);
	text[length] = '\0';
	size_t used = length + (length < *size);
	*data += used;
	*size -= used;
}

static void issue(struct tokens *tokens, const uint8_t *data, size_t size) {
	struct token_claims claims = {.role = data[0] % 3, .expires = data[1]};
	data += 2;
	size -= 2;
	take(&data, &size, claims.room, TOKEN_ROOM_MAX);
	take(&data, &size, claims.nickname, TOKEN_NICKNAME_MAX);
	take(&data, &size, claims.data, TOKEN_DATA_MAX);
	char text[TOKEN_TEXT_MAX];
	struct token_claims read;
	if (!token_issue(tokens, &claims, text)) {
		return;
	}
	enum rooms_error error = token_check(tokens, text, claims.room, 100, &read);
	check(error == (claims.expires > 100 ? ROOMS_ERROR_NONE : ROOMS_ERROR_TOKEN_EXPIRED));
	check(strcmp(read.room, claims.room) == 0 && strcmp(read.nickname, claims.nickname) == 0 &&
		strcmp(read.data, claims.data) == 0 && read.role == claims.role);
	if (error == ROOMS_ERROR_NONE) {
		token_spend(tokens, &read, 100);
		check(token_check(tokens, text, claims.room, 100, &read) == ROOMS_ERROR_TOKEN_USED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 3) {
		return 0;
	}
	struct tokens *tokens = tokens_create((const uint8_t *)"a key that no fuzzer finds", 26);
	if (data[0] & 1) {
		issue(tokens, data + 1, size - 1);
	} else {
		char *text = malloc(size);
		check(text != NULL);
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		struct token_claims claims;
		check(token_check(tokens, text, "r", 0, &claims) == ROOMS_ERROR_BAD_TOKEN);
		free(text);
	}
	tokens_destroy(tokens);
	return 0;
}
