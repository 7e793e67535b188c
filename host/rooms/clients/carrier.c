#include "rooms/clients/carrier.h"

#include <stdio.h>
#include <string.h>

#include "rooms/clients/client.h"

/* What it says is in `bye`; the close code only tells that there was one. */
#define CLOSE_CODE 4000u
#define CLOSE_CODE_OWN 1000u
/* Nobody is told when one who is in no call or room goes away: so many pings' time between two. */
#define IDLE_PINGS 15
/* How long a WebSocket may take for its `hello`. */
#define HELLO_US 10000000
/* A beat that comes a little early is on time. */
#define EARLY_MS NET_TICK_MS

struct carrier *carrier_create(
	const char *address, const struct dialect *dialect, const struct hello *hello) {
	struct carrier *carrier = g_new0(struct carrier, 1);
	carrier->address = g_ref_string_new_intern(address);
	carrier->dialect = dialect;
	carrier->hello = hello == NULL ? NULL : g_memdup2(hello, sizeof(*hello));
	return carrier;
}

void carrier_end(struct carrier *carrier, enum rooms_error why, int64_t retry_ms) {
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
		if (carrier->dialect != NULL) {
			net_stream_ping(carrier->stream);
		}
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
	/* Whoever joins a call gets the shorter interval with the next message: until then its page
	 * would not notice a broken connection. */
	int interval = ping_interval(client);
	if (carrier->ping || (carrier->dialect == NULL && carrier->ping_ms != interval)) {
		char ping[48];
		carrier->ping = false;
		carrier->ping_ms = interval;
		carrier->pinged_ms = net_now_ms(client->server->net);
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
		return carrier->ended || net_now_us() - carrier->opened_us < HELLO_US;
	}
	int64_t now = net_now_ms(server->net) + EARLY_MS;
	int64_t heard = client->session->heard;
	int interval = ping_interval(client);
	/* A dialect's client answers a WebSocket's pings, and none among events. */
	bool answers = carrier->dialect == NULL || net_stream_kind(stream) == NET_WEBSOCKET;
	bool silent = now - heard >= 2 * (int64_t)interval && now - carrier->pinged_ms >= interval;
	if (answers && carrier->pinged_ms > heard && silent) {
		return false;
	}
	if (carrier->ping_ms != interval || now - MIN(heard, carrier->told_ms) >= interval) {
		carrier->pinged_ms = now - EARLY_MS;
		carrier->ping_ms = interval;
		carrier->ping = carrier->dialect == NULL;
		if (carrier->ping) {
			net_stream_wake(stream);
		} else {
			net_stream_ping(stream);
		}
	}
	if (server_wall_ms() >= client->ice_renew) {
		renew_ice(client);
	}
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
	if (client != NULL && client_carrier(client) == carrier) {
		session_break(client->session, net_now_ms(server->net));
		if ((carrier->direct && net_stream_left(stream)) ||
			(carrier->dialect != NULL && !carrier->dialect->resumes)) {
			client_end(client, ROOMS_ERROR_NONE);
		} else {
			client->away = true;
			client->waiting_us = 0;
			hub_away(server->hub, client->user);
		}
		(void)clients_reap(server, NULL);
	}
	shared_text_drop(carrier->last);
	g_ref_string_release(carrier->address);
	g_free(carrier->hello);
	g_free(carrier);
}
