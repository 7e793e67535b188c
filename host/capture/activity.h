/*
 * Which 16x16 blocks an encoder has to look at: those that changed, and for some frames after that
 * those that changed lately, until their quality has caught up. Pure.
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
	uint8_t lifetime;
	uint8_t *map; /* owned; rows x columns of frames left: 0 is inactive */
};

/* For a picture of width x height; all blocks are inactive then. A changed block stays active for
 * `lifetime` (1 to 255) frames. False when memory ran out. */
bool activity_resize(struct activity *activity, uint32_t width, uint32_t height, uint8_t lifetime);
void activity_finish(struct activity *activity);

void activity_set_all(struct activity *activity);
/* Every block that the damage touches is active anew. */
void activity_add(struct activity *activity, const struct damage *damage);
/* One frame was encoded. */
void activity_age(struct activity *activity);

bool activity_is_empty(const struct activity *activity);
bool activity_is_full(const struct activity *activity);
