/*
 * One session layer over two carriers: what comes on a stream goes to its session and to the hub,
 * and what the hub says goes to the sessions' outboxes and from there to the streams. A client is a
 * session with its user of the hub; it outlives its carriers.
 */
#pragma once

#include "rooms/dialect/dialect.h"
#include "rooms/server/server.h"

/* The client's `hello`, as much as matters. */
struct hello {
	char session[SESSION_KEY_TEXT + 1]; /* "": a new one */
	char secret[SESSION_KEY_TEXT + 1];
	uint64_t received;
	bool has_keys; /* a new session gets these, which are random */
	uint8_t keys[2 * SESSION_KEY_BYTES];
};

/* A stream's own data, from net's `upgrade` or net_answer_events on. `hello` may be NULL: it is the
 * first message. `dialect` NULL: it speaks our protocol. */
struct carrier *carrier_create(
	const char *address, const struct dialect *dialect, const struct hello *hello);

/* net's handlers. */
void carrier_opened(void *server, struct net_stream *stream);
void carrier_message(void *server, struct net_stream *stream, const char *text, size_t length);
size_t carrier_next(void *server, struct net_stream *stream);
bool carrier_beat(void *server, struct net_stream *stream);
void carrier_pong(void *server, struct net_stream *stream);
void carrier_closed(void *server, struct net_stream *stream);

/* The hub's output. */
void client_send(void *server, void *client, struct shared_text *text);
bool client_busy(void *server, void *client);

struct client;
/* A message that came outside of a stream. False: the session is over. */
bool client_message(struct server *server, struct client *client, const char *text, size_t length);
/* NULL: our protocol. */
const struct dialect *client_dialect(const struct client *client);
/* The last error that it was to be told and its dialect has no word for; the caller drops it. NULL:
 * none since its last message. */
struct shared_text *client_refusal(struct client *client);
/* Ends those that got too slow meanwhile; after each call of the hub. */
void clients_reap(struct server *server);
/* Ends those whose grace is over. */
void clients_tick(struct server *server);
/* Tells all to come back later. */
void clients_drain(struct server *server);
/* Ends all of them, before the server itself. */
void clients_end(struct server *server);
