/*
 * Converts captured pixels to the planar pictures that encoders take (I420 or I444, BT.601 limited
 * range), only where they changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/damage.h"
#include "wire/packet.h"

/* Byte order in memory; a fourth byte (alpha or padding) follows and is ignored. */
enum pixel_order { PIXEL_ORDER_BGR, PIXEL_ORDER_RGB };

struct pixel_file;

/* Lent pixels, 4 bytes each. */
struct pixels {
	const uint8_t *top; /* leftmost pixel of the top row */
	int32_t stride;     /* bytes from one row to the next below; may be negative */
	enum pixel_order order;
	uint32_t width;
	uint32_t height;
	struct pixel_file *file; /* lent: to read the pixels from instead of `top`; may be NULL */
};

/* Zero-initialise it. */
struct picture {
	uint8_t *planes[3]; /* Y, U, V, within `memory` */
	int32_t strides[3];
	uint32_t width; /* even, as is the height */
	uint32_t height;
	enum packet_chroma chroma;
	uint8_t *memory; /* owned */
};

/* Makes `picture` width x height (even, 2 to 16384) with unspecified contents, unless it is that
 * already. False when out of memory, with `picture` empty. */
bool picture_resize(
	struct picture *picture, uint32_t width, uint32_t height, enum packet_chroma chroma);
void picture_finish(struct picture *picture);

/* log2 of a plane's subsampling. */
static inline uint32_t picture_shift(const struct picture *picture, int plane) {
	return plane > 0 && picture->chroma == PACKET_CHROMA_420 ? 1 : 0;
}

/* The sample of pixel (x, y), which is even where the plane is subsampled. */
static inline uint8_t *picture_at(const struct picture *picture, int plane, int32_t x, int32_t y) {
	uint32_t shift = picture_shift(picture, plane);
	return picture->planes[plane] + (ptrdiff_t)(y >> shift) * picture->strides[plane] +
	       (x >> shift);
}

/* Copies `rect` to (x, y) of a picture with the same chroma. All edges are even and lie within. */
void picture_copy(const struct picture *from, const struct rect *rect, struct picture *to,
	int32_t x, int32_t y);

/* Grows a rectangle that is not empty to even edges. */
struct rect picture_even_rect(const struct rect *rect);

/* Brings the damaged parts of `picture` up to date. Its sides are the pixels' without a last odd
 * column or row; damage outside of them is ignored. */
void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture);

/* Converts a rectangle of the pixels to (x, y) of `picture`. All edges are even and lie within. */
void convert_rect(const struct pixels *pixels, const struct rect *rect, struct picture *picture,
	int32_t x, int32_t y);
