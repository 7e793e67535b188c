#include "rooms/clients/client.h"

#include <string.h>

#include "rooms/clients/carrier.h"

struct carrier *client_carrier(const struct client *client) {
	return client->session->carrier;
}

void client_end(struct client *client, enum rooms_error why) {
	struct server *server = client->server;
	struct carrier *carrier = client_carrier(client);
	if (carrier != NULL) {
		carrier_end(carrier, why, 0);
	}
	if (client->doomed) {
		(void)g_queue_remove(server->doomed, client);
	}
	server->metrics.ended[why]++;
	hub_gone(server->hub, client->user);
	session_close(client->session);
	translator_destroy(client->translator);
	limits_leave(server->limits, client->address, net_now_ms(server->net));
	g_ref_string_release(client->address);
	g_free(client);
}

bool clients_reap(struct server *server, const struct client *client) {
	bool reaped = false;
	struct client *doomed = NULL;
	while ((doomed = g_queue_pop_head(server->doomed)) != NULL) {
		reaped = reaped || doomed == client;
		doomed->doomed = false;
		client_end(doomed, ROOMS_ERROR_TOO_SLOW);
	}
	return reaped;
}

void client_send(void *data, void *peer, struct shared_text *text) {
	struct server *server = data;
	struct client *client = peer;
	struct shared_text *theirs = client->translator == NULL
					     ? shared_text_hold(text)
					     : translator_write(client->translator, text);
	if (theirs == NULL) {
		return;
	}
	bool sent = session_send(client->session, theirs);
	shared_text_drop(theirs);
	if (!sent) {
		if (!client->doomed) {
			client->doomed = true;
			g_queue_push_tail(server->doomed, client);
		}
		return;
	}
	const struct carrier *carrier = client_carrier(client);
	if (carrier != NULL) {
		if (client->waiting_us == 0) {
			client->waiting_us = net_now_us();
		}
		net_stream_wake(carrier->stream);
	}
}

bool client_busy(void *data, void *peer, size_t bytes) {
	return session_busy(((struct client *)peer)->session, bytes);
}

void client_tell(struct client *client, struct shared_text *text) {
	client_send(client->server, client, text);
	shared_text_drop(text);
}

struct client *client_open(
	struct server *server, struct carrier *carrier, const struct hello *hello) {
	int64_t now = net_now_ms(server->net);
	int64_t retry_ms = 0;
	if (!limits_arrive(server->limits, carrier->address, now, &retry_ms)) {
		carrier_end(carrier, ROOMS_ERROR_TOO_MANY_SESSIONS,
			retry_ms > 0 ? retry_ms : server_retry_ms());
		return NULL;
	}
	uint8_t random[2 * SESSION_KEY_BYTES];
	server_random(random, sizeof(random));
	struct client *client = g_new0(struct client, 1);
	client->ice_renew = INT64_MAX;
	client->translator = carrier->dialect == NULL ? NULL : translator_create(carrier->dialect);
	client->server = server;
	client->address = g_ref_string_acquire(carrier->address);
	client->session = session_open(
		server->sessions, carrier, client, hello->has_keys ? hello->keys : random, now);
	client->user = hub_enter(server->hub, client);
	server->metrics.sessions++;
	return client;
}

struct client *client_resume(
	struct server *server, struct carrier *carrier, const struct hello *hello) {
	struct session *session = session_find(server->sessions, hello->session, hello->secret);
	struct client *client = session == NULL ? NULL : session->user;
	if (client == NULL || client_dialect(client) != carrier->dialect) {
		server->metrics.resume_missed++;
		return NULL;
	}
	struct carrier *old = session->carrier;
	/* What a dialect's client was written counts as received. */
	uint64_t received = carrier->dialect == NULL ? hello->received : session->acked;
	if (!session_resume(session, carrier, received, net_now_ms(server->net))) {
		client_end(client, ROOMS_ERROR_BAD_SEQUENCE);
		carrier_end(carrier, ROOMS_ERROR_BAD_SEQUENCE, 0);
		(void)clients_reap(server, NULL);
		return NULL;
	}
	if (old != NULL) {
		carrier_end(old, ROOMS_ERROR_REPLACED, 0);
	}
	server->metrics.resumed++;
	carrier->resumed = true;
	client->waiting_us = session->count > 0 ? net_now_us() : 0;
	if (client->away) {
		client->away = false;
		hub_back(server->hub, client->user);
		if (clients_reap(server, client)) {
			return NULL;
		}
	}
	return client;
}

