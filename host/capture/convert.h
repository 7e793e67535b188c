/*
 * Captured pixels to the planar picture that the encoders take (I420, BT.601 limited range), only
 * where they changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/damage.h"

/* The order of the colours in memory; a fourth byte (alpha or nothing) follows and is ignored. */
enum pixel_order { PIXEL_ORDER_BGR, PIXEL_ORDER_RGB };

/* Lent pixels, 4 bytes each. `top` is the leftmost pixel of the upper row; the next row begins
 * `stride` bytes after it, and that may be negative. */
struct pixels {
	const uint8_t *top;
	int32_t stride;
	enum pixel_order order;
	uint32_t width;
	uint32_t height;
};

/* Zero-initialise it. Sides are even. */
struct picture {
	uint8_t *planes[3]; /* Y, U, V, within `memory` */
	int32_t strides[3];
	uint32_t width;
	uint32_t height;
	uint8_t *memory; /* owned */
};

/* Makes `picture` width x height (even, 2 to 16384); its contents are unspecified then. Does
 * nothing when it has that size. False when memory ran out, with `picture` empty. */
bool picture_resize(struct picture *picture, uint32_t width, uint32_t height);
void picture_finish(struct picture *picture);

/*
 * Brings the damaged parts of `picture` up to date. The picture's sides are the pixels' with the
 * last odd column and row cut off; damage past them is ignored. Rectangles grow to even borders,
 * since four pixels share one colour.
 */
void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture);
