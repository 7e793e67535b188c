#include "picture/orientation.h"

#include <libyuv/rotate.h>

/* Undoing is at most an upside-down flip and then a clockwise turn. */
struct undo {
	bool flip;
	enum RotationMode turn;
};

static const struct undo undos[] = {
	[ORIENTATION_UPRIGHT] = {false, kRotate0},
	[ORIENTATION_90] = {false, kRotate90},
	[ORIENTATION_180] = {false, kRotate180},
	[ORIENTATION_270] = {false, kRotate270},
	[ORIENTATION_MIRRORED] = {true, kRotate180},
	[ORIENTATION_MIRRORED_90] = {true, kRotate90},
	[ORIENTATION_MIRRORED_180] = {true, kRotate0},
	[ORIENTATION_MIRRORED_270] = {true, kRotate270},
};

void orientation_size(enum orientation orientation, uint32_t *width, uint32_t *height) {
	enum RotationMode turn = undos[orientation].turn;
	if (turn == kRotate90 || turn == kRotate270) {
		uint32_t side = *width;
		*width = *height;
		*height = side;
	}
}

struct rect orientation_rect(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect) {
	const struct undo *undo = &undos[orientation];
	int32_t x = rect->x;
	int32_t y = undo->flip ? (int32_t)height - rect->y - rect->height : rect->y;
	int32_t right = (int32_t)width - x - rect->width;
	int32_t below = (int32_t)height - y - rect->height;
	switch (undo->turn) {
	case kRotate90:
		return (struct rect){below, x, rect->height, rect->width};
	case kRotate180:
		return (struct rect){right, below, rect->width, rect->height};
	case kRotate270:
		return (struct rect){y, right, rect->height, rect->width};
	case kRotate0:
		break;
	}
	return (struct rect){x, y, rect->width, rect->height};
}

struct rect orientation_rect_in_buffer(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect) {
	/* Every mirroring undoes itself, and so does half a turn. */
	enum orientation inverse = orientation == ORIENTATION_90    ? ORIENTATION_270
				   : orientation == ORIENTATION_270 ? ORIENTATION_90
								    : orientation;
	return orientation_rect(inverse, width, height, rect);
}

void orientation_apply(enum orientation orientation, const struct picture *from, struct picture *to,
	struct damage *damage) {
	struct damage upright = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect rect = picture_even_rect(&damage->rects[i]);
		struct rect place = orientation_rect(orientation, from->width, from->height, &rect);
		for (int plane = 0; plane < 3; plane++) {
			uint32_t shift = picture_shift(from, plane);
			int32_t height = rect.height >> shift;
			RotatePlane(picture_at(from, plane, rect.x, rect.y), from->strides[plane],
				picture_at(to, plane, place.x, place.y), to->strides[plane],
				rect.width >> shift, undos[orientation].flip ? -height : height,
				undos[orientation].turn);
		}
		damage_add(&upright, &place);
	}
	*damage = upright;
}
