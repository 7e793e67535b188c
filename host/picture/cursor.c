#include "picture/cursor.h"

#include <libyuv/convert_argb.h>
#include <libyuv/planar_functions.h>
#include <libyuv/scale_argb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

void cursor_finish(struct cursor *cursor) {
	free(cursor->rgba);
	picture_finish(&cursor->beneath);
	*cursor = (struct cursor){0};
}

bool cursor_set_bitmap(
	struct cursor *cursor, uint32_t width, uint32_t height, const uint8_t *rgba) {
	size_t size = (size_t)width * height * 4;
	uint8_t *copy = size > 0 ? malloc(size) : NULL;
	if (copy != NULL) {
		memcpy(copy, rgba, size);
	}
	free(cursor->rgba);
	cursor->rgba = copy;
	cursor->width = copy != NULL ? width : 0;
	cursor->height = copy != NULL ? height : 0;
	cursor->changed = true;
	return copy != NULL || size == 0;
}

/* libyuv's "ARGB" is B, G, R, A in memory. Copying, scaling and dividing by alpha treat all colours
 * alike, so their order doesn't matter there. */
void cursor_copy_bitmap(const uint8_t *from, int32_t stride, bool bgr, uint32_t width,
	uint32_t height, uint8_t *rgba) {
	(bgr ? ABGRToARGB : ARGBCopy)(from, stride, rgba, (int)width * 4, (int)width, (int)height);
}

void cursor_shrink_bitmap(
	const uint8_t *rgba, uint32_t side, uint32_t *width, uint32_t *height, uint8_t *to) {
	int from_width = (int)*width;
	int from_height = (int)*height;
	uint32_t longest = MAX(*width, *height);
	if (longest > side) {
		*width = MAX(*width * side / longest, 1);
		*height = MAX(*height * side / longest, 1);
	}
	int row = (int)*width * 4;
	ARGBScale(rgba, from_width * 4, from_width, from_height, to, row, (int)*width, (int)*height,
		kFilterBox);
	ARGBUnattenuate(to, row, to, row, (int)*width, (int)*height);
}

void cursor_move(struct cursor *cursor, bool visible, int32_t x, int32_t y) {
	cursor->changed = cursor->changed || cursor->visible != visible ||
			  (visible && (cursor->x != x || cursor->y != y));
	cursor->visible = visible;
	cursor->x = x;
	cursor->y = y;
}

void cursor_lift(struct cursor *cursor, struct picture *picture, struct damage *damage) {
	const struct rect *drawn = &cursor->drawn;
	if (!rect_is_empty(drawn)) {
		const struct rect all = {0, 0, drawn->width, drawn->height};
		picture_copy(&cursor->beneath, &all, picture, drawn->x, drawn->y);
		if (cursor->changed) {
			damage_add(damage, drawn);
		}
	}
	cursor->drawn = (struct rect){0};
}

/* The cursor's pixel at (x, y) of the picture; transparent outside of the bitmap. */
static const uint8_t *pixel_over(const struct cursor *cursor, int32_t x, int32_t y) {
	static const uint8_t transparent[4];
	/* What is left of it or above wraps around. */
	uint32_t column = (uint32_t)x - (uint32_t)cursor->x;
	uint32_t row = (uint32_t)y - (uint32_t)cursor->y;
	return column < cursor->width && row < cursor->height
		       ? cursor->rgba + 4 * ((size_t)row * cursor->width + column)
		       : transparent;
}

/* BT.601 limited range in 256ths, as in convert_damaged(); the last column is the offset. */
static const int32_t matrix[3][4] = {{66, 129, 25, 16}, {-38, -74, 112, 128}, {112, -94, -18, 128}};

/* Blends one sample, which covers side x side pixels from (x, y) on. */
static uint8_t blend(const struct cursor *cursor, int plane, int32_t x, int32_t y, int32_t side,
	uint8_t beneath) {
	int32_t sum[4] = {0};
	for (int32_t pixel = 0; pixel < side * side; pixel++) {
		const uint8_t *over = pixel_over(cursor, x + pixel % side, y + pixel / side);
		for (int channel = 0; channel < 4; channel++) {
			sum[channel] += over[channel];
		}
	}
	int32_t count = side * side;
	int32_t alpha = (sum[3] + count / 2) / count;
	int32_t colour = (matrix[plane][0] * sum[0] + matrix[plane][1] * sum[1] +
				 matrix[plane][2] * sum[2]) /
			 count / 256;
	int32_t value = colour + (matrix[plane][3] * alpha + beneath * (255 - alpha) + 127) / 255;
	return (uint8_t)MIN(MAX(value, 0), 255);
}

static void blend_drawn(const struct cursor *cursor, struct picture *picture) {
	const struct rect *drawn = &cursor->drawn;
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		int32_t side = 1 << shift;
		uint8_t *row = picture_at(picture, plane, drawn->x, drawn->y);
		for (int32_t y = drawn->y; y < drawn->y + drawn->height; y += side) {
			for (int32_t x = 0; x < drawn->width >> shift; x++) {
				row[x] = blend(
					cursor, plane, drawn->x + (x << shift), y, side, row[x]);
			}
			row += picture->strides[plane];
		}
	}
}

bool cursor_draw(struct cursor *cursor, struct picture *picture, struct damage *damage) {
	const struct rect whole = rect_sized(picture->width, picture->height);
	const struct rect place = {
		cursor->x, cursor->y, (int32_t)cursor->width, (int32_t)cursor->height};
	struct rect inside = rect_intersect(&place, &whole);
	bool changed = cursor->changed;
	cursor->changed = false;
	if (!cursor->visible || rect_is_empty(&inside)) {
		return true;
	}
	struct rect even = picture_even_rect(&inside);
	if (!picture_resize(&cursor->beneath, (uint32_t)even.width, (uint32_t)even.height,
		    picture->chroma)) {
		return false;
	}
	cursor->drawn = even;
	picture_copy(picture, &even, &cursor->beneath, 0, 0);
	blend_drawn(cursor, picture);
	if (changed) {
		damage_add(damage, &even);
	}
	return true;
}
