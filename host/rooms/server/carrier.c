#include "rooms/server/carrier.h"

#include <stdio.h>
#include <string.h>

#include "rooms/server/journal.h"
#include "rooms/wire/wire.h"

/* What it says is in `bye`; the close code only tells that there was one. */
#define CLOSE_CODE 4000u
#define CLOSE_CODE_OWN 1000u
/* Nobody is told when one who is in no call or room goes away: so many pings' time between two. */
#define IDLE_PINGS 15
/* A beat that comes a little early is on time. */
#define EARLY_MS NET_TICK_MS

struct carrier {
	struct net_stream *stream;
	struct client *client; /* NULL before `hello`, and when the session is over or elsewhere */
	char *address;
	struct hello *hello;      /* from a ticket */
	struct shared_text *last; /* `bye` */
	int64_t opened_us;
	int64_t pinged_ms;
	int64_t told_ms; /* when it last got anything */
	int ping_ms;     /* until the next ping, as it was told */
	bool welcome;    /* due */
	bool resumed;
	bool ping; /* due */
	bool ended;
};

struct client {
	struct server *server;
	struct session *session;
	struct hub_user *user;
	char *address; /* interned by GLib */
	struct limits_session limits;
	int64_t ice_renew;
	int64_t waiting_us; /* since when the outbox has something for the carrier; 0: it hasn't */
	bool doomed;
	bool away;
};

static struct carrier *carrier_of(const struct client *client) {
	return client->session->carrier;
}

struct carrier *carrier_create(const char *address, const struct hello *hello) {
	struct carrier *carrier = g_new0(struct carrier, 1);
	carrier->address = g_ref_string_new_intern(address);
	carrier->hello = hello == NULL ? NULL : g_memdup2(hello, sizeof(*hello));
	return carrier;
}

/* The carrier's end: `bye` is the last that it brings. */
static void carrier_end(struct carrier *carrier, enum rooms_error why, int64_t retry_ms) {
	carrier->client = NULL;
	if (carrier->ended) {
		return;
	}
	carrier->ended = true;
	if (why != ROOMS_ERROR_NONE) {
		carrier->last = wire_bye(why, retry_ms);
	}
	net_stream_close(carrier->stream, why == ROOMS_ERROR_NONE ? CLOSE_CODE_OWN : CLOSE_CODE,
		why == ROOMS_ERROR_NONE ? NULL : rooms_error_code(why));
}

static void client_end(struct client *client, enum rooms_error why) {
	struct server *server = client->server;
	struct carrier *carrier = carrier_of(client);
	if (carrier != NULL) {
		carrier_end(carrier, why, 0);
	}
	if (client->doomed) {
		(void)g_queue_remove(server->doomed, client);
	}
	server->metrics.ended[why]++;
	hub_gone(server->hub, client->user);
	session_close(client->session);
	limits_leave(server->limits, client->address, net_now_ms(server->net));
	g_ref_string_release(client->address);
	g_free(client);
}

void clients_reap(struct server *server) {
	struct client *client = NULL;
	while ((client = g_queue_pop_head(server->doomed)) != NULL) {
		client->doomed = false;
		client_end(client, ROOMS_ERROR_TOO_SLOW);
	}
}

void client_send(void *data, void *peer, struct shared_text *text) {
	struct server *server = data;
	struct client *client = peer;
	if (!session_send(client->session, text)) {
		if (!client->doomed) {
			client->doomed = true;
			g_queue_push_tail(server->doomed, client);
		}
		return;
	}
	const struct carrier *carrier = carrier_of(client);
	if (carrier != NULL) {
		if (client->waiting_us == 0) {
			client->waiting_us = net_now_us();
		}
		net_stream_wake(carrier->stream);
	}
}

bool client_busy(void *data, void *peer) {
	return ((struct client *)peer)->session->waiting >= SESSION_OUTBOX_BUSY;
}

/* Sends a text of our own to the client, through its session. */
static void client_tell(struct client *client, struct shared_text *text) {
	client_send(client->server, client, text);
	shared_text_drop(text);
}

static struct client *client_open(struct server *server, struct carrier *carrier) {
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
	client->server = server;
	client->address = g_ref_string_acquire(carrier->address);
	client->session = session_open(server->sessions, carrier, client, random, now);
	client->user = hub_enter(server->hub, client);
	server->metrics.sessions++;
	return client;
}

/* Takes the session over to this carrier. NULL: the session is gone, or ended by that. */
static struct client *client_resume(
	struct server *server, struct carrier *carrier, const struct hello *hello) {
	struct session *session = session_find(server->sessions, hello->session, hello->secret);
	if (session == NULL) {
		server->metrics.resume_missed++;
		return NULL;
	}
	struct client *client = session->user;
	struct carrier *old = session->carrier;
	if (!session_resume(session, carrier, hello->received, net_now_ms(server->net))) {
		client_end(client, ROOMS_ERROR_BAD_SEQUENCE);
		carrier_end(carrier, ROOMS_ERROR_BAD_SEQUENCE, 0);
		clients_reap(server);
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
		clients_reap(server);
	}
	return session->ended ? NULL : client;
}

