#include "picture/canvas.h"

#include <string.h>

#include "picture/diff.h"
#include "picture/scale.h"

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

/* The wanted part of the upright pixels; empty if they have none. */
static struct rect find_region(const struct canvas *canvas, uint32_t width, uint32_t height) {
	struct rect region = rect_sized(width, height);
	if (!rect_is_empty(&canvas->region)) {
		region = rect_intersect(&canvas->region, &region);
	}
	region.width &= ~1;
	region.height &= ~1;
	return region;
}

/* Copies to `raw` what only `upright` has, except for what is about to be read. */
static void catch_up(struct canvas *canvas, const struct damage *reading) {
	for (uint32_t i = 0; i < canvas->behind.count; i++) {
		if (!damage_covers(reading, &canvas->behind.rects[i])) {
			struct rect rect = picture_even_rect(&canvas->behind.rects[i]);
			picture_copy(&canvas->upright, &rect, &canvas->raw, rect.x, rect.y);
		}
	}
	damage_clear(&canvas->behind);
}

/* Makes `crop` the part that `raw` has. False when out of memory. */
static bool move_crop(struct canvas *canvas, const struct rect *crop) {
	struct cursor *cursor = &canvas->cursor;
	cursor_lift(cursor, &canvas->raw, &canvas->damage);
	cursor_move(cursor, cursor->visible, cursor->x + canvas->crop.x - crop->x,
		cursor->y + canvas->crop.y - crop->y);
	canvas->crop = *crop;
	return picture_resize(
		&canvas->raw, (uint32_t)crop->width, (uint32_t)crop->height, canvas->chroma);
}

bool canvas_read(struct canvas *canvas, const struct pixels *pixels, enum orientation orientation,
	const struct damage *damage) {
	uint32_t width = pixels->width;
	uint32_t height = pixels->height;
	orientation_size(orientation, &width, &height);
	struct rect region = find_region(canvas, width, height);
	struct rect crop =
		orientation_rect(orientation_inverse(orientation), width, height, &region);
	if (rect_is_empty(&crop)) {
		canvas->stale = true;
		return true;
	}
	bool fresh = canvas->stale || canvas->orientation != orientation ||
		     memcmp(&canvas->crop, &crop, sizeof(crop)) != 0;
	canvas->orientation = orientation;
	canvas->stale = !move_crop(canvas, &crop);
	if (canvas->stale) {
		return false;
	}
	struct pixels part = *pixels;
	part.top += (ptrdiff_t)crop.y * pixels->stride + 4 * (ptrdiff_t)crop.x;
	part.width = (uint32_t)crop.width;
	part.height = (uint32_t)crop.height;
	struct damage reading = {0};
	if (fresh) {
		damage_clear(&canvas->damage);
		damage_clear(&canvas->behind);
		damage_set_full(&reading, part.width, part.height);
	} else if (damage != NULL) {
		reading = *damage;
		damage_crop(&reading, &crop);
	}
	catch_up(canvas, &reading);
	if (fresh || damage != NULL) {
		convert_damaged(&part, &reading, &canvas->raw);
	} else {
		diff_find(&part, &canvas->raw, &reading);
	}
	damage_unite(&canvas->damage, &reading);
	return true;
}

/* True if most of the picture changed, and so is likely to change again before `raw` is needed
 * whole: exchanging the two then costs less than a copy. A cursor that is drawn in would be lifted
 * from the wrong one. */
static bool may_exchange(const struct canvas *canvas, const struct damage *damage) {
	int64_t half = (int64_t)canvas->raw.width * canvas->raw.height / 2;
	bool most = false;
	for (uint32_t i = 0; i < damage->count; i++) {
		const struct rect *rect = &damage->rects[i];
		most = most || (int64_t)rect->width * rect->height >= half;
	}
	return most && canvas->orientation == ORIENTATION_UPRIGHT &&
	       rect_is_empty(&canvas->cursor.drawn);
}

