/*
 * Which 16x16 blocks an encoder has to look at: those that changed, for some frames; and on a still
 * screen all that have not been encoded well since. Pure.
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
	uint32_t active; /* how many blocks of `map` are not 0 */
	uint32_t owing;  /* how many blocks of `owed` are not 0 */
	uint8_t lifetime;
	uint8_t good_frames;
	uint8_t *map;  /* owned; rows x columns, the frames that each block stays active; 0: none */
	uint8_t *owed; /* in the same memory: the good frames that each block still needs */
};

/*
 * Starts a picture of width x height with every block inactive. A changed block becomes active for
 * `lifetime` (1 to 255) frames and owes `good_frames` (1 to 255). False when out of memory.
 */
bool active_map_resize(struct active_map *active_map, uint32_t width, uint32_t height,
	uint8_t lifetime, uint8_t good_frames);
void active_map_finish(struct active_map *active_map);

/* Makes every block active for the next `frames` (1 to 255). */
void active_map_set_all(struct active_map *active_map, uint8_t frames);
/* Makes every block that the damage touches active. */
void active_map_add(struct active_map *active_map, const struct damage *damage);
/* The screen is still: makes every block that owes good frames active for the next one. */
void active_map_refine(struct active_map *active_map);
/* A frame was encoded. `good`: its quantizer left nothing to improve. */
void active_map_age(struct active_map *active_map, bool good);

/* No block is active or owes good frames. */
bool active_map_is_empty(const struct active_map *active_map);
bool active_map_is_full(const struct active_map *active_map);
