/*
 * Which parts of a picture changed: a short list of rectangles. Pure.
 *
 * A list covers at least what was added to it. It may cover more: once it is full, a new rectangle
 * is merged with the one whose union adds the fewest pixels. Rectangles may overlap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DAMAGE_RECTS_MAX 16u

/* In pixels, y grows downwards. Empty if width or height is not positive. */
struct rect {
	int32_t x;
	int32_t y;
	int32_t width;
	int32_t height;
};

/* Zero-initialised it is empty. */
struct damage {
	struct rect rects[DAMAGE_RECTS_MAX];
	uint32_t count;
};

static inline struct rect rect_sized(uint32_t width, uint32_t height) {
	return (struct rect){0, 0, (int32_t)width, (int32_t)height};
}

static inline bool rect_is_empty(const struct rect *rect) {
	return rect->width <= 0 || rect->height <= 0;
}

/* True if `inner` is empty or lies within `outer`. */
bool rect_contains(const struct rect *outer, const struct rect *inner);

/* What both cover, up to coordinates of INT32_MAX. */
struct rect rect_intersect(const struct rect *a, const struct rect *b);

/* The smallest rectangle around both, at non-negative coordinates. An empty one adds nothing. */
struct rect rect_around(const struct rect *a, const struct rect *b);

static inline void damage_clear(struct damage *damage) {
	damage->count = 0;
}

static inline bool damage_is_empty(const struct damage *damage) {
	return damage->count == 0;
}

/* Adds the part of `rect` at non-negative coordinates; the rest is outside of every picture. */
void damage_add(struct damage *damage, const struct rect *rect);

/* Adds every rectangle of `more`. */
void damage_unite(struct damage *damage, const struct damage *more);

/* True if one of the rectangles contains all of `rect`. */
bool damage_covers(const struct damage *damage, const struct rect *rect);

/* Replaces the list by a whole picture of width x height, neither 0. */
void damage_set_full(struct damage *damage, uint32_t width, uint32_t height);

/* Drops what lies outside of `bounds`, then moves the origin to the corner of `bounds`. */
void damage_crop(struct damage *damage, const struct rect *bounds);
