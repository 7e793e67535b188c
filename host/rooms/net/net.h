/*
 * The network below the rooms: one event loop, HTTP/1.1 requests, and streams, which carry text
 * messages to a client: a WebSocket, or Server-Sent Events. Only net*.c know libwebsockets, so that
 * it can be replaced. All of it runs on one thread.
 *
 * Bounds that hold here: 8 KiB of headers, 64 KiB of body, 64 KiB in a message that comes,
 * time-outs for headers, bodies and answers. Nothing is queued: a stream asks for the next message
 * when it can be sent.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_HEADERS_MAX 8192u
#define NET_BODY_MAX 65536u
#define NET_MESSAGE_MAX 65536u

struct net;
struct net_stream;

/* An IPv6 address, or an IPv4 one as IPv6 writes it. All zero: none (a unix socket). */
struct net_address {
	uint8_t bytes[16];
};

/* A request, complete with its body. Strings are "" for headers that were not sent, valid until the
 * callback returns. */
struct net_request {
	const char *method; /* "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT" or "PATCH" */
	const char *path;   /* decoded; begins with / and has no ".." */
	const char *query;
	const char *host;
	const char *origin;
	const char *authorization;
	const char *content_type;
	const char *if_none_match;
	const char *cookie;
	const char *last_event_id; /* of a page whose stream broke and that was pinged before */
	const char *forwarded_for; /* X-Forwarded-For; whom to trust is the caller's to know */
	const char *forwarded_proto;
	struct net_address peer; /* who is connected, which may be a proxy */
	bool secure;             /* over TLS */
	bool local;              /* from this machine: loopback, or the unix socket */
	bool unix_socket;
	bool subprotocol; /* for a WebSocket of ours, portlight-rooms.1 */
	const char *body;
	size_t length;
	struct net_transaction *transaction;
};

/* Why net ended something by itself: counted in /metrics. */
enum net_drop {
	NET_DROP_FULL,         /* no room for another connection, or of this address */
	NET_DROP_HEADERS,      /* headers that did not come in time, or past their bound */
	NET_DROP_BODY,         /* the same of a body */
	NET_DROP_ANSWER,       /* the answer was not taken in time */
	NET_DROP_MESSAGE_SIZE, /* a message past its bound */
	NET_DROP_MESSAGE_KIND, /* not text */
	NET_DROP_FRAGMENTS,    /* a message in too many pieces */
	NET_DROP_SILENT,       /* a peer that answers no ping */
	NET_DROP_REQUEST,      /* what is no request of HTTP/1.1, or of an unknown method */
	NET_DROP_TLS,          /* ended before TLS stood */
	NET_DROP_UPGRADE,      /* a WebSocket's handshake that is wrong */
	NET_DROP_UNMASKED,     /* a frame without a mask */
	NET_DROP_FRAME,        /* reserved bits or kinds, control frames in pieces, out of order */
	NET_DROP_CLOSE_CODE,   /* a close frame with a code that is none */
	NET_DROP_CONTROLS,     /* more pings and pongs than anybody needs */
	NET_DROP_UTF8,         /* text that is none */
	NET_DROPS
};

enum net_stream_kind { NET_WEBSOCKET, NET_EVENTS };

