#include <string.h>

#include "rooms/net/net_parts.h"

/* For the peer to take what is left, and to answer the close frame. */
#define CLOSE_SECONDS 3
/* A message of 64 KiB in pieces smaller than these is somebody's play. */
#define FRAGMENTS_MAX 128u

static struct net_connection *connection_of(const struct net_stream *stream) {
	return (struct net_connection *)stream;
}

void net_stream_open(struct net_connection *connection) {
	struct net *net = connection->net;
	connection->opened = true;
	/* The first beats are spread over the turns: where thousands connect at once, messages
	 * would wait for the beats of all of them. */
	unsigned turns = MAX(1, net->beat_ms / NET_TICK_MS);
	net_due_in(connection, net->beat_ms - net->streams_opened++ % turns * NET_TICK_MS);
	net->handlers.opened(net->data, stream_of(connection));
}

/* Takes it out of the list of those that have something to send. */
static void sleep_again(struct net_connection *connection) {
	if (connection->wake_link != NULL) {
		*connection->wake_link = connection->wake_next;
		if (connection->wake_next != NULL) {
			connection->wake_next->wake_link = connection->wake_link;
		}
		connection->wake_link = NULL;
		connection->net->awake_count--;
	}
}

void net_stream_gone(struct net_connection *connection) {
	struct net *net = connection->net;
	sleep_again(connection);
	connection->opened = false;
	if (connection->data != NULL) {
		net->handlers.closed(net->data, stream_of(connection));
		connection->data = NULL;
	}
	g_clear_pointer(&connection->incoming, g_byte_array_unref);
	g_clear_pointer(&connection->close_reason, g_free);
}

static const char event_before[] = "data: ";
static const char event_after[] = "\n\n";
#define EVENT_BEFORE (sizeof(event_before) - 1)
#define EVENT_AFTER (sizeof(event_after) - 1)
/* A frame's header: text, in one piece, not masked. */
#define FRAME_TEXT 0x81u
#define FRAME_16 126u
#define FRAME_64 127u
#define FRAME_HEADER_MAX 10u

static size_t write_header(uint8_t *to, size_t length) {
	unsigned more = length < FRAME_16 ? 0 : length <= UINT16_MAX ? 2 : 8;
	to[0] = FRAME_TEXT;
	to[1] = (uint8_t)(more == 0 ? length : more == 2 ? FRAME_16 : FRAME_64);
	for (unsigned i = 0; i < more; i++) {
		to[2 + i] = (uint8_t)(length >> 8 * (more - 1 - i));
	}
	return 2 + more;
}

static int write_ping(struct net_connection *connection) {
	/* Of a WebSocket's ping with nothing in it libwebsockets does not tell the answer. */
	static const char text[] = "id: 1\n\n";
	uint8_t *to = connection->net->scratch + LWS_PRE;
	bool events = connection->kind == CONNECTION_EVENTS;
	connection->ping = false;
	memcpy(to, text, sizeof(text) - 1);
	return lws_write(connection->wsi, to, sizeof(text) - 1,
		       events ? LWS_WRITE_HTTP : LWS_WRITE_PING) < 0
		       ? -1
		       : 1;
}

/* As many of the handler's messages as go together, in one write: most of a message's cost is the
 * system call's. Gives whether there may be more, or -1 when the connection failed. */
static int write_some(struct net_connection *connection) {
	struct net *net = connection->net;
	bool events = connection->kind == CONNECTION_EVENTS;
	size_t length = 0;
	if (connection->ping && write_ping(connection) < 0) {
		return -1;
	}
	net->scratch_used = 0;
	do {
		length = net->handlers.next(net->data, stream_of(connection));
		if (length > 0 && events) {
			memcpy(net->scratch + LWS_PRE + net->scratch_used, event_after,
				EVENT_AFTER);
			net->scratch_used += EVENT_AFTER;
		}
	} while (length > 0 && net->scratch_used < TOGETHER_SIZE);
	/* LWS_WRITE_HTTP writes bytes as they stand on a WebSocket, too. */
	if (net->scratch_used > 0 && lws_write(connection->wsi, net->scratch + LWS_PRE,
					     net->scratch_used, LWS_WRITE_HTTP) < 0) {
		return -1;
	}
	return length > 0;
}

/* To close from a "writable" callback is to close without a close frame: the timer does it. */
static int close_soon(struct net_connection *connection) {
	if (connection->kind == CONNECTION_EVENTS) {
		return -1;
	}
	if (!connection->bidden) {
		connection->bidden = true;
		net_end_soon(connection);
	}
	return 0;
}

