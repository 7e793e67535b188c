#include "picture/scale.h"

#include <assert.h>
#include <libyuv/scale.h>

/* How many of its own pixels around a scaled one take part in it. */
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
	*width = fitted_width >= 2 ? (uint32_t)fitted_width & ~1u : 2;
	*height = fitted_height >= 2 ? (uint32_t)fitted_height & ~1u : 2;
}

/* Along one axis: `from` pixels become `to`. Borders of both fall together every `from_step` and
 * `to_step` pixels. */
struct axis {
	int32_t from;
	int32_t to;
	int32_t from_step;
	int32_t to_step;
	int32_t reach; /* of the filter, in `from` pixels */
};

static struct axis axis_between(uint32_t from, uint32_t to) {
	assert(from > 0 && to > 0);
	uint32_t a = from;
	uint32_t b = to;
	while (b != 0) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	struct axis axis = {
		.from = (int32_t)from,
		.to = (int32_t)to,
		.from_step = (int32_t)(from / a),
		.to_step = (int32_t)(to / a),
		.reach = (int32_t)(FILTER_REACH * (from / to + 1)),
	};
	if (axis.from_step % 2 != 0 || axis.to_step % 2 != 0) {
		axis.from_step *= 2;
		axis.to_step *= 2;
	}
	return axis;
}

/* The steps that a stretch of `from` touches, with what the filter reaches. */
static void touched_steps(
	const struct axis *axis, int32_t begin, int32_t length, int32_t *first, int32_t *last) {
	int32_t end = begin + length + axis->reach;
	begin = begin > axis->reach ? begin - axis->reach : 0;
	end = end < axis->from ? end : axis->from;
	*first = begin / axis->from_step;
	*last = (end + axis->from_step - 1) / axis->from_step;
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
	struct damage scaled = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		const struct rect *rect = &damage->rects[i];
		int32_t left = 0;
		int32_t right = 0;
		int32_t top = 0;
		int32_t bottom = 0;
		touched_steps(&across, rect->x, rect->width, &left, &right);
		touched_steps(&down, rect->y, rect->height, &top, &bottom);
		damage_add(&scaled, &(struct rect){left, top, right - left, bottom - top});
	}
	*damage = (struct damage){0};
	for (uint32_t i = 0; i < scaled.count; i++) {
		const struct rect *steps = &scaled.rects[i];
		const struct rect part = {steps->x * across.from_step, steps->y * down.from_step,
			steps->width * across.from_step, steps->height * down.from_step};
		const struct rect place = {steps->x * across.to_step, steps->y * down.to_step,
			steps->width * across.to_step, steps->height * down.to_step};
		scale_part(from, to, &part, &place);
		damage_add(damage, &place);
	}
}
