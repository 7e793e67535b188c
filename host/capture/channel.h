/*
 * The helper's end of the packet socket. Never blocks: what the socket does not take at once is
 * queued until channel_flush().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/packet.h"

enum channel_result {
	CHANNEL_PACKET, /* one was received */
	CHANNEL_EMPTY,  /* none is there now */
	CHANNEL_CLOSED, /* the peer is gone */
	CHANNEL_BAD,    /* what came breaks the protocol */
};

struct channel {
	int fd;
	struct bytes queue; /* packets that wait, each behind its length (u32) */
	size_t sent;        /* bytes of the queue that are gone */
	bool broken;        /* the peer is gone, or memory ran out: nothing is sent any more */
};

/* Takes the SOCK_SEQPACKET descriptor over and makes it non-blocking. False when it is not one; it
 * stays the caller's then. */
bool channel_init(struct channel *channel, int fd);
/* Sends nothing more; closes so that the peer still reads all that was sent. */
void channel_finish(struct channel *channel);

/*
 * Receives one packet. *fd is the descriptor that came with it, the caller's to close, or -1. Only
 * an OPEN has one, and every OPEN does; anything else is CHANNEL_BAD, as are the packets that only
 * a helper sends.
 */
enum channel_result channel_receive(struct channel *channel, struct packet *packet, int *fd);

/* Sends any packet but a FRAME. A CURSOR's bitmap is not needed any more on return. False when the
 * channel is broken. */
bool channel_send(struct channel *channel, const struct packet *packet);

/*
 * Sends an encoded frame in as many FRAME packets as it takes; `part`, `parts` and `payload` of
 * *frame are ignored. `data` is not needed any more on return. False when the channel is broken or
 * the frame is empty or longer than CHANNEL_FRAME_MAX.
 */
#define CHANNEL_FRAME_MAX ((size_t)PACKET_PARTS_MAX * PACKET_PAYLOAD_MAX)
bool channel_send_frame(struct channel *channel, const struct packet_frame *frame,
	const uint8_t *data, size_t length);

/* Sends what waits, as far as the socket takes it. False when the channel is broken. */
bool channel_flush(struct channel *channel);

/* True when nothing waits: the caller keeps the queue short by sending no frame before. */
bool channel_idle(const struct channel *channel);
