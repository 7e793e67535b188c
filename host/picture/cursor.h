/*
 * Draws a cursor that comes beside the picture into it, and restores the picture beneath. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* The largest cursor of any compositor. */
#define CURSOR_SIDE_MAX 384u

/* Zero-initialise it. */
struct cursor {
	int32_t x; /* of its top left corner in the picture */
	int32_t y;
	bool visible;
	bool changed;   /* since it was last drawn */
	uint32_t width; /* of the bitmap; 0: none */
	uint32_t height;
	uint8_t *rgba;          /* owned; premultiplied */
	struct picture beneath; /* what `drawn` hides */
	struct rect drawn;      /* even edges; empty while not drawn */
};

void cursor_finish(struct cursor *cursor);

/* Copies a bitmap of width x height (up to CURSOR_SIDE_MAX) with rows `stride` bytes apart to
 * `rgba`, without gaps. `bgr`: it starts with blue, so red and blue are swapped. */
void cursor_copy_bitmap(const uint8_t *from, int32_t stride, bool bgr, uint32_t width,
	uint32_t height, uint8_t *rgba);

/* Shrinks a premultiplied bitmap to fit `side`, keeping the aspect ratio, and undoes the
 * multiplication. `to` has room for side x side pixels. */
void cursor_shrink_bitmap(
	const uint8_t *rgba, uint32_t side, uint32_t *width, uint32_t *height, uint8_t *to);

/* Copies a premultiplied bitmap without gaps. False when out of memory; the cursor then has none.
 */
bool cursor_set_bitmap(struct cursor *cursor, uint32_t width, uint32_t height, const uint8_t *rgba);

void cursor_move(struct cursor *cursor, bool visible, int32_t x, int32_t y);

/* Removes the cursor from `picture`, where it was last drawn. If it changed since, its old place is
 * added to `damage`. */
void cursor_lift(struct cursor *cursor, struct picture *picture, struct damage *damage);
/* Draws the lifted cursor, clipped to `picture`. If it changed, its place is added to `damage`.
 * False when out of memory; it is not drawn then. */
bool cursor_draw(struct cursor *cursor, struct picture *picture, struct damage *damage);
