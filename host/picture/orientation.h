/*
 * Buffers whose picture is rotated or mirrored, and how it is turned upright. Pure.
 */
#pragma once

#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* How the upright picture became the one in the buffer: mirrored left to right if the name says so,
 * then rotated counter-clockwise. The numbers are SPA's. */
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

/* Turns a picture's sides in the buffer into its upright sides, or back. */
void orientation_size(enum orientation orientation, uint32_t *width, uint32_t *height);

/* The orientation that undoes this one. */
enum orientation orientation_inverse(enum orientation orientation);

/* Turns a rectangle of a picture that is width x height in the buffer upright. */
struct rect orientation_rect(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect);

/* Brings the damaged parts of `to`, which has the upright size, up to date with `from`. *damage,
 * which lies within `from`, becomes that of `to`. */
void orientation_apply(enum orientation orientation, const struct picture *from, struct picture *to,
	struct damage *damage);
