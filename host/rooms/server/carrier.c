#include "rooms/server/carrier.h"

#include <string.h>

#include "rooms/server/journal.h"
#include "rooms/server/translator.h"
#include "rooms/wire/wire.h"

/* What it says is in `bye`; the close code only tells that there was one. */
#define CLOSE_CODE 4000u
#define CLOSE_CODE_OWN 1000u

struct carrier {
	struct net_stream *stream;
	struct client *client; /* NULL before `hello`, and when the session is over or elsewhere */
	char *address;
	const struct dialect *dialect; /* NULL: our protocol */
	struct hello *hello;           /* from a ticket, or made for a dialect */
	struct shared_text *last;      /* `bye` */
	int64_t opened_us;
	bool welcome; /* due */
	bool resumed;
	bool ping; /* due */
	bool ended;
};

struct client {
	struct server *server;
	struct session *session;
	struct hub_user *user;
	char *address;                 /* interned by GLib */
	struct translator *translator; /* NULL: it speaks our protocol */
	struct limits_session limits;
	int64_t ice_renew;
	int64_t waiting_us; /* since when the outbox has something for the carrier; 0: it hasn't */
	bool doomed;
	bool away;
};

static struct carrier *carrier_of(const struct client *client) {
	return client->session->carrier;
}

struct carrier *carrier_create(
	const char *address, const struct dialect *dialect, const struct hello *hello) {
	struct carrier *carrier = g_new0(struct carrier, 1);
	carrier->address = g_ref_string_new_intern(address);
	carrier->dialect = dialect;
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
	if (why != ROOMS_ERROR_NONE && carrier->dialect == NULL) {
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
	translator_destroy(client->translator);
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

static struct client *client_open(
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

/* Takes the session over to this carrier. NULL: the session is gone, or ended by that. */
static struct client *client_resume(
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

static bool take_ours(
	struct server *server, struct client *client, const char *text, size_t length);

/* The room of its dialect, by a token of our own. */
static void client_join(struct client *client) {
	g_autofree char *join = translator_join(client->translator, client->server);
	if (join != NULL) {
		(void)take_ours(client->server, client, join, strlen(join));
	}
}

static void carrier_start(
	struct server *server, struct carrier *carrier, const struct hello *hello) {
	if (server_draining(server)) {
		carrier_end(carrier, ROOMS_ERROR_DRAINING, server_retry_ms());
		return;
	}
	struct client *client =
		hello->session[0] == '\0' ? NULL : client_resume(server, carrier, hello);
	bool opens = client == NULL && !carrier->ended;
	if (opens) {
		client = client_open(server, carrier, hello);
	}
	if (client != NULL) {
		carrier->client = client;
		carrier->welcome = carrier->dialect == NULL;
		net_stream_wake(carrier->stream);
		if (opens && client->translator != NULL) {
			client_join(client);
		}
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
	} else {
		over = client->doomed;
	}
	clients_reap(server);
	return !over;
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
	bool over = client->doomed;
	clients_reap(server);
	return !over;
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

static struct shared_text *write_welcome(struct client *client, bool resumed) {
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
	wire_bool(&writer, "resumed", resumed);
	wire_integer(&writer, "received", (int64_t)session->received);
	ice_write(settings, &writer, "ice", id, now);
	wire_integer(&writer, "pingMs", settings->ping_ms);
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
		return put_text(stream, write_welcome(client, carrier->resumed));
	}
	if (carrier->ping) {
		static const char ping[] = "\"type\":\"ping\"}";
		carrier->ping = false;
		size_t before = session_prefix(session, 0, prefix);
		return put(stream, prefix, before, ping, sizeof(ping) - 1);
	}
	uint64_t seq = 0;
	const struct shared_text *text = session_next(session, &seq);
	if (text == NULL) {
		client->waiting_us = 0;
		return 0;
	}
	size_t before = client->translator == NULL ? session_prefix(session, seq, prefix) : 1;
	size_t length = put(stream, client->translator == NULL ? prefix : "{", before, text->bytes,
		text->length);
	session_wrote(session);
	if (client->translator != NULL) {
		/* Nobody acknowledges it. */
		(void)session_heard(session, true, session->written, session->heard);
	}
	if (client->waiting_us != 0) {
		histogram_add(&metrics->relay, net_now_us() - client->waiting_us);
	}
	return length;
}

size_t carrier_next(void *data, struct net_stream *stream) {
	struct server *server = data;
	size_t length = next_of(stream, net_stream_data(stream));
	if (length > 0) {
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
	int64_t quiet_ms = net_now_ms(server->net) - client->session->heard;
	/* A dialect's client answers a WebSocket's pings, and none among events. */
	bool answers = carrier->dialect == NULL || net_stream_kind(stream) == NET_WEBSOCKET;
	if (answers && quiet_ms >= 2 * (int64_t)server->settings->ping_ms) {
		return false;
	}
	carrier->ping = carrier->dialect == NULL;
	if (!carrier->ping) {
		net_stream_ping(stream);
	}
	if (server_wall_ms() >= client->ice_renew) {
		renew_ice(client);
	}
	net_stream_wake(stream);
	return true;
}

void carrier_pong(void *data, struct net_stream *stream) {
	struct server *server = data;
	const struct carrier *carrier = net_stream_data(stream);
	if (carrier->client != NULL) {
		(void)session_heard(carrier->client->session, false, 0, net_now_ms(server->net));
	}
}

void carrier_closed(void *data, struct net_stream *stream) {
	struct server *server = data;
	struct carrier *carrier = net_stream_data(stream);
	struct client *client = carrier->client;
	if (client != NULL && carrier_of(client) == carrier) {
		session_break(client->session, net_now_ms(server->net));
		if (carrier->dialect != NULL && !carrier->dialect->resumes) {
			client_end(client, ROOMS_ERROR_NONE);
		} else {
			client->away = true;
			client->waiting_us = 0;
			hub_away(server->hub, client->user);
		}
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
