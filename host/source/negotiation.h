/*
 * Gets the first picture out of a stream, or of its new format, where none comes by itself: a
 * stream that starts anew gets its picture anew, also of a screen on which nothing changes.
 *
 * PipeWire 0.3.65 loses what a producer sends before both ends have all buffers and run; it may
 * hand out a format's buffers before their producer gave them memory; and a format that a producer
 * offers while another is being negotiated may be forgotten. Restarts help with the first; with the
 * others only a format that is offered again, and so negotiated again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mailbox;
struct pw_loop;
struct pw_stream;
struct spa_source;

struct negotiation {
	struct pw_loop *loop;
	struct mailbox *mailbox;
	struct pw_stream *stream; /* set by the owner as soon as there is one; NULL: no more */
	uint32_t max_fps;         /* set by the owner; for format_offer() */
	struct spa_source *timer;
	uint32_t restarts; /* since the last picture */
	uint32_t offers;   /* of the format anew, since the last picture */
	int again_ms;      /* how soon a picture of this format is due, where there were others */
	bool had_picture;
	bool resting; /* stopped, to be started again */
};

/* False when memory ran out; negotiation_finish() all the same. */
bool negotiation_init(struct negotiation *negotiation, struct pw_loop *loop,
	struct mailbox *mailbox, uint32_t max_fps);
void negotiation_finish(struct negotiation *negotiation);

/* A format was negotiated. */
void negotiation_format(struct negotiation *negotiation, uint32_t width, uint32_t height);
/* The stream's state changed. */
void negotiation_state(struct negotiation *negotiation, bool streaming);
/* A picture came. */
void negotiation_picture(struct negotiation *negotiation);
/* The picture is wanted anew. One restart at a time: the next picture ends it. */
void negotiation_refresh(struct negotiation *negotiation);
/* Offers the format anew, for max_fps. Without effect where there is no stream. */
void negotiation_offer(struct negotiation *negotiation);
