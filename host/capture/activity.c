#include "capture/activity.h"

#include <stdlib.h>
#include <string.h>

bool activity_resize(struct activity *activity, uint32_t width, uint32_t height, uint8_t lifetime) {
	activity_finish(activity);
	uint32_t columns = (width + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	uint32_t rows = (height + ACTIVITY_BLOCK - 1) / ACTIVITY_BLOCK;
	uint8_t *map = calloc(rows, columns);
	if (map == NULL) {
		return false;
	}
	*activity = (struct activity){
		.columns = columns, .rows = rows, .lifetime = lifetime, .map = map};
	return true;
}

void activity_finish(struct activity *activity) {
	free(activity->map);
	*activity = (struct activity){0};
}

void activity_set_all(struct activity *activity) {
	activity->active = activity->rows * activity->columns;
	memset(activity->map, activity->lifetime, activity->active);
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
			uint8_t *block = &activity->map[row * activity->columns + column];
			activity->active += *block == 0;
			*block = activity->lifetime;
		}
	}
}

void activity_add(struct activity *activity, const struct damage *damage) {
	for (uint32_t i = 0; i < damage->count; i++) {
		add_rect(activity, &damage->rects[i]);
	}
}

void activity_age(struct activity *activity) {
	uint32_t blocks = activity->rows * activity->columns;
	activity->active = 0;
	for (uint32_t i = 0; i < blocks; i++) {
		if (activity->map[i] > 0) {
			activity->map[i]--;
			activity->active += activity->map[i] > 0;
		}
	}
}

bool activity_is_empty(const struct activity *activity) {
	return activity->active == 0;
}

bool activity_is_full(const struct activity *activity) {
	return activity->active == activity->rows * activity->columns;
}