/* Makes `to` width x height. If it was not, all of `from`, which it is made of, counts as damaged.
 * False when out of memory. */
static bool resize(const struct picture *from, struct picture *to, uint32_t width, uint32_t height,
	struct damage *damage) {
	if (to->width != width || to->height != height) {
		damage_set_full(damage, from->width, from->height);
	}
	return picture_resize(to, width, height, from->chroma);
}

/* Makes `upright`, which is width x height, the newest picture. False when out of memory. */
static bool turn(struct canvas *canvas, uint32_t width, uint32_t height, struct damage *damage) {
	if (!resize(&canvas->raw, &canvas->upright, width, height, damage)) {
		return false;
	}
	if (may_exchange(canvas, damage)) {
		const struct picture newest = canvas->raw;
		canvas->raw = canvas->upright;
		canvas->upright = newest;
		canvas->behind = *damage;
	} else {
		orientation_apply(canvas->orientation, &canvas->raw, &canvas->upright, damage);
	}
	return true;
}

bool canvas_compose(struct canvas *canvas, const struct picture **picture, struct damage *damage) {
	const struct picture *result = &canvas->raw;
	uint32_t width = result->width;
	uint32_t height = result->height;
	orientation_size(canvas->orientation, &width, &height);
	uint32_t scaled_width = width;
	uint32_t scaled_height = height;
	scale_fit(canvas->max_width, canvas->max_height, &scaled_width, &scaled_height);
	bool scales = scaled_width != width || scaled_height != height;
	catch_up(canvas, &(struct damage){0});
	cursor_lift(&canvas->cursor, &canvas->raw, &canvas->damage);
	if (!cursor_draw(&canvas->cursor, &canvas->raw, &canvas->damage)) {
		return false;
	}
	*damage = canvas->damage;
	if (canvas->orientation == ORIENTATION_UPRIGHT && scales) {
		/* The scaled picture is a copy, too. */
		picture_finish(&canvas->upright);
	} else if (turn(canvas, width, height, damage)) {
		result = &canvas->upright;
	} else {
		return false;
	}
	if (scales) {
		if (!resize(result, &canvas->scaled, scaled_width, scaled_height, damage)) {
			return false;
		}
		scale_damaged(result, &canvas->scaled, damage);
		result = &canvas->scaled;
	} else if (canvas->scaled.memory != NULL) {
		picture_finish(&canvas->scaled);
		damage_set_full(damage, width, height);
	}
	damage_clear(&canvas->damage);
	*picture = result;
	return true;
}

bool canvas_full_size(const struct canvas *canvas, uint32_t *width, uint32_t *height) {
	struct rect region = find_region(canvas, *width, *height);
	if (rect_is_empty(&region)) {
		return false;
	}
	*width = (uint32_t)region.width;
	*height = (uint32_t)region.height;
	return true;
}

bool canvas_size(const struct canvas *canvas, uint32_t *width, uint32_t *height) {
	if (!canvas_full_size(canvas, width, height)) {
		return false;
	}
	scale_fit(canvas->max_width, canvas->max_height, width, height);
	return true;
}

void canvas_point(const struct canvas *canvas, int32_t *x, int32_t *y) {
	uint32_t width = (uint32_t)canvas->crop.width;
	uint32_t height = (uint32_t)canvas->crop.height;
	const struct rect point = {*x - canvas->crop.x, *y - canvas->crop.y, 1, 1};
	struct rect place = orientation_rect(canvas->orientation, width, height, &point);
	orientation_size(canvas->orientation, &width, &height);
	uint32_t scaled_width = width;
	uint32_t scaled_height = height;
	scale_fit(canvas->max_width, canvas->max_height, &scaled_width, &scaled_height);
	*x = (int32_t)((int64_t)place.x * scaled_width / width);
	*y = (int32_t)((int64_t)place.y * scaled_height / height);
}
