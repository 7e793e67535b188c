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

/* Grows a stretch of a side of `from` pixels by the reach of the filter, and to where pixel borders
 * of both pictures coincide, also in their subsampled planes. */
static void grow(uint32_t from, uint32_t to, int32_t *begin, int32_t *length) {
	assert(from > 0 && to > 0);
	uint32_t divisor = from;
	for (uint32_t rest = to; rest != 0;) {
		uint32_t next = divisor % rest;
		divisor = rest;
		rest = next;
	}
	int32_t step = (int32_t)(2 * from / divisor);
	int32_t reach = (int32_t)(FILTER_REACH * (from / to + 1));
	int32_t end = MIN(*begin + *length + reach, (int32_t)from);
	*begin = MAX(*begin - reach, 0) / step * step;
	*length = (end + step - 1) / step * step - *begin;
}

static int32_t scale(int32_t length, uint32_t from, uint32_t to) {
	return (int32_t)((uint32_t)length * to / from);
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
	struct damage grown = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect rect = damage->rects[i];
		grow(from->width, to->width, &rect.x, &rect.width);
		grow(from->height, to->height, &rect.y, &rect.height);
		damage_add(&grown, &rect);
	}
	damage_clear(damage);
	for (uint32_t i = 0; i < grown.count; i++) {
		const struct rect *part = &grown.rects[i];
		const struct rect place = {scale(part->x, from->width, to->width),
			scale(part->y, from->height, to->height),
			scale(part->width, from->width, to->width),
			scale(part->height, from->height, to->height)};
		scale_part(from, to, part, &place);
		damage_add(damage, &place);
	}
}
