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
#include "wire/errors.h"

struct source;

/* Called from the loop, never from within a call of the consumer's but source_start(). */
struct source_events {
	/* A new picture waits, width x height pixels (2 or more). It replaces one that waits. */
	void (*picture)(void *data, uint32_t width, uint32_t height);
	/* The source is over; nothing comes after this. `detail` is lent and may be empty. */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

struct source_picture {
	struct pixels pixels;
	struct damage damage; /* since the last taken picture, within the pixels' sides */
	int64_t pts_us;       /* CLOCK_MONOTONIC */
};

struct source_impl {
	void (*start)(struct source *source);
	bool (*take)(struct source *source, struct source_picture *picture);
	void (*give_back)(struct source *source);
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

static inline void source_destroy(struct source *source) {
	if (source != NULL) {
		source->impl->destroy(source);
	}
}
