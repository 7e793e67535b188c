/*
 * Where pictures come from. A source announces that a new picture is there; the consumer takes the
 * newest one when it is ready for it. Pictures that were never taken are lost, but what changed in
 * them is not: the damage that comes with a picture is everything since the last one that was
 * taken.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/convert.h"
#include "capture/damage.h"
#include "capture/orientation.h"
#include "wire/errors.h"

struct source;

/* Called from the loop, never from within a call of the consumer's but source_start(). */
struct source_events {
	/* A new picture waits, width x height pixels (2 or more) when it is upright. It replaces
	 * one that waits. */
	void (*picture)(void *data, uint32_t width, uint32_t height);
	/* The cursor moved, changed, came or went. Not before the first picture. */
	void (*cursor)(void *data);
	/* The source is over; nothing comes after this. `detail` is lent and may be empty. */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

struct source_picture {
	struct pixels pixels; /* their sides are not yet upright */
	enum orientation orientation;
	struct damage damage; /* since the last taken picture, within the pixels' sides */
	int64_t pts_us;       /* CLOCK_MONOTONIC */
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
	bool (*take)(struct source *source, struct source_picture *picture);
	void (*give_back)(struct source *source);
	bool (*cursor)(struct source *source, struct source_cursor *cursor);
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

/*
 * Lends the newest picture until source_give_back(), which must follow within a few milliseconds
 * and without calling the loop: the producer may be waiting. False when none waits.
 */
static inline bool source_take(struct source *source, struct source_picture *picture) {
	return source->impl->take(source, picture);
}

static inline void source_give_back(struct source *source) {
	source->impl->give_back(source);
}

/* What is known of the cursor. False when nothing changed since the last call. Not while a picture
 * is lent. */
static inline bool source_cursor(struct source *source, struct source_cursor *cursor) {
	return source->impl->cursor(source, cursor);
}

static inline void source_destroy(struct source *source) {
	if (source != NULL) {
		source->impl->destroy(source);
	}
}
