/*
 * Where pictures come from. While pictures are wanted, each is lent to the consumer as soon as it
 * is there, also while the loop is busy: the producer gets its buffer back at once. While none are
 * wanted the newest one waits. Pictures that were never read are lost, but what changed in them is
 * not: the damage that comes with a picture is everything since the last one that was read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"
#include "picture/orientation.h"
#include "wire/errors.h"

struct source;
struct source_picture;

/* Called from the loop, never from within a call of the consumer's but source_start(). */
struct source_events {
	/* The exception: reads a picture, lent for the call, on a thread of the source's or from
	 * within source_want(). Never while the source is locked. */
	void (*read)(void *data, const struct source_picture *picture);
	/* A new picture was read, or waits; width x height pixels (2 or more) when it is upright.
	 */
	void (*picture)(void *data, uint32_t width, uint32_t height);
	/* The cursor moved, changed, came or went. Not before the first picture. */
	void (*cursor)(void *data);
	/* The source is over; nothing comes after this. `detail` is lent and may be empty. */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

struct source_picture {
	struct pixels pixels; /* their sides are not yet upright */
	enum orientation orientation;
	/* Since the last picture that was read, within the pixels' sides; NULL: nobody says. */
	const struct damage *damage;
	int64_t pts_us; /* CLOCK_MONOTONIC */
};

/* A cursor that comes beside the pictures. */
struct source_cursor {
	bool visible;
	int32_t x; /* of the hotspot, relative to the picture's pixels */
	int32_t y;
	uint32_t bitmap; /* counts bitmaps; 0: there was none yet */
	uint32_t width;  /* of the bitmap; 0: it shows nothing */
	uint32_t height;
	int32_t hot_x;
	int32_t hot_y;
	const uint8_t *rgba; /* alpha multiplied in; lent until the next call of the source's */
};

struct source_impl {
	void (*start)(struct source *source);
	void (*want)(struct source *source, bool wanted);
	void (*lock)(struct source *source);
	void (*unlock)(struct source *source);
	bool (*cursor)(struct source *source, struct source_cursor *cursor);
	void (*refresh)(struct source *source);
	void (*set_rate)(struct source *source, uint32_t max_fps);
	void (*stop)(struct source *source);
	void (*destroy)(struct source *source);
};

/* The first member of every implementation. */
struct source {
	const struct source_impl *impl;
};

/* Begins; failures come as `ended`, possibly before this returns. */
static inline void source_start(struct source *source) {
	source->impl->start(source);
}

/* Whether pictures are wanted; at first none are. One that waits is read before this returns. */
static inline void source_want(struct source *source, bool wanted) {
	source->impl->want(source, wanted);
}

/* No picture is read until source_unlock(), which must follow within a few milliseconds and without
 * another call of the source's: the producer may be waiting. */
static inline void source_lock(struct source *source) {
	source->impl->lock(source);
}

static inline void source_unlock(struct source *source) {
	source->impl->unlock(source);
}

/* What is known of the cursor. False when nothing changed since the last call. */
static inline bool source_cursor(struct source *source, struct source_cursor *cursor) {
	return source->impl->cursor(source, cursor);
}

/* Asks for the picture anew where none waits: one comes soon, also of a screen on which nothing
 * changes. */
static inline void source_refresh(struct source *source) {
	source->impl->refresh(source);
}

/* So many pictures a second are shown from here on. It costs a running source up to a fifth of a
 * second where its producer has to be asked for more, or for far fewer. */
static inline void source_set_rate(struct source *source, uint32_t max_fps) {
	source->impl->set_rate(source, max_fps);
}

/* Comes before source_destroy(), when the loop runs no more: waits until whoever draws the pictures
 * has stopped, at most a quarter of a second. No event comes from here on. */
static inline void source_stop(struct source *source) {
	if (source != NULL) {
		source->impl->stop(source);
	}
}

static inline void source_destroy(struct source *source) {
	if (source != NULL) {
		source->impl->destroy(source);
	}
}
