#include "picture/cursor.h"

#include <stdlib.h>
#include <string.h>

void cursor_finish(struct cursor *cursor) {
	free(cursor->rgba);
	picture_finish(&cursor->beneath);
	*cursor = (struct cursor){0};
}

bool cursor_set_bitmap(
	struct cursor *cursor, uint32_t width, uint32_t height, const uint8_t *rgba) {
	free(cursor->rgba);
	cursor->rgba = NULL;
	cursor->changed = true;
	cursor->width = 0;
	cursor->height = 0;
	size_t size = (size_t)width * height * 4;
	if (size == 0) {
		return true;
	}
	cursor->rgba = malloc(size);
	if (cursor->rgba == NULL) {
		return false;
	}
	memcpy(cursor->rgba, rgba, size);
	cursor->width = width;
	cursor->height = height;
	return true;
}

void cursor_move(struct cursor *cursor, bool visible, int32_t x, int32_t y) {
	cursor->changed = cursor->changed || cursor->visible != visible ||
			  (visible && (cursor->x != x || cursor->y != y));
	cursor->visible = visible;
	cursor->x = x;
	cursor->y = y;
}

/* Between the picture, at `drawn`, and what is kept of it. */
static void copy_beneath(struct cursor *cursor, struct picture *picture, bool keep) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		uint8_t *at = picture_at(picture, plane, cursor->drawn.x, cursor->drawn.y);
		uint8_t *kept = cursor->beneath.planes[plane];
		for (int32_t row = 0; row < cursor->drawn.height >> shift; row++) {
			memcpy(keep ? kept : at, keep ? at : kept,
				(size_t)(cursor->drawn.width >> shift));
			at += picture->strides[plane];
			kept += cursor->beneath.strides[plane];
		}
	}
}

void cursor_lift(struct cursor *cursor, struct picture *picture, struct damage *damage) {
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
	if (!rect_is_empty(&cursor->drawn) && rect_contains(&whole, &cursor->drawn)) {
		copy_beneath(cursor, picture, false);
		if (cursor->changed) {
			damage_add(damage, &cursor->drawn);
		}
	}
	cursor->drawn = (struct rect){0};
}

/* The cursor's pixel over (x, y) of the picture; nothing outside of the bitmap. */
static const uint8_t *pixel_over(const struct cursor *cursor, int32_t x, int32_t y) {
	static const uint8_t nothing[4];
	int64_t column = (int64_t)x - cursor->x;
	int64_t row = (int64_t)y - cursor->y;
	if (column < 0 || row < 0 || column >= cursor->width || row >= cursor->height) {
		return nothing;
	}
	return cursor->rgba + 4 * ((size_t)row * cursor->width + (size_t)column);
}

/* BT.601, limited range, in 256ths, as convert_damaged() makes it. */
static const int32_t matrix[3][4] = {{66, 129, 25, 16}, {-38, -74, 112, 128}, {112, -94, -18, 128}};

/* One sample, of side x side pixels whose first is (x, y). */
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
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
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
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
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
	copy_beneath(cursor, picture, true);
	blend_drawn(cursor, picture);
	if (changed) {
		damage_add(damage, &even);
	}
	return true;
}
