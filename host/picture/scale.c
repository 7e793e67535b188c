#include "picture/scale.h"

#include <assert.h>
#include <libyuv/scale.h>
#include <sys/param.h>

/* How many of its own pixels around a scaled pixel contribute to it. */
#define FILTER_REACH 2

void scale_fit(uint32_t max_width, uint32_t max_height, uint32_t *width, uint32_t *height) {
	uint64_t right = max_width > 0 ? max_width : *width;
	uint64_t bottom = max_height > 0 ? max_height : *height;
	if (*width <= right && *height <= bottom) {
		return;
	}
	uint64_t fitted_width = right;
	uint64_t fitted_height = *height * right / *width;
	if (fitted_height > bottom) {
		fitted_height = bottom;
		fitted_width = *width * bottom / *height;
	}
	*width = MAX((uint32_t)fitted_width & ~1u, 2);
	*height = MAX((uint32_t)fitted_height & ~1u, 2);
}

/* How one side is scaled. Pixel borders of both pictures coincide every `from_step` and `to_step`
 * pixels. Both are even, as subsampled planes need it. */
struct axis {
	int32_t from; /* the side */
	int32_t from_step;
	int32_t to_step;
	int32_t reach; /* of the filter, in `from` pixels */
};

static struct axis axis_between(uint32_t from, uint32_t to) {
	assert(from > 0 && to > 0);
	uint32_t divisor = from;
	for (uint32_t rest = to; rest != 0;) {
		uint32_t next = divisor % rest;
		divisor = rest;
		rest = next;
	}
	return (struct axis){
		.from = (int32_t)from,
		.from_step = (int32_t)(2 * from / divisor),
		.to_step = (int32_t)(2 * to / divisor),
		.reach = (int32_t)(FILTER_REACH * (from / to + 1)),
	};
}

/* The steps that a stretch and the filter around it touch. */
static void find_steps(const struct axis *axis, int32_t *begin, int32_t *length) {
	int32_t end = MIN(*begin + *length + axis->reach, axis->from);
	*begin = MAX(*begin - axis->reach, 0) / axis->from_step;
	*length = (end + axis->from_step - 1) / axis->from_step - *begin;
}

static void scale_part(const struct picture *from, struct picture *to, const struct rect *part,
	const struct rect *place) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(from, plane);
		ScalePlane(picture_at(from, plane, part->x, part->y), from->strides[plane],
			part->width >> shift, part->height >> shift,
			picture_at(to, plane, place->x, place->y), to->strides[plane],
			place->width >> shift, place->height >> shift, kFilterBox);
	}
}

void scale_damaged(const struct picture *from, struct picture *to, struct damage *damage) {
	const struct axis across = axis_between(from->width, to->width);
	const struct axis down = axis_between(from->height, to->height);
	struct damage steps = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect rect = damage->rects[i];
		find_steps(&across, &rect.x, &rect.width);
		find_steps(&down, &rect.y, &rect.height);
		damage_add(&steps, &rect);
	}
	damage_clear(damage);
	for (uint32_t i = 0; i < steps.count; i++) {
		const struct rect *rect = &steps.rects[i];
		const struct rect part = {rect->x * across.from_step, rect->y * down.from_step,
			rect->width * across.from_step, rect->height * down.from_step};
		const struct rect place = {rect->x * across.to_step, rect->y * down.to_step,
			rect->width * across.to_step, rect->height * down.to_step};
		scale_part(from, to, &part, &place);
		damage_add(damage, &place);
	}
}
