/* Between a client that speaks a dialect and its session: numbers what the client says. */
#pragma once

#include "rooms/dialect/dialect.h"
#include "rooms/state/state.h"

struct translator {
	const struct dialect *dialect;
	struct dialect_client client;
	uint64_t said;               /* the last sequence number, and request */
	struct shared_text *refusal; /* an error of ours since the last message; NULL: none */
};

struct translator *translator_create(const struct dialect *dialect);
void translator_destroy(struct translator *translator); /* takes NULL */

/* What the client sent, as a whole message of ours (g_free); NULL with the error. */
char *translator_read(struct translator *translator, const struct session *session,
	const char *text, size_t length, enum rooms_error *error);
/* What the client gets for it; NULL: nothing. The caller drops it. */
struct shared_text *translator_write(struct translator *translator, struct shared_text *ours);
/* The message by which it joins its dialect's room, which is made where there is none; NULL: the
 * dialect has none. */
char *translator_join(struct translator *translator, struct server *server);
