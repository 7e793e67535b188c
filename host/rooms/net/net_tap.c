/*
 * Between libwebsockets and what its clients send. libwebsockets reads by recv() and SSL_read();
 * the program's own, at the end of this file, come first, as the linker has it. That is the one
 * place where these can be had without a change to the library:
 *
 * - It takes frames that are not masked, and tells nobody of pings.
 * - It makes its answer to a WebSocket's handshake in the buffer that also has what the client sent
 *   after the handshake, and so overwrites that. Here nothing is read past the end of a request.
 * - It closes without a word what is no request, and reads requests on a stream of events.
 *
 * Reads of other files than our clients' pass.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "rooms/net/net_parts.h"

/* Reads of bytes that nobody wants, before others have their turn. */
#define SWALLOW_READS 64
#define HEAD_END 4u

#define ANSWER(status, text)                                                                       \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n"                       \
	"Connection: close\r\n\r\n" text "\n"

struct refusal {
	enum net_drop why;
	const char *answer;
};

static const struct refusal too_long = {
	NET_DROP_HEADERS, ANSWER("431 Request Header Fields Too Large",
				  "A request has at most 8192 bytes before its body.")};
static const struct refusal no_request = {
	NET_DROP_REQUEST, ANSWER("400 Bad Request", "This is no request of HTTP/1.1.")};
static const struct refusal other_method = {
	NET_DROP_REQUEST, ANSWER("501 Not Implemented",
				  "There are GET, HEAD, POST, DELETE, OPTIONS, PUT and PATCH.")};
static const struct refusal http2 = {NET_DROP_REQUEST,
	ANSWER("505 HTTP Version Not Supported", "This server speaks HTTP/1.1 alone.")};

/* By their files. The library's reads name nothing else; there is one net and one thread. */
static struct net_connection **taps;
static size_t taps_size;

void net_tap_open(struct net_connection *connection) {
	int file = lws_get_socket_fd(connection->wsi);
	connection->tap.file = file;
	if (file < 0) {
		return;
	}
	if ((size_t)file >= taps_size) {
		size_t size = MAX((size_t)file + 1, 2 * taps_size);
		taps = g_renew(struct net_connection *, taps, size);
		memset(taps + taps_size, 0, (size - taps_size) * sizeof(struct net_connection *));
		taps_size = size;
	}
	taps[file] = connection;
}

void net_tap_close(struct net_connection *connection) {
	int file = connection->tap.file;
	/* The file may have another connection already. */
	if (file >= 0 && (size_t)file < taps_size && taps[file] == connection) {
		taps[file] = NULL;
	}
	if (connection->tap.again) {
		(void)g_queue_remove(&connection->net->unread, connection);
	}
}

static void reread(uv_idle_t *idle) {
	struct net *net = idle->data;
	/* Those that come again meanwhile wait for others to have their turn. */
	for (guint left = net->unread.length; left > 0; left--) {
		struct net_connection *connection = g_queue_pop_head(&net->unread);
		if (connection == NULL) {
			break;
		}
		connection->tap.again = false;
		struct lws_pollfd ready = {connection->tap.file, LWS_POLLIN, LWS_POLLIN};
		(void)lws_service_fd(net->context, &ready);
	}
	if (net->unread.length == 0) {
		(void)uv_idle_stop(idle);
	}
}

/* The library looks for more in TLS only after a read that was full. */
static void read_again(struct net_connection *connection) {
	struct net *net = connection->net;
	if (!connection->tap.again) {
		connection->tap.again = true;
		g_queue_push_tail(&net->unread, connection);
		(void)uv_idle_start(&net->rereader, reread);
	}
}

bool net_tap_start(struct net *net) {
	net->rereader.data = net;
	g_queue_init(&net->unread);
	return uv_idle_init(&net->loop, &net->rereader) == 0;
}

void net_tap_finish(void) {
	g_clear_pointer(&taps, g_free);
	taps_size = 0;
}

