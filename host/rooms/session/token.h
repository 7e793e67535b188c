/*
 * Tokens that a backend asks for and a client joins with: signed by HMAC-SHA-256, bound to a room
 * and a role, single use, short-lived. Text: base64url of the claims, a dot, base64url of the
 * signature. No I/O, no clock: `now` is wall-clock time in milliseconds, so that tokens of several
 * servers with one key agree. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rooms/wire/errors.h"
#include "rooms/wire/wire.h"

#define TOKEN_KEY_MIN 16u /* bytes */
#define TOKEN_LIFETIME_MS 60000
#define TOKEN_LIFETIME_MAX_MS 86400000
#define TOKEN_NONCE_BYTES 12u
#define TOKEN_ROOM_MAX 64u
#define TOKEN_NICKNAME_MAX 64u
#define TOKEN_DATA_MAX 1024u
#define TOKEN_TEXT_MAX 2048u /* with the terminator */

/* What a token says. */
struct token_claims {
	enum wire_role role;
	int64_t expires;
	char room[TOKEN_ROOM_MAX + 1];
	char nickname[TOKEN_NICKNAME_MAX + 1]; /* "": the client chooses */
	char data[TOKEN_DATA_MAX + 1];         /* the members' serverData; "": none */
	uint8_t nonce[TOKEN_NONCE_BYTES];
};

/* The key and the tokens used so far. */
struct tokens;
/* At least TOKEN_KEY_MIN bytes, copied. */
struct tokens *tokens_create(const uint8_t *key, size_t length);
void tokens_destroy(struct tokens *tokens); /* wipes the key; takes NULL */

/*
 * Signs the claims, whose nonce the caller filled with random bytes. `text` gets at most
 * TOKEN_TEXT_MAX. False if a claim is not UTF-8.
 */
bool token_issue(const struct tokens *tokens, const struct token_claims *claims,
	char text[static TOKEN_TEXT_MAX]);

/*
 * Reads and checks a token for `room`: BAD_TOKEN, TOKEN_EXPIRED, TOKEN_ROOM or TOKEN_USED, in this
 * order; NONE fills claims. Does not use it up: token_spend does, once the join is certain.
 */
enum rooms_error token_check(const struct tokens *tokens, const char *text, const char *room,
	int64_t now, struct token_claims *claims);
/* The token's nonce is remembered until it expires. */
void token_spend(struct tokens *tokens, const struct token_claims *claims, int64_t now);
uint32_t tokens_spent(const struct tokens *tokens);

/* Whether two secrets are the same, in a time that depends only on the length of `given`. */
bool secret_equal(const char *secret, size_t secret_length, const char *given, size_t given_length);
