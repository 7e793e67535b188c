#include "capture/canvas.h"

#include "base/log.h"
#include "capture/scale.h"

void canvas_init(
	struct canvas *canvas, enum packet_chroma chroma, uint32_t max_width, uint32_t max_height) {
	*canvas =
		(struct canvas){.chroma = chroma, .max_width = max_width, .max_height = max_height};
}

void canvas_finish(struct canvas *canvas) {
	cursor_finish(&canvas->cursor);
	picture_finish(&canvas->raw);
	picture_finish(&canvas->upright);
	picture_finish(&canvas->scaled);
}

bool canvas_is_empty(const struct canvas *canvas) {
	return canvas->raw.memory == NULL;
}

/* Makes `picture` fit. *fresh becomes true when nothing of it is of use. */
static bool resize(struct canvas *canvas, struct picture *picture, uint32_t width, uint32_t height,
	bool *fresh) {
	if (picture->width == width && picture->height == height) {
		return true;
	}
	*fresh = true;
	return picture_resize(picture, width, height, canvas->chroma);
}

bool canvas_read(struct canvas *canvas, const struct pixels *pixels, enum orientation orientation,
	const struct damage *damage, bool throughout) {
	uint32_t width = pixels->width & ~1u;
	uint32_t height = pixels->height & ~1u;
	bool fresh = canvas->orientation != orientation;
	cursor_lift(&canvas->cursor, &canvas->raw, &canvas->damage);
	canvas->orientation = orientation;
	if (!resize(canvas, &canvas->raw, width, height, &fresh)) {
		return false;
	}
	struct damage reading = *damage;
	if (fresh) {
		damage_set_full(&reading, width, height);
	}
	convert_damaged(pixels, &reading, &canvas->raw);
	uint32_t wrong = audit_check(&canvas->audit, pixels, throughout, &canvas->raw, &reading);
	if (wrong > 0) {
		log_info("%u tiles had changed without a word", wrong);
	}
	if (fresh) {
		damage_clear(&canvas->damage);
	}
	damage_unite(&canvas->damage, &reading);
	return true;
}

/* Makes `picture` the upright one. */
static bool turn(struct canvas *canvas, struct picture **picture, struct damage *damage) {
	if (canvas->orientation == ORIENTATION_UPRIGHT) {
		picture_finish(&canvas->upright);
		return true;
	}
	uint32_t width = canvas->raw.width;
	uint32_t height = canvas->raw.height;
	bool fresh = false;
	orientation_size(canvas->orientation, &width, &height);
	if (!resize(canvas, &canvas->upright, width, height, &fresh)) {
		return false;
	}
	if (fresh) {
		damage_set_full(damage, canvas->raw.width, canvas->raw.height);
	}
	orientation_apply(canvas->orientation, *picture, &canvas->upright, damage);
	*picture = &canvas->upright;
	return true;
}

/* Makes `picture` the scaled one. */
static bool shrink(struct canvas *canvas, struct picture **picture, struct damage *damage) {
	uint32_t width = (*picture)->width;
	uint32_t height = (*picture)->height;
	scale_fit(canvas->max_width, canvas->max_height, &width, &height);
	if (width == (*picture)->width && height == (*picture)->height) {
		if (canvas->scaled.memory != NULL) {
			damage_set_full(damage, width, height);
		}
		picture_finish(&canvas->scaled);
		return true;
	}
	bool fresh = false;
	if (!resize(canvas, &canvas->scaled, width, height, &fresh)) {
		return false;
	}
	if (fresh) {
		damage_set_full(damage, (*picture)->width, (*picture)->height);
	}
	scale_damaged(*picture, &canvas->scaled, damage);
	*picture = &canvas->scaled;
	return true;
}

bool canvas_compose(struct canvas *canvas, const struct picture **picture, struct damage *damage) {
	struct picture *result = &canvas->raw;
	const struct rect whole = {0, 0, (int32_t)result->width, (int32_t)result->height};
	cursor_lift(&canvas->cursor, &canvas->raw, &canvas->damage);
	if (!cursor_draw(&canvas->cursor, &canvas->raw, &canvas->damage)) {
		return false;
	}
	*damage = canvas->damage;
	damage_crop(damage, &whole);
	if (!turn(canvas, &result, damage) || !shrink(canvas, &result, damage)) {
		return false;
	}
	damage_clear(&canvas->damage);
	*picture = result;
	return true;
}

void canvas_size(const struct canvas *canvas, uint32_t *width, uint32_t *height) {
	*width &= ~1u;
	*height &= ~1u;
	scale_fit(canvas->max_width, canvas->max_height, width, height);
}

void canvas_point(const struct canvas *canvas, int32_t *x, int32_t *y) {
	uint32_t width = canvas->raw.width;
	uint32_t height = canvas->raw.height;
	const struct rect point = {*x, *y, 1, 1};
	struct rect place = orientation_rect(canvas->orientation, width, height, &point);
	orientation_size(canvas->orientation, &width, &height);
	uint32_t scaled_width = width;
	uint32_t scaled_height = height;
	scale_fit(canvas->max_width, canvas->max_height, &scaled_width, &scaled_height);
	*x = width > 0 ? (int32_t)((int64_t)place.x * scaled_width / width) : place.x;
	*y = height > 0 ? (int32_t)((int64_t)place.y * scaled_height / height) : place.y;
}
