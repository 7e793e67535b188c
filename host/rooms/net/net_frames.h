/*
 * The heads of a client's WebSocket frames, followed before libwebsockets has them: it takes frames
 * that are not masked, and answers pings without a word. A state machine: no I/O, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rooms/net/net.h"

/* Pings and pongs between two beats; browsers send none of their own. */
#define NET_CONTROLS_MAX 64u

/* All zero at first. */
struct net_frames {
	uint64_t left;     /* bytes of this frame that are not kept in `head` */
	uint16_t controls; /* since the last beat; its owner sets it to 0 */
	uint8_t head[10];
	uint8_t have;
	bool message; /* its first frame came, its last one didn't */
	bool away;    /* it was closed because its page goes away (1001) */
};

struct net_fault {
	enum net_drop why;
	uint16_t code; /* to close with */
	const char *reason;
};

/* Follows `length` bytes and gives how many of them may be handed on: all; or, with *fault set,
 * those before the frame that is wrong. After a fault it is not to be called again. */
size_t net_frames_follow(struct net_frames *frames, const uint8_t *bytes, size_t length,
	const struct net_fault **fault);
