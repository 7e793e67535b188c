/*
 * A client: a session with its user of the hub. It outlives its carriers (carrier.h).
 */
#pragma once

#include "rooms/clients/translator.h"
#include "rooms/dialect/dialect.h"
#include "rooms/state/state.h"

struct carrier;
struct hello;

struct client {
	struct server *server;
	struct session *session;
	struct hub_user *user;
	char *address;                 /* interned by GLib */
	struct translator *translator; /* NULL: it speaks our protocol */
	struct limits_session limits;
	/* What was refused because of them. It was read all the same: past the limits once more the
	 * session ends. */
	struct limits_session refused;
	int64_t ice_renew;
	int64_t waiting_us; /* since when the outbox has something for the carrier; 0: it hasn't */
	bool doomed;
	bool away;
};

/* A new one on this carrier, or NULL: there are too many, and the carrier was ended. */
struct client *client_open(
	struct server *server, struct carrier *carrier, const struct hello *hello);
/* Takes the session over to this carrier. NULL: the session is gone, or ended by that. */
struct client *client_resume(
	struct server *server, struct carrier *carrier, const struct hello *hello);
/* Joins the room of its dialect, where that has one, by a token of our own. */
void client_join(struct client *client);
void client_end(struct client *client, enum rooms_error why);
struct carrier *client_carrier(const struct client *client);

/* The hub's output. */
void client_send(void *server, void *client, struct shared_text *text);
bool client_busy(void *server, void *client, size_t bytes);
/* Sends a text of our own, through its session; takes it. */
void client_tell(struct client *client, struct shared_text *text);

/* A message that came. False: the session is over. */
bool client_message(struct server *server, struct client *client, const char *text, size_t length);
/* NULL: our protocol. */
const struct dialect *client_dialect(const struct client *client);
/* The last error that it was to be told and its dialect has no word for; the caller drops it. NULL:
 * none since its last message. */
struct shared_text *client_refusal(struct client *client);

/*
 * Ends those that got too slow meanwhile; after each call of the hub. What one end tells others may
 * make these too slow in turn: true if `client` (or NULL) was among them, and is freed.
 */
bool clients_reap(struct server *server, const struct client *client);
/* Ends those whose grace is over. */
void clients_tick(struct server *server);
/* Tells all to come back later. */
void clients_drain(struct server *server);
/* Ends all of them, before the server itself. */
void clients_end(struct server *server);
