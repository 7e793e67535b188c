/*
 * A cursor that comes beside the picture and is drawn into it. What is beneath it is kept, so that
 * the picture can be had back without it. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* No compositor's is larger. */
#define CURSOR_SIDE_MAX 384u

/* Zero-initialise it. */
struct cursor {
	int32_t x; /* of its left upper corner in the picture */
	int32_t y;
	bool visible;
	bool changed;   /* since it was drawn last */
	uint32_t width; /* of the bitmap; 0: none */
	uint32_t height;
	uint8_t *rgba;          /* owned; alpha multiplied in */
	struct picture beneath; /* what `drawn` hides */
	struct rect drawn;      /* even borders; empty while nothing is drawn */
};

void cursor_finish(struct cursor *cursor);

/* The bitmap is copied: rows follow each other, alpha is multiplied in. False when memory ran out;
 * the cursor has no bitmap then. */
bool cursor_set_bitmap(struct cursor *cursor, uint32_t width, uint32_t height, const uint8_t *rgba);

void cursor_move(struct cursor *cursor, bool visible, int32_t x, int32_t y);

/* Takes the cursor out of `picture`, in which it was drawn last. If it changed since, where it was
 * is added to `damage`. */
void cursor_lift(struct cursor *cursor, struct picture *picture, struct damage *damage);
/* Draws it, as far as it lies within; if it changed, where it is is added to `damage`. False when
 * memory ran out; nothing is drawn then. */
bool cursor_draw(struct cursor *cursor, struct picture *picture, struct damage *damage);
