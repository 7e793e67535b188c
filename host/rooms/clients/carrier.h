/*
 * One session layer over two carriers: what comes on a stream goes to its session and to the hub,
 * and what the hub says goes to the sessions' outboxes and from there to the streams. A client is a
 * session with its user of the hub; it outlives its carriers.
 */
#pragma once

#include "rooms/dialect/dialect.h"
#include "rooms/state/state.h"

struct client;

/* The client's `hello`, as much as matters. */
struct hello {
	char session[SESSION_KEY_TEXT + 1]; /* "": a new one */
	char secret[SESSION_KEY_TEXT + 1];
	uint64_t received;
	bool has_keys; /* a new session gets these, which are random */
	uint8_t keys[2 * SESSION_KEY_BYTES];
};

struct carrier {
	struct net_stream *stream;
	struct client *client; /* NULL before `hello`, and when the session is over or elsewhere */
	char *address;
	const struct dialect *dialect; /* NULL: our protocol */
	struct hello *hello;           /* from a ticket, or made for a dialect */
	struct shared_text *last;      /* `bye` */
	int64_t opened_us;
	int64_t pinged_ms;
	int64_t told_ms; /* when it last got anything */
	int ping_ms;     /* until the next ping, as it was told */
	bool welcome;    /* due */
	bool resumed;
	bool ping; /* due */
	bool ended;
	bool direct; /* no proxy is in between, which would close it as a browser does */
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

/* Ends it: `bye` is the last that it brings. ROOMS_ERROR_NONE: without one. */
void carrier_end(struct carrier *carrier, enum rooms_error why, int64_t retry_ms);
