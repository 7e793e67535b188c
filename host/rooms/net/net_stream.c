#include <string.h>

#include "rooms/net/net_parts.h"

/* Messages written in a row before others have their turn. */
#define BURST 16
/* For the peer to take what is left, and to answer the close frame. */
#define CLOSE_SECONDS 3
/* A message of 64 KiB in pieces smaller than these is somebody's play. */
#define FRAGMENTS_MAX 128u

static struct net_connection *connection_of(const struct net_stream *stream) {
	return (struct net_connection *)stream;
}

static void start_timer(struct net_connection *connection) {
	lws_set_timer_usecs(connection->wsi, (lws_usec_t)connection->net->beat_ms * LWS_US_PER_MS);
}

void net_stream_open(struct net_connection *connection) {
	struct net *net = connection->net;
	connection->opened = true;
	start_timer(connection);
	net->handlers.opened(net->data, stream_of(connection));
}

void net_stream_gone(struct net_connection *connection) {
	struct net *net = connection->net;
	if (connection->opened) {
		connection->opened = false;
		net->handlers.closed(net->data, stream_of(connection));
	}
	g_clear_pointer(&connection->incoming, g_byte_array_unref);
	g_clear_pointer(&connection->close_reason, g_free);
}

static const char event_before[] = "data: ";
static const char event_after[] = "\n\n";
#define BEFORE (sizeof(event_before) - 1)
#define AFTER (sizeof(event_after) - 1)

/* One message of the handler's. Gives 0 when there is none, -1 when the connection failed. */
static int write_next(struct net_connection *connection) {
	struct net *net = connection->net;
	bool events = connection->kind == CONNECTION_EVENTS;
	size_t length = net->handlers.next(net->data, stream_of(connection));
	if (length == 0) {
		return 0;
	}
	uint8_t *to = net->scratch + LWS_PRE;
	if (events) {
		memcpy(to, event_before, BEFORE);
		memcpy(to + BEFORE + length, event_after, AFTER);
		length += BEFORE + AFTER;
	}
	return lws_write(connection->wsi, to, length, events ? LWS_WRITE_HTTP : LWS_WRITE_TEXT) < 0
		       ? -1
		       : 1;
}

/* To close from a "writable" callback is to close without a close frame: the timer does it. */
static int close_soon(struct net_connection *connection) {
	if (connection->kind == CONNECTION_EVENTS) {
		return -1;
	}
	if (!connection->bidden) {
		const char *reason = connection->close_reason;
		connection->bidden = true;
		lws_close_reason(connection->wsi, (enum lws_close_status)connection->close_code,
			(unsigned char *)reason, reason == NULL ? 0 : strlen(reason));
		lws_set_timer_usecs(connection->wsi, 1);
	}
	return 0;
}

static int write_ping(struct net_connection *connection) {
	uint8_t room[LWS_PRE + 2] = {[LWS_PRE] = ':', [LWS_PRE + 1] = '\n'};
	bool events = connection->kind == CONNECTION_EVENTS;
	connection->ping = false;
	/* A ping with something in it: of an empty answer libwebsockets does not tell. */
	return lws_write(connection->wsi, room + LWS_PRE, events ? 2 : 1,
		       events ? LWS_WRITE_HTTP : LWS_WRITE_PING) < 0
		       ? -1
		       : 1;
}

int net_stream_writable(struct net_connection *connection) {
	for (int i = 0; i < BURST; i++) {
		if (lws_send_pipe_choked(connection->wsi) != 0) {
			break;
		}
		int written = connection->bidden ? 0
			      : connection->ping ? write_ping(connection)
						 : write_next(connection);
		if (written < 0) {
			return -1;
		}
		if (written == 0) {
			return connection->close_code == 0 ? 0 : close_soon(connection);
		}
	}
	(void)lws_callback_on_writable(connection->wsi);
	return 0;
}

static int refuse(struct net_connection *connection, enum net_drop why, enum lws_close_status code,
	const char *reason) {
	net_dropped(connection->net, why);
	lws_close_reason(connection->wsi, code, (unsigned char *)reason, strlen(reason));
	return -1;
}

int net_stream_received(struct net_connection *connection, const char *bytes, size_t length) {
	struct net *net = connection->net;
	struct lws *wsi = connection->wsi;
	if (connection->close_code != 0) {
		return 0;
	}
	if (lws_frame_is_binary(wsi) != 0) {
		return refuse(connection, NET_DROP_MESSAGE_KIND,
			LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text only");
	}
	size_t before = connection->incoming == NULL ? 0 : connection->incoming->len;
	if (before + length > NET_MESSAGE_MAX) {
		return refuse(connection, NET_DROP_MESSAGE_SIZE, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE,
			"a message has at most 65536 bytes");
	}
	bool final = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
	if (final && before == 0) {
		connection->fragments = 0;
		net->handlers.message(net->data, stream_of(connection), bytes, length);
		return 0;
	}
	if (connection->incoming == NULL) {
		connection->incoming = g_byte_array_new();
		connection->fragments = 0;
	}
	if (++connection->fragments > FRAGMENTS_MAX) {
		return refuse(connection, NET_DROP_FRAGMENTS, LWS_CLOSE_STATUS_POLICY_VIOLATION,
			"a message in too many fragments");
	}
	g_byte_array_append(connection->incoming, (const guint8 *)bytes, (guint)length);
	if (final) {
		GByteArray *whole = g_steal_pointer(&connection->incoming);
		net->handlers.message(
			net->data, stream_of(connection), (const char *)whole->data, whole->len);
		g_byte_array_unref(whole);
	}
	return 0;
}

int net_stream_beat(struct net_connection *connection) {
	struct net *net = connection->net;
	if (connection->bidden) {
		return -1;
	}
	if (!net->handlers.beat(net->data, stream_of(connection))) {
		net_dropped(net, NET_DROP_SILENT);
		return -1;
	}
	start_timer(connection);
	return 0;
}

enum net_stream_kind net_stream_kind(const struct net_stream *stream) {
	return connection_of(stream)->kind == CONNECTION_WEBSOCKET ? NET_WEBSOCKET : NET_EVENTS;
}

void *net_stream_data(const struct net_stream *stream) {
	return connection_of(stream)->data;
}

void net_stream_set_data(struct net_stream *stream, void *data) {
	connection_of(stream)->data = data;
}

char *net_stream_space(struct net_stream *stream, size_t length) {
	const struct net_connection *connection = connection_of(stream);
	struct net *net = connection->net;
	size_t size = MAX(length + BEFORE + AFTER, SCRATCH_SIZE);
	/* A large room's list of members is the exception. */
	if (size > net->scratch_size || (size == SCRATCH_SIZE && net->scratch_size > size)) {
		net->scratch = g_realloc(net->scratch, LWS_PRE + size);
		net->scratch_size = size;
	}
	return (char *)net->scratch + LWS_PRE +
	       (connection->kind == CONNECTION_EVENTS ? BEFORE : 0);
}

void net_stream_wake(struct net_stream *stream) {
	(void)lws_callback_on_writable(connection_of(stream)->wsi);
}

void net_stream_ping(struct net_stream *stream) {
	connection_of(stream)->ping = true;
	net_stream_wake(stream);
}

void net_stream_close(struct net_stream *stream, unsigned code, const char *reason) {
	struct net_connection *connection = connection_of(stream);
	if (connection->close_code != 0) {
		return;
	}
	connection->close_code = (uint16_t)code;
	connection->close_reason = g_strdup(reason);
	/* Whoever takes nothing is closed all the same. */
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_SECONDS);
	(void)lws_callback_on_writable(connection->wsi);
}
