/*
 * Where pictures come from: one PipeWire node, behind the remote that the portal handed out.
 *
 * While the consumer wants pictures, each is lent to it on arrival, even if the loop is busy, and
 * its buffer goes straight back to the producer. Otherwise the newest picture waits. Pictures that
 * it replaces are never read, but their damage is kept: the next picture's damage covers
 * everything since the last one that was read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"
#include "picture/orientation.h"
#include "wire/errors.h"

struct loop;
struct source;

struct source_picture {
	struct pixels pixels; /* as they lie in the buffer, before `orientation` is applied */
	enum orientation orientation;
	/* Since the last picture that was read, in the pixels' coordinates; NULL: unknown. */
	const struct damage *damage;
	int64_t pts_us; /* CLOCK_MONOTONIC */
};

/* A cursor sent as metadata, beside the pictures. */
struct source_cursor {
	bool visible;
	int32_t x; /* of the hotspot, relative to the picture's pixels */
	int32_t y;
	uint32_t bitmap; /* counts bitmaps; 0: none yet */
	uint32_t width;  /* of the bitmap, up to CURSOR_SIDE_MAX; 0: it shows nothing */
	uint32_t height;
	int32_t hot_x;
	int32_t hot_y;
	const uint8_t *rgba; /* premultiplied alpha; lent until the next source_cursor() */
};

/* All but read() are called from the loop, and only source_start() may call them itself. */
struct source_events {
	/* Reads a picture, lent for the call. Called on PipeWire's data thread or by source_want().
	 * The producer waits for it. */
	void (*read)(void *data, const struct source_picture *picture);
	/* A new picture was read, or waits; width x height pixels (2 or more) when upright. */
	void (*picture)(void *data, uint32_t width, uint32_t height);
	/* The cursor moved, changed, appeared or disappeared. */
	void (*cursor)(void *data);
	/* The last event. `detail` is lent and may be empty. */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

/* `cursor_wanted`: report cursor metadata. `loop` and `events` must outlive the source. NULL when
 * out of memory. */
struct source *source_create(struct loop *loop, uint32_t node_id, uint32_t max_fps,
	bool cursor_wanted, const struct source_events *events, void *data);

/* Connects through `fd`, a PipeWire remote, and takes ownership of it. Failures are reported by
 * `ended`, possibly before this returns. */
void source_start(struct source *source, int fd);

/* Whether pictures are wanted; initially they are not. A waiting one is read before this returns.
 */
void source_want(struct source *source, bool wanted);

/* What is known of the cursor. False when nothing changed since the last call. */
bool source_cursor(struct source *source, struct source_cursor *cursor);

/* Asks the producer for a new picture, which comes soon even if the screen does not change. */
void source_refresh(struct source *source);

/* Sets the frame rate. Renegotiates if the producer should send more pictures, or far fewer, which
 * interrupts a running source for up to a fifth of a second. */
void source_set_rate(struct source *source, uint32_t max_fps);

/* Call it when the loop no longer runs: waits up to a quarter of a second for the producer to stop
 * drawing. Emits no event. NULL is fine. */
void source_destroy(struct source *source);