struct net_handlers {
	/* Must answer, by net_answer() or net_answer_events(), before it returns. */
	void (*request)(void *data, const struct net_request *request);
	/* Somebody wants a WebSocket. True takes it, with *stream_data as the stream's own;
	 * otherwise net_answer() was called. */
	bool (*upgrade)(void *data, const struct net_request *request, void **stream_data);
	void (*opened)(void *data, struct net_stream *stream);
	/* A whole message: valid UTF-8, not terminated. */
	void (*message)(void *data, struct net_stream *stream, const char *text, size_t length);
	/* The stream can be written: puts the next message into net_stream_space() and gives its
	 * length; 0 when there is none for now, and no space was asked for. */
	size_t (*next)(void *data, struct net_stream *stream);
	/* Every `beat_ms` of a stream. False ends it at once, and counts it as silent. */
	bool (*beat)(void *data, struct net_stream *stream);
	/* The answer to net_stream_ping() of a WebSocket. */
	void (*pong)(void *data, struct net_stream *stream);
	/* The stream is gone, perhaps before it opened; do not use it again. */
	void (*closed)(void *data, struct net_stream *stream);
	/* Every NET_TICK_MS. */
	void (*tick)(void *data, int64_t now_ms);
	void (*signal)(void *data, int number);
	void (*dropped)(void *data, enum net_drop why);
	/* Whether this address, which isn't this machine's, may have only so many connections: a
	 * proxy's are many people's. */
	bool (*crowds)(void *data, const struct net_address *address);
};

#define NET_TICK_MS 250

struct net_options {
	const char *address; /* numeric; NULL listens at `unix_path` */
	uint16_t port;       /* 0 for any */
	const char *unix_path;
	const char *second_address; /* where it listens too, without TLS; NULL: nowhere */
	uint16_t second_port;       /* likewise 0 for any */
	const char *certificate;    /* PEM files; NULL for none */
	const char *key;
	const char *server_name; /* in the header Server; NULL for none */
	unsigned connections_max;
	unsigned address_connections_max; /* of those that handlers.crowds counts */
	unsigned header_seconds;          /* for all headers of a request */
	unsigned body_seconds;            /* for a whole body, and for the taking of an answer */
	unsigned beat_ms;
};

/* Listens. NULL, with *problem telling why (g_free), when that fails. */
struct net *net_create(const struct net_options *options, const struct net_handlers *handlers,
	void *data, char **problem);

/* The port that it listens at, or 0. */
uint16_t net_port(const struct net *net);
uint16_t net_second_port(const struct net *net);

/* Runs until net_stop(). */
void net_run(struct net *net);
/* One round of the loop, without waiting; and a connected socket as if it had come to where net
 * listens. It is net's, also when that fails. For tests that need both in one process. */
void net_round(struct net *net);
bool net_adopt(struct net *net, int file);
void net_stop(struct net *net);
void net_destroy(struct net *net);

/* Milliseconds of the monotonic clock, as of this round of the loop. */
int64_t net_now_ms(const struct net *net);
/* Microseconds, now. */
int64_t net_now_us(void);

/* Connections, of all kinds. */
unsigned net_connections(const struct net *net);

/* Reads certificate and key again, for connections from now on. False, with *problem (g_free),
 * leaves those before. */
bool net_reload_certificate(struct net *net, char **problem);

/* `headers` are whole lines, each with its \r\n, or "". Takes no ownership; `body` is referenced.
 */
void net_answer(const struct net_request *request, unsigned status, const char *type,
	const char *headers, GBytes *body);
/* Answers with a stream of events. */
struct net_stream *net_answer_events(
	const struct net_request *request, const char *headers, void *stream_data);

enum net_stream_kind net_stream_kind(const struct net_stream *stream);
/* Whether a browser closed it because its page goes away, so that nobody will resume it. */
bool net_stream_left(const struct net_stream *stream);
void *net_stream_data(const struct net_stream *stream);
void net_stream_set_data(struct net_stream *stream, void *data);

/* Room for a message of `length` bytes, for `next` alone, which asks once for each. */
char *net_stream_space(struct net_stream *stream, size_t length);
/* There is something to send: `next` is called when it can be. */
void net_stream_wake(struct net_stream *stream);
/* Shows its client, and what is in between, that the stream lives: by a WebSocket's own ping, or an
 * id among the events, which is no event. */
void net_stream_ping(struct net_stream *stream);
/* Ends it after what `next` still gives, with a WebSocket's close code (1000, 1008, 4000…).
 * `closed` follows, later. */
void net_stream_close(struct net_stream *stream, unsigned code, const char *reason);
