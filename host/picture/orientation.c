#include "picture/orientation.h"

#include <libyuv/rotate.h>

static bool is_mirrored(enum orientation orientation) {
	return orientation >= ORIENTATION_MIRRORED;
}

/* Clockwise, after a mirrored picture was flipped upside down: mirroring it left to right is that
 * and half a turn. */
static unsigned quarter_turns(enum orientation orientation) {
	return (is_mirrored(orientation) ? 2u - orientation : orientation) % 4;
}

void orientation_size(enum orientation orientation, uint32_t *width, uint32_t *height) {
	if (orientation % 2 != 0) {
		uint32_t side = *width;
		*width = *height;
		*height = side;
	}
}

enum orientation orientation_inverse(enum orientation orientation) {
	/* Half a turn and anything mirrored undo themselves. */
	return is_mirrored(orientation) ? orientation : (4u - orientation) % 4;
}

struct rect orientation_rect(
	enum orientation orientation, uint32_t width, uint32_t height, const struct rect *rect) {
	struct rect turned = *rect;
	if (is_mirrored(orientation)) {
		turned.y = (int32_t)height - turned.y - turned.height;
	}
	for (unsigned turns = quarter_turns(orientation); turns > 0; turns--) {
		turned = (struct rect){(int32_t)height - turned.y - turned.height, turned.x,
			turned.height, turned.width};
		orientation_size(ORIENTATION_90, &width, &height);
	}
	return turned;
}

void orientation_apply(enum orientation orientation, const struct picture *from, struct picture *to,
	struct damage *damage) {
	enum RotationMode turn = (enum RotationMode)(90 * quarter_turns(orientation));
	struct damage upright = {0};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect rect = picture_even_rect(&damage->rects[i]);
		struct rect place = orientation_rect(orientation, from->width, from->height, &rect);
		for (int plane = 0; plane < 3; plane++) {
			uint32_t shift = picture_shift(from, plane);
			int32_t height = rect.height >> shift;
			RotatePlane(picture_at(from, plane, rect.x, rect.y), from->strides[plane],
				picture_at(to, plane, place.x, place.y), to->strides[plane],
				rect.width >> shift, is_mirrored(orientation) ? -height : height,
				turn);
		}
		damage_add(&upright, &place);
	}
	*damage = upright;
}