static struct net_connection *connection_of(int file) {
	return file >= 0 && (size_t)file < taps_size ? taps[file] : NULL;
}

struct source {
	SSL *ssl; /* NULL: not over TLS */
	int file;
};

/* As recv(): what failed is in errno, or in `ssl`. */
static ssize_t take(const struct source *from, void *to, size_t size, bool peek) {
	if (from->ssl != NULL) {
		size_t got = 0;
		int done = peek ? SSL_peek_ex(from->ssl, to, size, &got)
				: SSL_read_ex(from->ssl, to, size, &got);
		return done == 1 ? (ssize_t)got : -1;
	}
	g_assert(from->file >= 0);
	return recvfrom(from->file, to, size, peek ? MSG_PEEK : 0, NULL, NULL);
}

/* Until there is nothing for now, as the library then hears. */
static ssize_t swallow(const struct source *from, void *to, size_t size) {
	for (int i = 0; i < SWALLOW_READS; i++) {
		ssize_t got = take(from, to, size, false);
		if (got <= 0) {
			return got;
		}
	}
	errno = EAGAIN;
	return -1;
}

static const struct refusal *check_method(const struct net_tap *tap) {
	static const char *const names[] = {
		"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strlen(names[i]) == tap->method_length &&
			memcmp(names[i], tap->method, tap->method_length) == 0) {
			return NULL;
		}
	}
	return tap->method_length == 3 && memcmp(tap->method, "PRI", 3) == 0 ? &http2
									     : &other_method;
}

/* A byte before the request's target. */
static const struct refusal *add_method(struct net_tap *tap, uint8_t byte) {
	if (byte == ' ' && tap->method_length > 0) {
		tap->method_known = true;
		return check_method(tap);
	}
	if (tap->method_length == 0 && (byte == '\r' || byte == '\n')) {
		return NULL;
	}
	if (byte < 'A' || byte > 'Z') {
		return &no_request;
	}
	if (tap->method_length == sizeof(tap->method)) {
		return &other_method;
	}
	tap->method[tap->method_length++] = (char)byte;
	return NULL;
}

/* Lines end by both bytes and nothing else is below a space, so that nobody, not libwebsockets
 * either, takes another place for the end of the headers. */
static bool fits(const struct net_tap *tap, uint8_t byte) {
	bool ended = tap->ending % 2 == 1;
	return ended ? byte == '\n' : byte != '\n' && (byte >= ' ' || byte == '\r' || byte == '\t');
}

/* Follows a request up to its body. Gives how many bytes are its own; or sets *refusal. */
static size_t follow_head(
	struct net_tap *tap, const uint8_t *bytes, size_t length, const struct refusal **refusal) {
	static const char end[] = "\r\n\r\n";
	if (tap->ending == HEAD_END) {
		tap->ending = tap->method_length = 0;
		tap->head = 0;
		tap->method_known = tap->taken = false;
	}
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = bytes[i];
		*refusal = ++tap->head > NET_HEADERS_MAX ? &too_long
			   : !fits(tap, byte)            ? &no_request
			   : tap->method_known           ? NULL
							 : add_method(tap, byte);
		if (*refusal != NULL) {
			return i;
		}
		tap->ending = byte == (uint8_t)end[tap->ending] ? tap->ending + 1 : 0;
		if (tap->ending == HEAD_END) {
			return i + 1;
		}
	}
	return length;
}

bool net_tap_at_request_end(const struct net_connection *connection) {
	return connection->tap.ending == HEAD_END;
}

