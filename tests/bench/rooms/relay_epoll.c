/*
 * The practical limit: the bare relay on epoll. "#name" logs in, "@name text" is relayed; a frame
 * that does not come in one piece, or whose reader is 256 KiB behind, ends its connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MOST (256 * 1024)

struct peer {
	int fd;
	bool upgraded;
	GByteArray *in;  /* an incomplete frame */
	GByteArray *out; /* what the socket did not take */
	char *name;
};

static int epoll;
static GHashTable *names;
static uint8_t bytes[OUT_MOST];

static void watch(struct peer *peer, int how) {
	struct epoll_event event = {
		.events = EPOLLIN | (peer->out != NULL ? (uint32_t)EPOLLOUT : 0U),
		.data.ptr = peer};
	(void)epoll_ctl(epoll, how, peer->fd, &event);
}

static void drop(struct peer *peer) {
	if (peer->name != NULL && g_hash_table_lookup(names, peer->name) == peer) {
		g_hash_table_remove(names, peer->name);
	}
	(void)close(peer->fd);
	g_clear_pointer(&peer->in, g_byte_array_unref);
	g_clear_pointer(&peer->out, g_byte_array_unref);
	g_free(peer->name);
	g_free(peer);
}

static void put(struct peer *peer, const uint8_t *text, size_t length) {
	ssize_t sent = peer->out != NULL ? 0 : send(peer->fd, text, length, MSG_NOSIGNAL);
	size_t done = sent > 0 ? (size_t)sent : 0;
	if (done == length) {
		return;
	}
	bool first = peer->out == NULL;
	if (first) {
		peer->out = g_byte_array_new();
	}
	g_byte_array_append(peer->out, text + done, (guint)(length - done));
	if (peer->out->len > OUT_MOST) {
		(void)shutdown(peer->fd, SHUT_RDWR); /* its event drops it */
	} else if (first) {
		watch(peer, EPOLL_CTL_MOD);
	}
}

static void say(struct peer *peer, const char *text, size_t length) {
	static uint8_t frame[OUT_MOST];
	size_t at = 0;
	frame[at++] = 0x81;
	if (length < 126) {
		frame[at++] = (uint8_t)length;
	} else {
		frame[at++] = 126;
		frame[at++] = (uint8_t)(length >> 8);
		frame[at++] = (uint8_t)length;
	}
	memcpy(frame + at, text, length);
	put(peer, frame, at + length);
}

static void on_text(struct peer *peer, char *text, size_t length) {
	if (length > 1 && text[0] == '#') {
		peer->name = g_strndup(text + 1, length - 1);
		(void)g_hash_table_replace(names, peer->name, peer);
		say(peer, "ok", 2);
		return;
	}
	char *space = memchr(text, ' ', length);
	if (length > 1 && text[0] == '@' && space != NULL) {
		*space = '\0';
		struct peer *to = g_hash_table_lookup(names, text + 1);
		if (to != NULL) {
			say(to, space + 1, length - (size_t)(space + 1 - text));
		}
	}
}

/* Bytes used; 0: not complete; -1: end. */
static ssize_t on_frame(struct peer *peer, uint8_t *at, size_t length) {
	size_t head = length > 1 && (at[1] & 0x7f) == 126 ? 8 : 6;
	if (length < head) {
		return 0;
	}
	size_t payload = head == 8 ? (size_t)at[2] << 8 | at[3] : at[1] & 0x7f;
	if ((at[0] & 0x0f) != 1 || payload == 127) {
		return -1;
	}
	if (length < head + payload) {
		return 0;
	}
	const uint8_t *mask = at + head - 4;
	uint8_t *text = at + head;
	for (size_t i = 0; i < payload; i++) {
		text[i] ^= mask[i & 3];
	}
	on_text(peer, (char *)text, payload);
	return (ssize_t)(head + payload);
}

static ssize_t on_handshake(struct peer *peer, const uint8_t *at, size_t length) {
	static const char name[] = "Sec-WebSocket-Key: ";
	const uint8_t *last = memmem(at, length, "\r\n\r\n", 4);
	const char *key = memmem(at, length, name, sizeof(name) - 1);
	if (last == NULL || key == NULL) {
		return 0;
	}
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	uint8_t digest[20];
	gsize size = sizeof(digest);
	g_checksum_update(sum, (const guchar *)key + sizeof(name) - 1, 24);
	g_checksum_update(sum, (const guchar *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
	g_checksum_get_digest(sum, digest, &size);
	g_autofree char *accept = g_base64_encode(digest, size);
	g_autofree char *answer =
		g_strdup_printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			accept);
	peer->upgraded = true;
	put(peer, (const uint8_t *)answer, strlen(answer));
	return last + 4 - at;
}

/* False: the connection is to end. */
static bool on_readable(struct peer *peer) {
	size_t have = 0;
	if (peer->in != NULL) {
		have = peer->in->len;
		memcpy(bytes, peer->in->data, have);
		g_clear_pointer(&peer->in, g_byte_array_unref);
	}
	ssize_t got = recv(peer->fd, bytes + have, sizeof(bytes) - have, 0);
	if (got <= 0) {
		return got < 0 && errno == EAGAIN;
	}
	size_t length = have + (size_t)got;
	size_t at = 0;
	while (at < length) {
		ssize_t used = peer->upgraded ? on_frame(peer, bytes + at, length - at)
					      : on_handshake(peer, bytes + at, length - at);
		if (used < 0) {
			return false;
		}
		if (used == 0) {
			peer->in = g_byte_array_new();
			g_byte_array_append(peer->in, bytes + at, (guint)(length - at));
			break;
		}
		at += (size_t)used;
	}
	return true;
}

static void on_writable(struct peer *peer) {
	GByteArray *out = g_steal_pointer(&peer->out);
	if (out != NULL) {
		put(peer, out->data, out->len);
		g_byte_array_unref(out);
		watch(peer, EPOLL_CTL_MOD);
	}
}

static void on_incoming(int listener) {
	int fd = -1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		int one = 1;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		struct peer *peer = g_new0(struct peer, 1);
		peer->fd = fd;
		watch(peer, EPOLL_CTL_ADD);
	}
}

static int begin(void) {
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	names = g_hash_table_new(g_str_hash, g_str_equal);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	struct epoll_event event = {.events = EPOLLIN};
	if (epoll < 0 || listener < 0 || bind(listener, (struct sockaddr *)&at, size) != 0 ||
		listen(listener, 4096) != 0 ||
		getsockname(listener, (struct sockaddr *)&at, &size) != 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
		perror("relay_epoll");
		exit(1);
	}
	(void)printf("%u\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	return listener;
}

int main(void) {
	int listener = begin();
	for (;;) {
		struct epoll_event events[512];
		int count = epoll_wait(epoll, events, 512, -1);
		for (int i = 0; i < count; i++) {
			struct peer *peer = events[i].data.ptr;
			if (peer == NULL) {
				on_incoming(listener);
				continue;
			}
			if ((events[i].events & EPOLLOUT) != 0) {
				on_writable(peer);
			}
			if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 &&
				!on_readable(peer)) {
				drop(peer);
			}
		}
	}
}
