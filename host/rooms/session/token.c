#include "rooms/session/token.h"

#include <glib.h>
#include <string.h>

#include "rooms/wire/base64url.h"

#define SIGNATURE_BYTES 32u
/* Version, role, expiry, nonce, and the lengths of three texts. */
#define HEADER_BYTES (1 + 1 + 8 + TOKEN_NONCE_BYTES + 2 + 2 + 2)
#define CLAIMS_MAX (HEADER_BYTES + TOKEN_ROOM_MAX + TOKEN_NICKNAME_MAX + TOKEN_DATA_MAX)
#define VERSION 1

struct tokens {
	uint8_t *key;
	size_t key_length;
	GHashTable *spent; /* nonces */
	GQueue by_expiry;  /* the same struct spent, the first to expire in front */
};

struct spent {
	uint8_t nonce[TOKEN_NONCE_BYTES];
	int64_t expires;
};

static guint hash_nonce(gconstpointer nonce) {
	guint hash = 0;
	memcpy(&hash, nonce, sizeof(hash));
	return hash;
}

static gboolean same_nonce(gconstpointer a, gconstpointer b) {
	return memcmp(a, b, TOKEN_NONCE_BYTES) == 0;
}

struct tokens *tokens_create(const uint8_t *key, size_t length) {
	g_assert(length >= TOKEN_KEY_MIN);
	struct tokens *tokens = g_new0(struct tokens, 1);
	tokens->key = g_memdup2(key, length);
	tokens->key_length = length;
	tokens->spent = g_hash_table_new_full(hash_nonce, same_nonce, NULL, g_free);
	g_queue_init(&tokens->by_expiry);
	return tokens;
}

void tokens_destroy(struct tokens *tokens) {
	if (tokens != NULL) {
		explicit_bzero(tokens->key, tokens->key_length);
		g_free(tokens->key);
		g_queue_clear(&tokens->by_expiry);
		g_hash_table_destroy(tokens->spent);
		g_free(tokens);
	}
}

static void sign(const struct tokens *tokens, const char *text, size_t length,
	uint8_t signature[static SIGNATURE_BYTES]) {
	gsize size = SIGNATURE_BYTES;
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, tokens->key, tokens->key_length);
	g_hmac_update(hmac, (const guchar *)text, (gssize)length);
	g_hmac_get_digest(hmac, signature, &size);
	g_hmac_unref(hmac);
}

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned bytes) {
	while (bytes-- > 0) {
		*at++ = (uint8_t)(number >> 8 * bytes);
	}
	return at;
}

static uint64_t get_number(const uint8_t **at, unsigned bytes) {
	uint64_t number = 0;
	while (bytes-- > 0) {
		number = number << 8 | *(*at)++;
	}
	return number;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t length) {
	memcpy(at, bytes, length);
	return at + length;
}

static uint8_t *put_text(uint8_t *at, const char *text) {
	size_t length = strlen(text);
	return put_bytes(put_number(at, length, 2), text, length);
}

/* False if the text is longer than `high`, or ends past `end`. */
static bool get_text(const uint8_t **at, const uint8_t *end, char *text, size_t high) {
	if (end - *at < 2) {
		return false;
	}
	size_t length = (size_t)get_number(at, 2);
	if (length > high || (size_t)(end - *at) < length) {
		return false;
	}
	memcpy(text, *at, length);
	text[length] = '\0';
	*at += length;
	return true;
}

bool token_issue(const struct tokens *tokens, const struct token_claims *claims,
	char text[static TOKEN_TEXT_MAX]) {
	if (!g_utf8_validate(claims->room, -1, NULL) ||
		!g_utf8_validate(claims->nickname, -1, NULL) ||
		!g_utf8_validate(claims->data, -1, NULL)) {
		return false;
	}
	uint8_t bytes[CLAIMS_MAX];
	uint8_t *at = bytes;
	*at++ = VERSION;
	*at++ = (uint8_t)claims->role;
	at = put_number(at, (uint64_t)claims->expires, 8);
	at = put_bytes(at, claims->nonce, TOKEN_NONCE_BYTES);
	at = put_text(at, claims->room);
	at = put_text(at, claims->nickname);
	at = put_text(at, claims->data);
	base64url_write(bytes, (size_t)(at - bytes), text);
	size_t length = strlen(text);
	uint8_t signature[SIGNATURE_BYTES];
	sign(tokens, text, length, signature);
	text[length] = '.';
	base64url_write(signature, SIGNATURE_BYTES, text + length + 1);
	return true;
}

