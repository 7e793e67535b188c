#include "rooms/clients/translator.h"

#include <inttypes.h>
#include <string.h>

struct translator *translator_create(const struct dialect *dialect) {
	struct translator *translator = g_new0(struct translator, 1);
	translator->dialect = dialect;
	return translator;
}

void translator_destroy(struct translator *translator) {
	if (translator != NULL) {
		shared_text_drop(translator->refusal);
		g_free(translator);
	}
}

/* With its envelope. Takes the text. */
static char *number(struct translator *translator, uint64_t acked, struct shared_text *text) {
	uint64_t said = ++translator->said;
	char *whole =
		g_strdup_printf("{\"seq\":%" PRIu64 ",\"ack\":%" PRIu64 ",\"id\":%" PRIu64 ",%s",
			said, acked, said, text->bytes);
	shared_text_drop(text);
	return whole;
}

/* With the longest envelope. */
#define OURS_MAX (WIRE_MESSAGE_MAX - 96u)

char *translator_read(struct translator *translator, const struct session *session,
	const char *text, size_t length, enum rooms_error *error) {
	g_clear_pointer(&translator->refusal, shared_text_drop);
	struct shared_text *ours =
		dialect_read(translator->dialect, &translator->client, text, length, error);
	if (ours != NULL && ours->length > OURS_MAX) {
		*error = ROOMS_ERROR_TOO_LARGE;
		g_clear_pointer(&ours, shared_text_drop);
	}
	return ours == NULL ? NULL : number(translator, session->acked, ours);
}

struct shared_text *translator_write(struct translator *translator, struct shared_text *ours) {
	static const char error[] = "\"type\":\"error\"";
	struct shared_text *theirs = dialect_write(translator->dialect, &translator->client, ours);
	if (theirs == NULL && g_str_has_prefix(ours->bytes, error)) {
		shared_text_drop(translator->refusal);
		translator->refusal = shared_text_hold(ours);
	}
	return theirs;
}

char *translator_join(struct translator *translator, struct server *server) {
	const char *room = translator->dialect->room;
	if (room == NULL) {
		return NULL;
	}
	const struct hub_room_options options = {0};
	struct token_claims claims = {
		.role = WIRE_VIEWER, .expires = server_wall_ms() + TOKEN_LIFETIME_MS};
	char token[TOKEN_TEXT_MAX];
	(void)hub_room_create(server->hub, room, &options);
	(void)g_strlcpy(claims.room, room, sizeof(claims.room));
	server_random(claims.nonce, sizeof(claims.nonce));
	if (!token_issue(server->tokens, &claims, token)) {
		return NULL;
	}
	struct wire_writer writer;
	wire_begin(&writer, wire_type_name(WIRE_JOIN));
	wire_string(&writer, "room", room);
	wire_string(&writer, "nickname", "guest");
	wire_string(&writer, "kind", wire_kind_name(WIRE_DATA));
	wire_string(&writer, "token", token);
	return number(translator, 0, wire_end(&writer));
}
