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

struct pw_latest;
struct pw_loop;
struct pw_stream;
struct spa_source;

struct pw_nudge {
	struct pw_loop *loop;
	struct pw_latest *latest;
	struct pw_stream *stream; /* set by the owner as soon as there is one; NULL: no more */
	uint32_t max_fps;         /* set by the owner; for pw_format_offer() */
	struct spa_source *timer;
	uint32_t restarts; /* since the last picture */
	uint32_t offers;   /* of the format anew, since the last picture */
	int again_ms;      /* how soon a picture of this format is due, where there were others */
	bool had_picture;
	bool resting; /* stopped, to be started again */
};

/* False when memory ran out; pw_nudge_finish() all the same. */
bool pw_nudge_init(
	struct pw_nudge *nudge, struct pw_loop *loop, struct pw_latest *latest, uint32_t max_fps);
void pw_nudge_finish(struct pw_nudge *nudge);

/* A format was negotiated. */
void pw_nudge_format(struct pw_nudge *nudge, uint32_t width, uint32_t height);
/* The stream's state changed. */
void pw_nudge_state(struct pw_nudge *nudge, bool streaming);
/* A picture came. */
void pw_nudge_picture(struct pw_nudge *nudge);
/* The picture is wanted anew. One restart at a time: the next picture ends it. */
void pw_nudge_refresh(struct pw_nudge *nudge);
/* Offers the format anew, for max_fps. Without effect where there is no stream. */
void pw_nudge_offer(struct pw_nudge *nudge);
