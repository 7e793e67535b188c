/*
 * The helper's end of the packet socket. It never blocks: what the socket doesn't take at once is
 * queued until channel_flush().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/packet.h"

enum channel_result {
	CHANNEL_PACKET, /* received one */
	CHANNEL_EMPTY,  /* nothing to receive now */
	CHANNEL_CLOSED, /* the peer is gone */
	CHANNEL_BAD,    /* received something that breaks the protocol */
};

struct channel {
	int fd;
	struct bytes queue; /* waiting packets, each preceded by its length (u32) */
	size_t sent;        /* bytes of the queue that were sent */
	bool broken;        /* the peer is gone, or out of memory: nothing more is sent */
};

/* Takes over `fd`, a SOCK_SEQPACKET. False when it isn't one; it stays the caller's then. */
bool channel_init(struct channel *channel, int fd);
/* Drops the queue and closes the socket. The peer can still read everything that was sent. */
void channel_finish(struct channel *channel);

/*
 * Receives one packet. *fd becomes the descriptor that came with it, the caller's to close, or -1.
 * An OPEN has exactly one and other packets have none; anything else is CHANNEL_BAD, and so are
 * packets that only a helper sends.
 */
enum channel_result channel_receive(struct channel *channel, struct packet *packet, int *fd);

/* Sends any packet but a FRAME. A CURSOR's bitmap is lent for the call. False when the channel is
 * broken. */
bool channel_send(struct channel *channel, const struct packet *packet);

/*
 * Sends an encoded frame, lent for the call, in as many FRAME packets as it takes; `part`, `parts`
 * and `payload` of *frame are ignored. False when the channel is broken or the frame is empty or
 * longer than CHANNEL_FRAME_MAX.
 */
#define CHANNEL_FRAME_MAX ((size_t)PACKET_PARTS_MAX * PACKET_PAYLOAD_MAX)
bool channel_send_frame(struct channel *channel, const struct packet_frame *frame,
	const uint8_t *data, size_t length);

/* Sends as much of the queue as the socket takes. False when the channel is broken. */
bool channel_flush(struct channel *channel);

/* True when the queue is empty. Callers send frames only then, which keeps the queue short. */
bool channel_idle(const struct channel *channel);
