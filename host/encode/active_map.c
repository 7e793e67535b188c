#include "encode/active_map.h"

#include <stdlib.h>
#include <string.h>

bool active_map_resize(struct active_map *active_map, uint32_t width, uint32_t height,
	uint8_t lifetime, uint8_t good_frames) {
	active_map_finish(active_map);
	uint32_t columns = (width + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	uint32_t rows = (height + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	size_t blocks = (size_t)rows * columns;
	uint8_t *map = calloc(blocks, 2);
	if (map == NULL) {
		return false;
	}
	*active_map = (struct active_map){
		.columns = columns,
		.rows = rows,
		.lifetime = lifetime,
		.good_frames = good_frames,
		.map = map,
		.owed = map + blocks,
	};
	return true;
}

void active_map_finish(struct active_map *active_map) {
	free(active_map->map);
	*active_map = (struct active_map){0};
}

void active_map_set_all(struct active_map *active_map, uint8_t frames) {
	uint32_t blocks = active_map->rows * active_map->columns;
	active_map->active = blocks;
	active_map->owing = blocks;
	memset(active_map->map, frames, blocks);
	memset(active_map->owed, active_map->good_frames, blocks);
}

static void add_rect(struct active_map *active_map, const struct rect *rect) {
	const struct rect whole = {0, 0, (int32_t)(active_map->columns * ACTIVITY_BLOCK),
		(int32_t)(active_map->rows * ACTIVITY_BLOCK)};
	struct rect inside = rect_intersect(rect, &whole);
	if (rect_is_empty(&inside)) {
		return;
	}
	uint32_t left = (uint32_t)inside.x / ACTIVITY_BLOCK;
	uint32_t right = (uint32_t)(inside.x + inside.width - 1) / ACTIVITY_BLOCK;
	uint32_t bottom = (uint32_t)(inside.y + inside.height - 1) / ACTIVITY_BLOCK;
	for (uint32_t row = (uint32_t)inside.y / ACTIVITY_BLOCK; row <= bottom; row++) {
		for (uint32_t column = left; column <= right; column++) {
			uint32_t block = row * active_map->columns + column;
			active_map->active += active_map->map[block] == 0;
			active_map->owing += active_map->owed[block] == 0;
			if (active_map->map[block] < active_map->lifetime) {
				active_map->map[block] = active_map->lifetime;
			}
			active_map->owed[block] = active_map->good_frames;
		}
	}
}

void active_map_add(struct active_map *active_map, const struct damage *damage) {
	for (uint32_t i = 0; i < damage->count; i++) {
		add_rect(active_map, &damage->rects[i]);
	}
}

void active_map_refine(struct active_map *active_map) {
	uint32_t blocks = active_map->rows * active_map->columns;
	for (uint32_t i = 0; i < blocks && active_map->owing > 0; i++) {
		if (active_map->owed[i] > 0 && active_map->map[i] == 0) {
			active_map->map[i] = 1;
			active_map->active++;
		}
	}
}

void active_map_age(struct active_map *active_map, bool good) {
	uint32_t blocks = active_map->rows * active_map->columns;
	active_map->active = 0;
	active_map->owing = 0;
	for (uint32_t i = 0; i < blocks; i++) {
		if (active_map->map[i] > 0) {
			active_map->map[i]--;
			if (good && active_map->owed[i] > 0) {
				active_map->owed[i]--;
			}
		}
		active_map->active += active_map->map[i] > 0;
		active_map->owing += active_map->owed[i] > 0;
	}
}

bool active_map_is_empty(const struct active_map *active_map) {
	return active_map->active == 0 && active_map->owing == 0;
}

bool active_map_is_full(const struct active_map *active_map) {
	return active_map->active == active_map->rows * active_map->columns;
}