static void carrier_start(
	struct server *server, struct carrier *carrier, const struct hello *hello) {
	if (server_draining(server)) {
		carrier_end(carrier, ROOMS_ERROR_DRAINING, server_retry_ms());
		return;
	}
	struct client *client =
		hello->session[0] == '\0' ? NULL : client_resume(server, carrier, hello);
	if (client == NULL && !carrier->ended) {
		client = client_open(server, carrier);
	}
	if (client != NULL) {
		carrier->client = client;
		carrier->welcome = true;
		net_stream_wake(carrier->stream);
	}
}

void carrier_opened(void *data, struct net_stream *stream) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	carrier->stream = stream;
	carrier->opened_us = net_now_us();
	if (carrier->hello != NULL) {
		carrier_start(server, carrier, carrier->hello);
		g_clear_pointer(&carrier->hello, g_free);
	}
}

/* What came is counted and numbered; `over` says why the session ends, if it does. */
static enum rooms_error receive(struct client *client, const struct wire_message *message,
	bool parsed, enum rooms_error error, size_t length, const char *detail) {
	struct server *server = client->server;
	int64_t now = net_now_ms(server->net);
	int64_t retry_ms = 0;
	bool ack = parsed && message->type == WIRE_ACK;
	uint64_t acked = client->session->acked;
	if (ack && !session_heard(client->session, message->has_ack, message->ack, now)) {
		return ROOMS_ERROR_BAD_SEQUENCE;
	}
	/* Others decide how often there is something to acknowledge. */
	bool allowed = (ack && client->session->acked > acked) ||
		       limits_message(&client->limits, &server->settings->limits, (uint32_t)length,
			       now, &retry_ms);
	if (ack) {
		return allowed ? ROOMS_ERROR_NONE : ROOMS_ERROR_TOO_MANY_REQUESTS;
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

bool client_message(struct server *server, struct client *client, const char *text, size_t length) {
	struct wire_message message = {0};
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64] = "";
	server->metrics.messages_in++;
	server->metrics.bytes_in += length;
	bool parsed = wire_parse(text, length, &message, &error, detail);
	bool bye = parsed && message.type == WIRE_BYE;
	enum rooms_error why =
		bye ? ROOMS_ERROR_NONE : receive(client, &message, parsed, error, length, detail);
	wire_finish(&message);
	bool over = bye || why != ROOMS_ERROR_NONE;
	if (over) {
		client_end(client, why);
	} else {
		over = client->doomed;
	}
	clients_reap(server);
	return !over;
}

/* The first message of a WebSocket. */
static void carrier_hello(
	struct server *server, struct carrier *carrier, const char *text, size_t length) {
	struct wire_message message = {0};
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64] = "";
	bool parsed = wire_parse(text, length, &message, &error, detail);
	if (parsed && message.type == WIRE_HELLO) {
		struct hello hello = {.received = message.received};
		if (message.session != NULL) {
			(void)g_strlcpy(hello.session, message.session, sizeof(hello.session));
			(void)g_strlcpy(hello.secret, message.secret, sizeof(hello.secret));
		}
		carrier_start(server, carrier, &hello);
	} else {
		error = parsed ? ROOMS_ERROR_HELLO_REQUIRED : error;
		server->metrics.answered[error]++;
		carrier_end(carrier, error, 0);
	}
	wire_finish(&message);
}

void carrier_message(void *data, struct net_stream *stream, const char *text, size_t length) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	if (carrier->ended) {
		return;
	}
	if (carrier->client != NULL) {
		(void)client_message(server, carrier->client, text, length);
	} else {
		carrier_hello(server, carrier, text, length);
	}
}

static size_t put(struct net_stream *stream, const char *prefix, size_t prefix_length,
	const char *text, size_t length) {
	char *into = net_stream_space(stream, prefix_length + length);
	memcpy(into, prefix, prefix_length);
	memcpy(into + prefix_length, text, length);
	return prefix_length + length;
}

static size_t put_text(struct net_stream *stream, struct shared_text *text) {
	size_t length = put(stream, "{", 1, text->bytes, text->length);
	shared_text_drop(text);
	return length;
}

/* Between two pings, where nothing else comes and goes. */
static int ping_interval(const struct client *client) {
	int ping_ms = client->server->settings->ping_ms;
	return hub_watched(client->user) ? ping_ms : IDLE_PINGS * ping_ms;
}

