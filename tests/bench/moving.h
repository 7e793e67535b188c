/*
 * Moving pictures: two layers of coloured noise that move over each other in different ways, with a
 * cut now and then. No block of a picture is found again in the one before, as in a real video.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct moving {
	uint32_t width;
	uint32_t height;
	uint32_t stride;     /* of a layer, in pixels */
	uint32_t *layers[2]; /* owned */
};

/* False when memory ran out. */
bool moving_init(struct moving *moving, uint32_t width, uint32_t height);
void moving_finish(struct moving *moving);

/* Draws picture number `index`; `out` rows are `stride` pixels apart. */
void moving_draw(const struct moving *moving, uint32_t index, uint32_t *out, uint32_t stride);
