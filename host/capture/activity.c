#include "capture/activity.h"

#include <stdlib.h>
#include <string.h>

bool activity_resize(struct activity *activity, uint32_t width, uint32_t height, uint8_t lifetime,
	uint8_t good_frames) {
	activity_finish(activity);
	uint32_t columns = (width + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	uint32_t rows = (height + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	size_t blocks = (size_t)rows * columns;
	uint8_t *map = calloc(blocks, 2);
	if (map == NULL) {
		return false;
	}
	*activity = (struct activity){
		.columns = columns,
		.rows = rows,
		.lifetime = lifetime,
		.good_frames = good_frames,
		.map = map,
		.owed = map + blocks,
	};
	return true;
}

void activity_finish(struct activity *activity) {
	free(activity->map);
	*activity = (struct activity){0};
}

void activity_set_all(struct activity *activity, uint8_t frames) {
	uint32_t blocks = activity->rows * activity->columns;
	activity->active = blocks;
	activity->owing = blocks;
	memset(activity->map, frames, blocks);
	memset(activity->owed, activity->good_frames, blocks);
}

static void add_rect(struct activity *activity, const struct rect *rect) {
	const struct rect whole = {0, 0, (int32_t)(activity->columns * ACTIVITY_BLOCK),
		(int32_t)(activity->rows * ACTIVITY_BLOCK)};
	struct rect inside = rect_intersect(rect, &whole);
	if (rect_is_empty(&inside)) {
		return;
	}
	uint32_t left = (uint32_t)inside.x / ACTIVITY_BLOCK;
	uint32_t right = (uint32_t)(inside.x + inside.width - 1) / ACTIVITY_BLOCK;
	uint32_t bottom = (uint32_t)(inside.y + inside.height - 1) / ACTIVITY_BLOCK;
	for (uint32_t row = (uint32_t)inside.y / ACTIVITY_BLOCK; row <= bottom; row++) {
		for (uint32_t column = left; column <= right; column++) {
			uint32_t block = row * activity->columns + column;
			activity->active += activity->map[block] == 0;
			activity->owing += activity->owed[block] == 0;
			if (activity->map[block] < activity->lifetime) {
				activity->map[block] = activity->lifetime;
			}
			activity->owed[block] = activity->good_frames;
		}
	}
}

void activity_add(struct activity *activity, const struct damage *damage) {
	for (uint32_t i = 0; i < damage->count; i++) {
		add_rect(activity, &damage->rects[i]);
	}
}

void activity_refine(struct activity *activity) {
	uint32_t blocks = activity->rows * activity->columns;
	for (uint32_t i = 0; i < blocks && activity->owing > 0; i++) {
		if (activity->owed[i] > 0 && activity->map[i] == 0) {
			activity->map[i] = 1;
			activity->active++;
		}
	}
}

void activity_age(struct activity *activity, bool good) {
	uint32_t blocks = activity->rows * activity->columns;
	activity->active = 0;
	activity->owing = 0;
	for (uint32_t i = 0; i < blocks; i++) {
		if (activity->map[i] > 0) {
			activity->map[i]--;
			if (good && activity->owed[i] > 0) {
				activity->owed[i]--;
			}
		}
		activity->active += activity->map[i] > 0;
		activity->owing += activity->owed[i] > 0;
	}
}

bool activity_is_empty(const struct activity *activity) {
	return activity->active == 0 && activity->owing == 0;
}

bool activity_is_full(const struct activity *activity) {
	return activity->active == activity->rows * activity->columns;
}
