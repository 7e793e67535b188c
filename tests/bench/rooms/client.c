#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define READ_SIZE (256 * 1024)

static struct {
	int epoll;
	struct sockaddr_in server;
	struct client_handlers handlers;
	uint8_t bytes[READ_SIZE];
} all;

static void die(const char *what) {
	perror(what);
	exit(1);
}

int64_t clients_now(void) {
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clients_begin(uint16_t port, const struct client_handlers *handlers) {
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	all.handlers = *handlers;
	all.server = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	if (all.epoll < 0 || epoll_ctl(all.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) {
		die("epoll");
	}
}

static void watch(struct client *client, int how) {
	uint32_t wanted = (client->deaf ? 0U : (uint32_t)EPOLLIN) | EPOLLRDHUP |
			  (client->out_length > 0 || !client->asked ? (uint32_t)EPOLLOUT : 0U);
	struct epoll_event event = {.events = wanted, .data.ptr = client};
	if (epoll_ctl(all.epoll, how, client->fd, &event) != 0) {
		die("epoll_ctl");
	}
}

void client_drop(struct client *client) {
	if (client->fd >= 0) {
		(void)close(client->fd);
	}
	free(client->in);
	free(client->out);
	*client = (struct client){.fd = -1, .protocol = client->protocol};
}

static void end(struct client *client) {
	client_drop(client);
	all.handlers.closed(client);
}

void client_connect(struct client *client, const char *protocol) {
	*client = (struct client){.protocol = protocol};
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		die("socket");
	}
	int one = 1;
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(client->fd, (struct sockaddr *)&all.server, sizeof(all.server)) != 0 &&
		errno != EINPROGRESS) {
		/* The server is away: the next event says so. */
		(void)shutdown(client->fd, SHUT_RDWR);
	}
	watch(client, EPOLL_CTL_ADD);
}

static void keep_out(struct client *client, const uint8_t *bytes, size_t length) {
	if (client->out_room - client->out_length < length) {
		client->out_room = 2 * (client->out_length + length);
		client->out = realloc(client->out, client->out_room);
		if (client->out == NULL) {
			die("realloc");
		}
	}
	memcpy(client->out + client->out_length, bytes, length);
	client->out_length += length;
}

static void write_bytes(struct client *client, const uint8_t *bytes, size_t length) {
	ssize_t sent = client->out_length > 0 ? 0 : send(client->fd, bytes, length, MSG_NOSIGNAL);
	/* A broken connection is told by an event. */
	size_t done = sent > 0 ? (size_t)sent : 0;
	if (done < length) {
		bool first = client->out_length == 0;
		keep_out(client, bytes + done, length - done);
		if (first && client->asked) {
			watch(client, EPOLL_CTL_MOD);
		}
	}
}

void client_send(struct client *client, const char *text, size_t length) {
	static uint8_t frame[READ_SIZE];
	static const uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x8e};
	if (client->fd < 0) {
		return;
	}
	size_t at = 0;
	frame[at++] = 0x81;
	if (length < 126) {
		frame[at++] = (uint8_t)(0x80 | length);
	} else {
		frame[at++] = 0x80 | 126;
		frame[at++] = (uint8_t)(length >> 8);
		frame[at++] = (uint8_t)length;
	}
	memcpy(frame + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < length; i++) {
		frame[at + i] = (uint8_t)text[i] ^ mask[i & 3];
	}
	write_bytes(client, frame, at + length);
}

void client_go_deaf(struct client *client) {
	client->deaf = true;
	watch(client, EPOLL_CTL_MOD);
}

static void ask_upgrade(struct client *client) {
	char text[512];
	int length = snprintf(text, sizeof(text),
		"GET /v1/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n%s%s%s\r\n",
		client->protocol == NULL ? "" : "Sec-WebSocket-Protocol: ",
		client->protocol == NULL ? "" : client->protocol,
		client->protocol == NULL ? "" : "\r\n");
	client->asked = true;
	write_bytes(client, (const uint8_t *)text, (size_t)length);
	watch(client, EPOLL_CTL_MOD);
}