int net_stream_writable(struct net_connection *connection) {
	/* Whoever takes less than it is given gets no more for now. */
	int more = connection->bidden || lws_partial_buffered(connection->wsi) != 0
			   ? 0
			   : write_some(connection);
	if (more < 0) {
		return -1;
	}
	if (more > 0) {
		(void)lws_callback_on_writable(connection->wsi);
		return 0;
	}
	return connection->close_code == 0 ? 0 : close_soon(connection);
}

/* One loop's messages to a stream go together, and without waiting for poll to find it writable. */
void net_streams_flush(struct net *net, unsigned least) {
	if (net->awake_count < least) {
		return;
	}
	while (net->awake != NULL) {
		struct net_connection *connection = net->awake;
		sleep_again(connection);
		bool later =
			connection->close_code != 0 || lws_partial_buffered(connection->wsi) != 0;
		int more = later ? 1 : write_some(connection);
		if (more > 0) {
			(void)lws_callback_on_writable(connection->wsi);
		} else if (more < 0) {
			net_end_soon(connection);
		}
	}
}

void net_stream_condemn(
	struct net_connection *connection, enum net_drop why, unsigned code, const char *reason) {
	net_dropped(connection->net, why);
	g_free(connection->close_reason);
	connection->close_code = (uint16_t)code;
	connection->close_reason = g_strdup(reason);
	(void)close_soon(connection);
}

static int refuse(
	struct net_connection *connection, enum net_drop why, unsigned code, const char *reason) {
	connection->tap.dead = true;
	connection->deaf = true;
	net_stream_condemn(connection, why, code, reason);
	return 0;
}

static int refuse_text(struct net_connection *connection) {
	return refuse(connection, NET_DROP_UTF8, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "text is UTF-8");
}

int net_stream_received(struct net_connection *connection, const char *bytes, size_t length) {
	struct net *net = connection->net;
	struct lws *wsi = connection->wsi;
	if (connection->deaf) {
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
		if (!g_utf8_validate_len(bytes, length, NULL)) {
			return refuse_text(connection);
		}
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
		g_autoptr(GByteArray) whole = g_steal_pointer(&connection->incoming);
		if (!g_utf8_validate_len((const char *)whole->data, whole->len, NULL)) {
			return refuse_text(connection);
		}
		net->handlers.message(
			net->data, stream_of(connection), (const char *)whole->data, whole->len);
	}
	return 0;
}

int net_stream_last(struct net_connection *connection) {
	const char *reason = connection->close_reason;
	if (connection->bidden) {
		/* Not earlier: pings that come use the same room of libwebsockets'. */
		lws_close_reason(connection->wsi, (enum lws_close_status)connection->close_code,
			(unsigned char *)reason, reason == NULL ? 0 : strlen(reason));
	}
	return -1;
}

int net_stream_beat(struct net_connection *connection) {
	struct net *net = connection->net;
	if (connection->bidden) {
		return net_stream_last(connection);
	}
	connection->tap.frames.controls = 0;
	if (!net->handlers.beat(net->data, stream_of(connection))) {
		net_dropped(net, NET_DROP_SILENT);
		/* Who reads nothing takes no last word either: libwebsockets would wait 5 s for
		 * that. */
		lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
		return 0;
	}
	net_due_in(connection, net->beat_ms);
	return 0;
}

bool net_stream_left(const struct net_stream *stream) {
	return connection_of(stream)->tap.frames.away;
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
	bool events = connection->kind == CONNECTION_EVENTS;
	size_t size = MAX(
		net->scratch_used + FRAME_HEADER_MAX + length + EVENT_AFTER, (size_t)SCRATCH_SIZE);
	/* A large room's list of members is the exception. */
	if (size > net->scratch_size || (size == SCRATCH_SIZE && net->scratch_size > size)) {
		net->scratch = g_realloc(net->scratch, LWS_PRE + size);
		net->scratch_size = size;
	}
	uint8_t *to = net->scratch + LWS_PRE + net->scratch_used;
	size_t before = events ? EVENT_BEFORE : write_header(to, length);
	if (events) {
		memcpy(to, event_before, EVENT_BEFORE);
	}
	net->scratch_used += before + length;
	return (char *)to + before;
}

void net_stream_wake(struct net_stream *stream) {
	struct net_connection *connection = connection_of(stream);
	struct net *net = connection->net;
	if (connection->wake_link != NULL || !connection->opened) {
		return;
	}
	connection->wake_next = net->awake;
	connection->wake_link = &net->awake;
	if (net->awake != NULL) {
		net->awake->wake_link = &connection->wake_next;
	}
	net->awake = connection;
	net->awake_count++;
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
	connection->deaf = true;
	connection->close_code = (uint16_t)code;
	connection->close_reason = g_strdup(reason);
	/* Whoever takes nothing is closed all the same. */
	lws_set_timeout(connection->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_SECONDS);
	(void)lws_callback_on_writable(connection->wsi);
}
