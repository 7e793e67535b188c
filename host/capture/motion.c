#include "capture/motion.h"

#include <sys/param.h>

/* A change of less than 1/16 of the screen, like a pointer over a film, says nothing. */
#define PART_MIN 16
/* At most about this many rows of each rectangle are sampled, and every fourth pixel of a row. */
#define ROWS 16
#define STEP 4

struct count {
	uint64_t area;
	uint32_t pairs;
	uint32_t equal;
};

static void look(const struct picture *picture, const struct rect *rect, struct count *count) {
	int32_t step = MAX(rect->height / ROWS, 1);
	count->area += (uint64_t)rect->width * (uint64_t)rect->height;
	for (int32_t y = rect->y; y < rect->y + rect->height; y += step) {
		const uint8_t *row = picture->planes[0] + (ptrdiff_t)y * picture->strides[0];
		for (int32_t x = rect->x; x + 1 < rect->x + rect->width; x += STEP) {
			count->pairs++;
			count->equal += row[x] == row[x + 1];
		}
	}
}

void motion_see(struct motion *motion, const struct picture *picture, const struct damage *damage) {
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
	struct count count = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect inside = rect_intersect(&damage->rects[i], &whole);
		if (!rect_is_empty(&inside)) {
			look(picture, &inside, &count);
		}
	}
	motion->changed = count.area;
	if (count.area * PART_MIN >= (uint64_t)picture->width * picture->height) {
		bool drawn = 2 * count.equal >= count.pairs;
		motion->seen = drawn ? 0 : MIN(motion->seen + 1, MOTION_CHANGES);
	} else if (damage_is_empty(damage)) {
		motion->seen = 0;
	} else if (motion->seen > 0) {
		motion->seen--;
	}
	motion->moving = motion->seen >= MOTION_CHANGES || (motion->moving && motion->seen > 0);
}
