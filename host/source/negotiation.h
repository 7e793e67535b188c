/*
 * Gets the first picture out of a stream, or out of a newly negotiated format, if the producer
 * sends none by itself. A restarted stream gets a new picture even if the screen does not change.
 *
 * PipeWire 0.3.65 loses pictures that a producer sends before both ends run with all their buffers;
 * it may add buffers before the producer has allocated their memory; and it may forget a format
 * that a producer offers during a negotiation. A restart helps with the first. The others need the
 * format to be offered, and so negotiated, again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct mailbox;
struct pacing;
struct pw_stream;
struct spa_source;

struct negotiation {
	struct loop *loop;
	struct mailbox *mailbox;
	struct pw_stream *stream; /* set by the owner; NULL: not yet, or over */
	uint32_t max_fps;         /* set by the owner; for format_offer() */
	struct spa_source *timer;
	uint32_t restarts; /* since the last picture */
	uint32_t offers;   /* since the last picture */
	uint32_t pixels;   /* of the negotiated format */
	const struct pacing *pacing;
	bool resting; /* paused by a restart */
};

/* False when out of memory; call negotiation_finish() even so. */
bool negotiation_init(struct negotiation *negotiation, struct loop *loop, struct mailbox *mailbox,
	uint32_t max_fps);
void negotiation_finish(struct negotiation *negotiation);

/* A format was negotiated. */
void negotiation_format(struct negotiation *negotiation, uint32_t width, uint32_t height);
/* The stream runs, so it is expected to send a picture; or it runs no more. */
void negotiation_await(struct negotiation *negotiation);
void negotiation_await_nothing(struct negotiation *negotiation);
/* A picture arrived. */
void negotiation_picture(struct negotiation *negotiation);
/* Restarts the stream for a new picture, unless it is already being restarted for one. */
void negotiation_refresh(struct negotiation *negotiation);
/* Offers the format again, for max_fps. Does nothing without a stream. */
void negotiation_offer(struct negotiation *negotiation);
