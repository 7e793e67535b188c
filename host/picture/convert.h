/*
 * Captured pixels to the planar picture that the encoders take (I420 or I444, BT.601 limited
 * range), only where they changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/damage.h"
#include "wire/packet.h"

/* The order of the colours in memory; a fourth byte (alpha or nothing) follows and is ignored. */
enum pixel_order { PIXEL_ORDER_BGR, PIXEL_ORDER_RGB };

struct pixel_file;

/* Lent pixels, 4 bytes each. `top` is the leftmost pixel of the upper row; the next row begins
 * `stride` bytes after it, and that may be negative. Where there is a `file`, they are read from it
 * and `top` is not touched. */
struct pixels {
	const uint8_t *top;
	int32_t stride;
	enum pixel_order order;
	uint32_t width;
	uint32_t height;
	struct pixel_file *file; /* lent too; NULL: none */
};

/* Zero-initialise it. Sides are even. */
struct picture {
	uint8_t *planes[3]; /* Y, U, V, within `memory` */
	int32_t strides[3];
	uint32_t width;
	uint32_t height;
	enum packet_chroma chroma;
	uint8_t *memory; /* owned */
};

/* Makes `picture` width x height (even, 2 to 16384); its contents are unspecified then. Does
 * nothing when it is like that. False when memory ran out, with `picture` empty. */
bool picture_resize(
	struct picture *picture, uint32_t width, uint32_t height, enum packet_chroma chroma);
void picture_finish(struct picture *picture);

/* By how many bits coordinates shrink from the first plane to this one. */
static inline uint32_t picture_shift(const struct picture *picture, int plane) {
	return plane > 0 && picture->chroma == PACKET_CHROMA_420 ? 1 : 0;
}

/* Where in a plane the sample of (x, y) lies; x and y are even. */
static inline uint8_t *picture_at(const struct picture *picture, int plane, int32_t x, int32_t y) {
	uint32_t shift = picture_shift(picture, plane);
	return picture->planes[plane] + (ptrdiff_t)(y >> shift) * picture->strides[plane] +
	       (x >> shift);
}

/* The smallest rectangle with even borders around `rect`, which is not empty; no damage can be
 * smaller, since four pixels share one colour. */
struct rect picture_even_rect(const struct rect *rect);

/*
 * Brings the damaged parts of `picture` up to date. The picture's sides are the pixels' with the
 * last odd column and row cut off; damage past them is ignored. Rectangles grow to even borders.
 */
void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture);

/* Converts one rectangle with even borders within both to where (x, y) of `picture` is. */
void convert_rect(const struct pixels *pixels, const struct rect *rect, struct picture *picture,
	int32_t x, int32_t y);