static ssize_t refuse(struct net_connection *connection, const struct source *from,
	const struct refusal *refusal, void *scratch, size_t size) {
	net_dropped(connection->net, refusal->why);
	connection->tap.dead = true;
	/* What is unread at the end would take the answer with it. */
	ssize_t got = swallow(from, scratch, size);
	if (connection->transaction != NULL) {
		connection->transaction->close = true;
		return got;
	}
	size_t length = strlen(refusal->answer);
	if (from->ssl != NULL) {
		(void)SSL_write(from->ssl, refusal->answer, (int)length);
	} else {
		g_assert(from->file >= 0);
		(void)send(from->file, refusal->answer, length, MSG_NOSIGNAL);
	}
	return 0; /* as if the client had closed */
}

static ssize_t read_head(
	struct net_connection *connection, const struct source *from, void *to, size_t size) {
	ssize_t got = take(from, to, size, true);
	if (got <= 0) {
		return got;
	}
	const struct refusal *refusal = NULL;
	size_t own = follow_head(&connection->tap, to, (size_t)got, &refusal);
	return refusal != NULL ? refuse(connection, from, refusal, to, size)
			       : take(from, to, own, false);
}

static ssize_t read_frames(
	struct net_connection *connection, const struct source *from, void *to, size_t size) {
	ssize_t got = take(from, to, size, false);
	if (got <= 0) {
		return got;
	}
	const struct net_fault *fault = NULL;
	size_t good = net_frames_follow(&connection->tap.frames, to, (size_t)got, &fault);
	if (fault == NULL) {
		return got;
	}
	connection->tap.dead = true;
	net_stream_condemn(connection, fault->why, fault->code, fault->reason);
	return good > 0 ? (ssize_t)good : swallow(from, to, size);
}

static ssize_t read_by_kind(
	struct net_connection *connection, const struct source *from, void *to, size_t size) {
	struct net_tap *tap = &connection->tap;
	const struct net_transaction *transaction = connection->transaction;
	if (tap->dead || connection->kind == CONNECTION_EVENTS ||
		(transaction != NULL && transaction->close)) {
		return swallow(from, to, size);
	}
	if (connection->kind == CONNECTION_WEBSOCKET) {
		return read_frames(connection, from, to, size);
	}
	if (tap->body == 0) {
		return read_head(connection, from, to, size);
	}
	ssize_t got = take(from, to, MIN(size, tap->body), false);
	tap->body -= got > 0 ? (size_t)got : 0;
	return got;
}

static ssize_t read_tapped(
	struct net_connection *connection, const struct source *from, void *to, size_t size) {
	struct net_tap *tap = &connection->tap;
	ssize_t got = read_by_kind(connection, from, to, size);
	if (from->ssl != NULL) {
		tap->heard |= SSL_is_init_finished(from->ssl) != 0;
		tap->over = got <= 0 && !SSL_want_read(from->ssl) && !SSL_want_write(from->ssl);
	} else {
		tap->over = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
	}
	return got;
}

/* For libwebsockets alone: nothing else of the program reads by them. */
#define FOR_LIBRARY(name) __asm__(name)
ssize_t net_tap_recv(int file, void *to, size_t size, int flags) FOR_LIBRARY("recv");
int net_tap_ssl_read(SSL *ssl, void *to, int size) FOR_LIBRARY("SSL_read");

ssize_t net_tap_recv(int file, void *to, size_t size, int flags) {
	if (file < 0) {
		errno = EBADF;
		return -1;
	}
	struct net_connection *connection = flags == 0 ? connection_of(file) : NULL;
	const struct source from = {NULL, file};
	return connection == NULL ? recvfrom(file, to, size, flags, NULL, NULL)
				  : read_tapped(connection, &from, to, size);
}

int net_tap_ssl_read(SSL *ssl, void *to, int size) {
	struct net_connection *connection = connection_of(SSL_get_fd(ssl));
	const struct source from = {ssl, -1};
	if (connection == NULL) {
		return (int)take(&from, to, (size_t)size, false);
	}
	ssize_t got = read_tapped(connection, &from, to, (size_t)size);
	if (got > 0 && got < size && SSL_pending(ssl) > 0) {
		read_again(connection);
	}
	return (int)got;
}
