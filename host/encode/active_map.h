/*
 * Which 16x16 blocks an encoder has to look at: those that changed, for some frames after that
 * those that changed lately, and on a still screen all that were never encoded well since. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/damage.h"

#define ACTIVITY_BLOCK 16u

/* Zero-initialise it. */
struct active_map {
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
bool active_map_resize(struct active_map *active_map, uint32_t width, uint32_t height,
	uint8_t lifetime, uint8_t good_frames);
void active_map_finish(struct active_map *active_map);

/* Every block is active for the next `frames` (1 to 255) at least. */
void active_map_set_all(struct active_map *active_map, uint8_t frames);
/* Every block that the damage touches is active anew. */
void active_map_add(struct active_map *active_map, const struct damage *damage);
/* The screen is still: every block that owes good frames is active for the next one. */
void active_map_refine(struct active_map *active_map);
/* One frame was encoded; `good`: with a quantizer that leaves nothing to be desired. */
void active_map_age(struct active_map *active_map, bool good);

/* No block is active or owes anything. */
bool active_map_is_empty(const struct active_map *active_map);
bool active_map_is_full(const struct active_map *active_map);
