/*
 * Which 16x16 blocks an encoder has to look at: those that changed, for some frames after that
 * those that changed lately, and on a still screen all that were never encoded well since. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/damage.h"

#define ACTIVITY_BLOCK 16u

/* Zero-initialise it. */
struct activity {
	uint32_t columns;
	uint32_t rows;
	uint32_t active; /* blocks that are not zero in `map` */
	uint32_t owing;  /* blocks that are not zero in `owed` */
	uint8_t lifetime;
	uint8_t good_frames;
	uint8_t *map;  /* owned; rows x columns of frames left: 0 is inactive */
	uint8_t *owed; /* within the same memory; good frames that each block still waits for */
};

/*
 * For a picture of width x height; all blocks are inactive then. A changed block stays active for
 * `lifetime` (1 to 255) frames and owes `good_frames` (1 to 255). False when memory ran out.
 */
bool activity_resize(struct activity *activity, uint32_t width, uint32_t height, uint8_t lifetime,
	uint8_t good_frames);
void activity_finish(struct activity *activity);

/* Every block is active for the next `frames` (1 to 255) at least. */
void activity_set_all(struct activity *activity, uint8_t frames);
/* Every block that the damage touches is active anew. */
void activity_add(struct activity *activity, const struct damage *damage);
/* The screen is still: every block that owes good frames is active for the next one. */
void activity_refine(struct activity *activity);
/* One frame was encoded; `good`: with a quantizer that leaves nothing to be desired. */
void activity_age(struct activity *activity, bool good);

/* No block is active or owes anything. */
bool activity_is_empty(const struct activity *activity);
bool activity_is_full(const struct activity *activity);