/* One frame of the server's: gives its length, 0 when it is not complete, -1 when the server
 * closes. */
static ssize_t take_frame(struct client *client, const uint8_t *bytes, size_t length) {
	size_t head = 2;
	if (length < head) {
		return 0;
	}
	size_t payload = bytes[1] & 0x7f;
	if (payload >= 126) {
		size_t more = payload == 126 ? 2 : 8;
		head += more;
		if (length < head) {
			return 0;
		}
		payload = 0;
		for (size_t i = 2; i < head; i++) {
			payload = payload << 8 | bytes[i];
		}
	}
	if (length < head + payload) {
		return 0;
	}
	int opcode = bytes[0] & 0x0f;
	if (opcode == 8) {
		return -1;
	}
	if (opcode == 1) {
		all.handlers.text(client, (const char *)bytes + head, payload);
	}
	return (ssize_t)(head + payload);
}

/* The answer to the handshake: its length, 0 when it is not complete, -1 for a refusal. */
static ssize_t take_answer(const uint8_t *bytes, size_t length) {
	const uint8_t *last = memmem(bytes, length, "\r\n\r\n", 4);
	if (last == NULL) {
		return 0;
	}
	return memcmp(bytes, "HTTP/1.1 101", 12) == 0 ? last + 4 - bytes : -1;
}

/* Handles what is complete, and keeps the rest for the next time. */
static void take(struct client *client, const uint8_t *bytes, size_t length) {
	size_t at = 0;
	while (at < length && client->fd >= 0) {
		ssize_t used = client->upgraded ? take_frame(client, bytes + at, length - at)
						: take_answer(bytes + at, length - at);
		if (used < 0) {
			end(client);
			return;
		}
		if (used == 0) {
			break;
		}
		at += (size_t)used;
		if (!client->upgraded) {
			client->upgraded = true;
			all.handlers.opened(client);
		}
	}
	if (client->fd >= 0 && at < length) {
		client->in = malloc(length - at);
		if (client->in == NULL) {
			die("malloc");
		}
		client->in_length = length - at;
		memcpy(client->in, bytes + at, client->in_length);
	}
}

static void on_readable(struct client *client) {
	size_t before = client->in_length;
	if (before > 0) {
		memcpy(all.bytes, client->in, before);
		free(client->in);
		client->in = NULL;
		client->in_length = 0;
	}
	ssize_t got = recv(client->fd, all.bytes + before, READ_SIZE - before, 0);
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) {
		take(client, all.bytes, before + (got > 0 ? (size_t)got : 0));
	} else {
		end(client);
	}
}

static void on_writable(struct client *client) {
	if (!client->asked) {
		ask_upgrade(client);
		return;
	}
	ssize_t sent = send(client->fd, client->out, client->out_length, MSG_NOSIGNAL);
	if (sent > 0) {
		client->out_length -= (size_t)sent;
		memmove(client->out, client->out + sent, client->out_length);
	}
	if (client->out_length == 0) {
		watch(client, EPOLL_CTL_MOD);
	}
}

static void on_event(struct client *client, uint32_t events) {
	if (client->fd < 0) {
		return; /* dropped by what was handled before */
	}
	if ((events & EPOLLIN) != 0) {
		on_readable(client);
	} else if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) {
		end(client);
		return;
	}
	if (client->fd >= 0 && (events & EPOLLOUT) != 0) {
		on_writable(client);
	}
}

bool clients_step(int64_t until_us) {
	struct epoll_event events[EVENTS];
	int64_t left = until_us - clients_now();
	struct timespec wait = {0};
	if (left > 0) {
		wait = (struct timespec){left / 1000000, left % 1000000 * 1000};
	}
	int count = epoll_pwait2(all.epoll, events, EVENTS, &wait, NULL);
	bool line = false;
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == NULL) {
			line = true;
		} else {
			on_event(events[i].data.ptr, events[i].events);
		}
	}
	return line;
}