/* What came is counted and numbered; `over` says why the session ends, if it does. */
static enum rooms_error receive(struct client *client, const struct wire_message *message,
	bool parsed, enum rooms_error error, size_t length, const char *detail) {
	struct server *server = client->server;
	int64_t now = net_now_ms(server->net);
	int64_t retry_ms = 0;
	int64_t unused = 0;
	bool ack = parsed && message->type == WIRE_ACK;
	uint64_t acked = client->session->acked;
	if (ack && !session_heard(client->session, message->has_ack, message->ack, now)) {
		return ROOMS_ERROR_BAD_SEQUENCE;
	}
	/* Others decide how often there is something to acknowledge. */
	bool allowed = (ack && client->session->acked > acked) ||
		       limits_message(&client->limits, &server->settings->limits, (uint32_t)length,
			       now, &retry_ms);
	if (!allowed && (ack || !limits_message(&client->refused, &server->settings->limits,
					(uint32_t)length, now, &unused))) {
		return ROOMS_ERROR_TOO_MANY_REQUESTS;
	}
	if (ack) {
		return ROOMS_ERROR_NONE;
	}
	if (parsed && message->type == WIRE_HELLO) {
		return ROOMS_ERROR_HELLO_REQUIRED;
	}
	if (message->seq == 0) {
		return parsed ? ROOMS_ERROR_BAD_SEQUENCE : error;
	}
	switch (session_receive(
		client->session, message->seq, message->has_ack, message->ack, now)) {
	case SESSION_BAD:
		return ROOMS_ERROR_BAD_SEQUENCE;
	case SESSION_DUPLICATE:
		server->metrics.duplicates++;
		return allowed ? ROOMS_ERROR_NONE : ROOMS_ERROR_TOO_MANY_REQUESTS;
	case SESSION_NEW:
		break;
	}
	if (allowed && parsed) {
		hub_request(server->hub, client->user, message, server_wall_ms());
		return ROOMS_ERROR_NONE;
	}
	error = allowed ? error : ROOMS_ERROR_TOO_MANY_REQUESTS;
	server->metrics.answered[error]++;
	client_tell(client, wire_error(message->id, error, allowed ? detail : NULL, retry_ms));
	return ROOMS_ERROR_NONE;
}

static bool take_ours(
	struct server *server, struct client *client, const char *text, size_t length) {
	struct wire_message message = {0};
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64] = "";
	bool parsed = wire_parse(text, length, &message, &error, detail);
	bool bye = parsed && message.type == WIRE_BYE;
	enum rooms_error why =
		bye ? ROOMS_ERROR_NONE : receive(client, &message, parsed, error, length, detail);
	wire_finish(&message);
	bool over = bye || why != ROOMS_ERROR_NONE;
	if (over) {
		client_end(client, why);
	}
	return !clients_reap(server, over ? NULL : client) && !over;
}

/* Of a dialect: what says nothing that we can do is dropped, but not without end. */
static bool refuse_theirs(
	struct server *server, struct client *client, enum rooms_error error, size_t length) {
	int64_t retry_ms = 0;
	server->metrics.answered[error]++;
	client_tell(client, wire_error(0, error, NULL, 0));
	if (!limits_message(&client->limits, &server->settings->limits, (uint32_t)length,
		    net_now_ms(server->net), &retry_ms)) {
		client_end(client, ROOMS_ERROR_TOO_MANY_REQUESTS);
		return false;
	}
	return !clients_reap(server, client);
}

bool client_message(struct server *server, struct client *client, const char *text, size_t length) {
	enum rooms_error error = ROOMS_ERROR_NONE;
	server->metrics.messages_in++;
	server->metrics.bytes_in += length;
	if (client->translator == NULL) {
		return take_ours(server, client, text, length);
	}
	g_autofree char *ours =
		translator_read(client->translator, client->session, text, length, &error);
	return ours == NULL ? refuse_theirs(server, client, error, length)
			    : take_ours(server, client, ours, strlen(ours));
}

const struct dialect *client_dialect(const struct client *client) {
	return client->translator == NULL ? NULL : client->translator->dialect;
}

struct shared_text *client_refusal(struct client *client) {
	return g_steal_pointer(&client->translator->refusal);
}

void client_join(struct client *client) {
	g_autofree char *join = translator_join(client->translator, client->server);
	if (join != NULL) {
		(void)take_ours(client->server, client, join, strlen(join));
	}
}

void clients_tick(struct server *server) {
	struct session *session = NULL;
	while ((session = sessions_expired(server->sessions, net_now_ms(server->net))) != NULL) {
		client_end(session->user, ROOMS_ERROR_SILENT);
	}
	(void)clients_reap(server, NULL);
}

static void drain_one(void *data, struct session *session) {
	if (session->carrier != NULL) {
		struct carrier *carrier = session->carrier;
		struct client *client = carrier->client;
		carrier_end(carrier, ROOMS_ERROR_DRAINING, server_retry_ms());
		/* Its stream's end still breaks the session. */
		carrier->client = client;
	}
}

void clients_drain(struct server *server) {
	sessions_each(server->sessions, drain_one, NULL);
}

static void end_one(void *data, struct session *session) {
	client_end(session->user, ROOMS_ERROR_DRAINING);
}

void clients_end(struct server *server) {
	sessions_each(server->sessions, end_one, NULL);
	(void)clients_reap(server, NULL);
}