/* The claims of a text whose signature is right. */
static bool read_claims(const char *text, size_t length, struct token_claims *claims) {
	uint8_t bytes[CLAIMS_MAX];
	size_t count = 0;
	if (!base64url_read(text, length, bytes, sizeof(bytes), &count) || count < HEADER_BYTES) {
		return false;
	}
	const uint8_t *at = bytes;
	const uint8_t *end = bytes + count;
	uint64_t version = get_number(&at, 1);
	uint64_t role = get_number(&at, 1);
	claims->expires = (int64_t)get_number(&at, 8);
	memcpy(claims->nonce, at, TOKEN_NONCE_BYTES);
	at += TOKEN_NONCE_BYTES;
	claims->role = (enum wire_role)role;
	return version == VERSION && role <= WIRE_MODERATOR &&
	       get_text(&at, end, claims->room, TOKEN_ROOM_MAX) &&
	       get_text(&at, end, claims->nickname, TOKEN_NICKNAME_MAX) &&
	       get_text(&at, end, claims->data, TOKEN_DATA_MAX) && at == end;
}

enum rooms_error token_check(const struct tokens *tokens, const char *text, const char *room,
	int64_t now, struct token_claims *claims) {
	const char *dot = strchr(text, '.');
	uint8_t given[SIGNATURE_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
	size_t count = 0;
	if (strlen(text) >= TOKEN_TEXT_MAX || dot == NULL ||
		!base64url_read(dot + 1, strlen(dot + 1), given, sizeof(given), &count) ||
		count != SIGNATURE_BYTES) {
		return ROOMS_ERROR_BAD_TOKEN;
	}
	sign(tokens, text, (size_t)(dot - text), signature);
	if (!secret_equal((const char *)signature, SIGNATURE_BYTES, (const char *)given,
		    SIGNATURE_BYTES) ||
		!read_claims(text, (size_t)(dot - text), claims)) {
		return ROOMS_ERROR_BAD_TOKEN;
	}
	if (claims->expires <= now) {
		return ROOMS_ERROR_TOKEN_EXPIRED;
	}
	if (strcmp(claims->room, room) != 0) {
		return ROOMS_ERROR_TOKEN_ROOM;
	}
	return g_hash_table_contains(tokens->spent, claims->nonce) ? ROOMS_ERROR_TOKEN_USED
								   : ROOMS_ERROR_NONE;
}

static void forget_expired(struct tokens *tokens, int64_t now) {
	const struct spent *first = NULL;
	while ((first = g_queue_peek_head(&tokens->by_expiry)) != NULL && first->expires <= now) {
		(void)g_queue_pop_head(&tokens->by_expiry);
		g_hash_table_remove(tokens->spent, first->nonce);
	}
}

void token_spend(struct tokens *tokens, const struct token_claims *claims, int64_t now) {
	forget_expired(tokens, now);
	if (g_hash_table_contains(tokens->spent, claims->nonce)) {
		return;
	}
	struct spent *spent = g_new(struct spent, 1);
	memcpy(spent->nonce, claims->nonce, TOKEN_NONCE_BYTES);
	spent->expires = claims->expires;
	g_hash_table_insert(tokens->spent, spent->nonce, spent);
	/* Most live equally long, so the place is near the end. */
	GList *before = tokens->by_expiry.tail;
	while (before != NULL && ((struct spent *)before->data)->expires > spent->expires) {
		before = before->prev;
	}
	g_queue_insert_after(&tokens->by_expiry, before, spent);
}

uint32_t tokens_spent(const struct tokens *tokens) {
	return g_hash_table_size(tokens->spent);
}

bool secret_equal(
	const char *secret, size_t secret_length, const char *given, size_t given_length) {
	/* Compared with itself if the lengths differ, so that the time says nothing. */
	volatile uint8_t differs = secret_length != given_length;
	const char *other = differs ? given : secret;
	for (size_t i = 0; i < given_length; i++) {
		differs = (uint8_t)(differs | (other[i] ^ given[i]));
	}
	return differs == 0;
}