static struct shared_text *write_welcome(struct client *client, struct carrier *carrier) {
	const struct settings *settings = client->server->settings;
	const struct session *session = client->session;
	char id[SESSION_KEY_TEXT];
	char secret[SESSION_KEY_TEXT];
	session_id(session, id);
	session_secret(session, secret);
	int64_t now = server_wall_ms();
	client->ice_renew = ice_renew_at(settings, now);
	struct wire_writer writer;
	wire_begin(&writer, "welcome");
	wire_integer(&writer, "version", 1);
	wire_string(&writer, "session", id);
	wire_string(&writer, "secret", secret);
	wire_bool(&writer, "resumed", carrier->resumed);
	wire_integer(&writer, "received", (int64_t)session->received);
	ice_write(settings, &writer, "ice", id, now);
	carrier->ping_ms = ping_interval(client);
	wire_integer(&writer, "pingMs", carrier->ping_ms);
	wire_integer(&writer, "graceMs", settings->grace_ms);
	return wire_end(&writer);
}

static size_t next_of(struct net_stream *stream, struct carrier *carrier) {
	struct client *client = carrier->client;
	if (carrier->last != NULL) {
		return put_text(stream, g_steal_pointer(&carrier->last));
	}
	if (client == NULL || carrier->ended) {
		return 0;
	}
	struct metrics *metrics = &client->server->metrics;
	struct session *session = client->session;
	char prefix[SESSION_PREFIX_MAX] = "";
	if (carrier->welcome) {
		carrier->welcome = false;
		histogram_add(&metrics->handshake, net_now_us() - carrier->opened_us);
		return put_text(stream, write_welcome(client, carrier));
	}
	if (carrier->ping) {
		char ping[48];
		carrier->ping = false;
		size_t before = session_prefix(session, 0, prefix);
		int length = snprintf(
			ping, sizeof(ping), "\"type\":\"ping\",\"pingMs\":%d}", carrier->ping_ms);
		return put(stream, prefix, before, ping, (size_t)length);
	}
	uint64_t seq = 0;
	const struct shared_text *text = session_next(session, &seq);
	if (text == NULL) {
		client->waiting_us = 0;
		return 0;
	}
	size_t before = session_prefix(session, seq, prefix);
	size_t length = put(stream, prefix, before, text->bytes, text->length);
	session_wrote(session);
	if (client->waiting_us != 0) {
		histogram_add(&metrics->relay, net_now_us() - client->waiting_us);
	}
	return length;
}

size_t carrier_next(void *data, struct net_stream *stream) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	size_t length = next_of(stream, carrier);
	if (length > 0) {
		carrier->told_ms = net_now_ms(server->net);
		server->metrics.messages_out++;
		server->metrics.bytes_out += length;
	}
	return length;
}

static void renew_ice(struct client *client) {
	const struct settings *settings = client->server->settings;
	char id[SESSION_KEY_TEXT];
	session_id(client->session, id);
	int64_t now = server_wall_ms();
	client->ice_renew = ice_renew_at(settings, now);
	struct wire_writer writer;
	wire_begin(&writer, "ice");
	ice_write(settings, &writer, "ice", id, now);
	client_tell(client, wire_end(&writer));
}

bool carrier_beat(void *data, struct net_stream *stream) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	struct client *client = carrier->client;
	if (client == NULL || carrier->ended) {
		return carrier->ended;
	}
	int64_t now = net_now_ms(server->net) + EARLY_MS;
	int64_t heard = client->session->heard;
	int interval = ping_interval(client);
	if (carrier->pinged_ms > heard && now - heard >= 2 * (int64_t)interval) {
		return false;
	}
	if (carrier->ping_ms != interval || now - MIN(heard, carrier->told_ms) >= interval) {
		carrier->pinged_ms = now - EARLY_MS;
		carrier->ping_ms = interval;
		carrier->ping = true;
		net_stream_wake(stream);
	}
	if (server_wall_ms() >= client->ice_renew) {
		renew_ice(client);
	}
	return true;
}

void carrier_closed(void *data, struct net_stream *stream) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	struct client *client = carrier->client;
	if (client != NULL && carrier_of(client) == carrier) {
		session_break(client->session, net_now_ms(server->net));
		client->away = true;
		client->waiting_us = 0;
		hub_away(server->hub, client->user);
		clients_reap(server);
	}
	shared_text_drop(carrier->last);
	g_ref_string_release(carrier->address);
	g_free(carrier->hello);
	g_free(carrier);
}

void clients_tick(struct server *server) {
	struct session *session = NULL;
	while ((session = sessions_expired(server->sessions, net_now_ms(server->net))) != NULL) {
		client_end(session->user, ROOMS_ERROR_SILENT);
	}
	clients_reap(server);
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
	clients_reap(server);
}
