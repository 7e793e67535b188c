/*
 * Which parts of a picture changed: a short list of rectangles. Pure.
 *
 * A list never names less than what was added to it. It may name more: once it is full, the
 * rectangles whose union wastes least are merged. Rectangles may overlap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DAMAGE_RECTS_MAX 16u

/* Empty when width or height is not positive. Coordinates are pixels, y grows downwards. */
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

bool rect_is_empty(const struct rect *rect);

/* True when `inner` is empty or lies within `outer`. */
bool rect_contains(const struct rect *outer, const struct rect *inner);

/* What both cover; an empty rectangle when nothing is. Edges past INT32_MAX are cut off there. */
struct rect rect_intersect(const struct rect *a, const struct rect *b);

/* The smallest rectangle around both. An empty one adds nothing. */
struct rect rect_around(const struct rect *a, const struct rect *b);

void damage_clear(struct damage *damage);
bool damage_is_empty(const struct damage *damage);

/* Adds what of `rect` lies at non-negative coordinates; the rest is outside of every picture. */
void damage_add(struct damage *damage, const struct rect *rect);

/* Adds every rectangle of `more`. */
void damage_unite(struct damage *damage, const struct damage *more);

/* True when one of the rectangles contains all of `rect`. */
bool damage_covers(const struct damage *damage, const struct rect *rect);

/* Replaces the list by the whole picture. */
void damage_set_full(struct damage *damage, uint32_t width, uint32_t height);

/* Drops what lies outside of `bounds`, then moves the origin to the corner of `bounds`. */
void damage_crop(struct damage *damage, const struct rect *bounds);
