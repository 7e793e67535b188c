/*
 * A WebSocket of the load: many of them on one epoll, one thread. It speaks frames itself, since
 * the load must cost less than what it measures. A failure of the machine (no socket, no memory)
 * ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
	int fd;               /* -1: closed */
	bool asked;           /* connected, and the handshake sent */
	bool upgraded;        /* the handshake is over */
	bool deaf;            /* never reads */
	const char *protocol; /* the subprotocol asked for; NULL: none */
	uint8_t *in;          /* what came of a frame that is not complete */
	size_t in_length;
	uint8_t *out; /* what the socket did not take yet */
	size_t out_length;
	size_t out_room;
};

struct client_handlers {
	void (*opened)(struct client *client); /* upgraded */
	void (*text)(struct client *client, const char *text, size_t length);
	void (*closed)(struct client *client); /* by the server, or refused; `fd` is -1 already */
};

/* Clients connect to 127.0.0.1:`port`. */
void clients_begin(uint16_t port, const struct client_handlers *handlers);
/* A zeroed client, or one that was closed. */
void client_connect(struct client *client, const char *protocol);
/* One text frame. Without effect on a closed client. */
void client_send(struct client *client, const char *text, size_t length);
/* From now on it takes nothing from its socket, and only notices its end. */
void client_go_deaf(struct client *client);
/* At once, without a close frame and without `closed`. */
void client_drop(struct client *client);
/* Waits for events until `until_us` of clients_now(), and handles them. True: stdin has a line. */
bool clients_step(int64_t until_us);
/* Microseconds of the monotonic clock. */
int64_t clients_now(void);
