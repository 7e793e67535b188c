/*
 * Pictures that lie on their side or are mirrored in the buffer, and how they are put upright.
 * Pure.
 */
#pragma once

#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* What was done to the upright picture to get the one in the buffer: mirrored from left to right if
 * it says so, then turned counter-clockwise. The numbers are SPA's. */
enum orientation {
	ORIENTATION_UPRIGHT = 0,
	ORIENTATION_90 = 1,
	ORIENTATION_180 = 2,
	ORIENTATION_270 = 3,
	ORIENTATION_MIRRORED = 4,
	ORIENTATION_MIRRORED_90 = 5,
	ORIENTATION_MIRRORED_180 = 6,
	ORIENTATION_MIRRORED_270 = 7,
};

/* The upright sides of a picture whose sides in the buffer are given. */
void orientation_size(enum orientation orientation, uint32_t *width, uint32_t *height);

/* Where a rectangle within a picture of width x height (in the buffer) is upright. */
struct rect orientation_rect(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect);

/* The other way round: where a rectangle within an upright picture of width x height is in the
 * buffer. */
struct rect orientation_rect_in_buffer(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect);

/* Brings the damaged parts of `to`, which has the upright size, up to date with `from`. *damage
 * becomes the upright one. Its rectangles lie within `from`. */
void orientation_apply(enum orientation orientation, const struct picture *from, struct picture *to,
	struct damage *damage);
