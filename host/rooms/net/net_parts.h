/* What net's files share. Only they include libwebsockets. */
#pragma once

#include <libwebsockets.h>
#include <uv.h>

#include "rooms/net/net.h"
#include "rooms/net/net_frames.h"

enum connection_kind { CONNECTION_HTTP, CONNECTION_WEBSOCKET, CONNECTION_EVENTS };

/* What is sent of an answer, and what came of a request with a body. */
struct net_transaction {
	struct net_connection *connection;
	char *strings;      /* the headers' text, one after the other */
	GByteArray *body;   /* what came of it */
	size_t body_length; /* what is to come */
	GString *head;      /* the answer's */
	GBytes *answer;
	size_t sent; /* of `answer` */
	bool answered;
	bool close; /* the connection, after the answer */
	struct net_request request;
};

/* How far a connection has been read, for what libwebsockets does not tell. */
struct net_tap {
	struct net_frames frames;
	size_t body;   /* of the request, to come */
	unsigned head; /* bytes of the request that came, without its body */
	int file;
	char method[8];
	uint8_t method_length;
	bool method_known;
	uint8_t ending; /* how much of the empty line after the headers has come */
	bool taken;     /* libwebsockets told of the request */
	bool over;      /* the client closed, or is gone */
	bool heard;     /* over TLS, which stands */
	bool again;     /* it is among the net's `unread` */
	bool dead;      /* what comes is of no interest */
};

/* One per connection; a stream is one that got that far. */
struct net_connection {
	struct lws *wsi;
	struct net *net;
	struct net_tap tap;
	struct net_transaction *transaction; /* HTTP only */
	void *data;                          /* the stream's */
	struct net_crowd *crowd;             /* those of its address; NULL: not counted */
	GByteArray *incoming;                /* a message of which more is to come */
	char *close_reason;
	struct net_connection *due_next; /* in the wheel */
	struct net_connection **due_link;
	struct net_connection *wake_next; /* of those that have something to send */
	struct net_connection **wake_link;
	uint32_t due;        /* the turn */
	uint16_t close_code; /* 0: stays open */
	uint16_t fragments;
	uint8_t kind;
	bool deaf;      /* messages that come do not matter any longer */
	bool opened;    /* as a stream, and not told closed yet */
	bool ping;      /* due */
	bool bidden;    /* its close frame is next */
	bool served;    /* a request has been answered */
	bool upgrading; /* asked for a WebSocket, and has none yet */
};

/* To the handlers a stream is a connection. */
static inline struct net_stream *stream_of(struct net_connection *connection) {
	return (struct net_stream *)connection;
}

#define NET_WHEEL 64u /* turns, of NET_TICK_MS each */

struct net {
	uv_loop_t loop;
	uv_timer_t ticker;
	uv_prepare_t flusher;
	uv_signal_t signals[4];
	uv_idle_t rereader;
	GQueue unread;  /* connections of which TLS has bytes that no file tells of */
	bool admitting; /* libwebsockets has yet to make a connection of one who was let in */
	struct lws_context *context;
	struct lws_vhost *host;
	struct lws_vhost *second; /* NULL: none */
	struct net_handlers handlers;
	void *data;
	char *unix_path;
	char *certificate;
	char *key;
	char *server_name;
	SSL_CTX *tls;
	unsigned connections;
	unsigned connections_max;
	unsigned address_connections_max;
	GTree *crowds; /* struct net_crowd, by its address */
	unsigned header_seconds;
	unsigned body_seconds;
	unsigned beat_ms;
	unsigned streams_opened;
	struct net_connection *wheel[NET_WHEEL];
	uint32_t turn;
	struct net_connection *awake;
	unsigned awake_count;
	uint8_t *scratch; /* LWS_PRE bytes, then scratch_size for what is sent */
	size_t scratch_size;
	size_t scratch_used; /* by messages that go together */
	bool stopped;
};

/* Messages that go together, and one of the largest after them. */
#define TOGETHER_SIZE 16384u
#define SCRATCH_SIZE (TOGETHER_SIZE + 66048u)

void net_dropped(struct net *net, enum net_drop why);
/* It is due: non-zero ends it. */
int net_on_due(struct net_connection *connection);
/* Ends it outside of a callback of its own: a close frame, if it has a reason, can go first. */
void net_end_soon(struct net_connection *connection);

/* net_wheel.c */
/* Replaces what was set before. A tick late, at most. */
void net_due_in(struct net_connection *connection, unsigned ms);
void net_due_never(struct net_connection *connection);
void net_wheel_turn(struct net *net);

/* net_peers.c */
struct net_peer {
	struct net_address address;
	bool local;
	bool unix_socket;
};
void net_peer_read(int file, struct net_peer *peer);
void net_crowds_open(struct net *net);
/* Whether who connects by this socket has as many connections as one address may. */
bool net_crowded(struct net *net, int file);
/* Counts one more; NULL: of this address they aren't counted. */
struct net_crowd *net_crowd_join(struct net *net, int file);
/* Takes NULL. */
void net_crowd_leave(struct net *net, struct net_crowd *crowd);

/* net_http.c: what libwebsockets calls for HTTP and for the time before a stream. Non-zero closes.
 */
int net_http_request(struct net_connection *connection);
int net_http_body(struct net_connection *connection, const void *bytes, size_t length);
int net_http_writable(struct net_connection *connection);
/* Begins a transaction, its request read from the headers. False when there is no path. */
bool net_http_begin(struct net_connection *connection);
/* What a WebSocket needs, and libwebsockets does not ask for or refuses without a word. */
int net_http_check_upgrade(struct net_connection *connection, const char *protocol);
void net_http_end(struct net_connection *connection);
/* Writes the answer at once, as far as it goes: for the refusal of an upgrade. */
void net_http_write_now(struct net_connection *connection);

/* net_stream.c */
void net_stream_open(struct net_connection *connection);
int net_stream_writable(struct net_connection *connection);
int net_stream_received(struct net_connection *connection, const char *bytes, size_t length);
int net_stream_beat(struct net_connection *connection);
/* Its time has come: -1, with the close frame's code and reason where there is one. */
int net_stream_last(struct net_connection *connection);
void net_stream_gone(struct net_connection *connection);
/* Ends a stream whose client broke the rules: counted, and closed with this code. */
void net_stream_condemn(
	struct net_connection *connection, enum net_drop why, unsigned code, const char *reason);

/* net_tap.c: a connection's reads, from the time that it is there. */
void net_tap_open(struct net_connection *connection);
void net_tap_close(struct net_connection *connection);
bool net_tap_start(struct net *net);
void net_tap_finish(void);
/* Whether the bytes that libwebsockets has end where a request's headers do. */
bool net_tap_at_request_end(const struct net_connection *connection);
/* Sends what all that were woken have, if those are `least` or more. */
void net_streams_flush(struct net *net, unsigned least);
/* A loop may bring ten thousand events: the first ones' answers don't wait for all. */
#define NET_AWAKE_MAX 128u

/* net_tls.c: certificate and key, checked with each other, into `tls`. */
bool net_tls_load(SSL_CTX *tls, const char *certificate, const char *key, char **problem);
