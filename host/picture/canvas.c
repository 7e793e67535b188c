#include "picture/canvas.h"

#include "base/log.h"
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

/* Makes `picture` fit. *fresh becomes true when nothing of it is of use. */
static bool resize(struct canvas *canvas, struct picture *picture, uint32_t width, uint32_t height,
	bool *fresh) {
	if (picture->width == width && picture->height == height) {
		return true;
	}
	*fresh = true;
	return picture_resize(picture, width, height, canvas->chroma);
}

/* The part of the upright picture that is wanted. False when it has none. */
static bool find_region(
	const struct canvas *canvas, uint32_t width, uint32_t height, struct rect *region) {
	const struct rect whole = {0, 0, (int32_t)width, (int32_t)height};
	*region = rect_is_empty(&canvas->region) ? whole : rect_intersect(&canvas->region, &whole);
	region->width &= ~1;
	region->height &= ~1;
	return !rect_is_empty(region);
}

/* The same of pixels as they are in the buffer. */
static bool find_crop(const struct canvas *canvas, const struct pixels *pixels,
	enum orientation orientation, struct rect *crop) {
	uint32_t width = pixels->width;
	uint32_t height = pixels->height;
	struct rect region;
	orientation_size(orientation, &width, &height);
	bool found = find_region(canvas, width, height, &region);
	*crop = orientation_rect_in_buffer(orientation, width, height, &region);
	return found;
}

static struct pixels pixels_within(const struct pixels *pixels, const struct rect *crop) {
	struct pixels part = *pixels;
	part.top += (ptrdiff_t)crop->y * pixels->stride + 4 * (ptrdiff_t)crop->x;
	part.width = (uint32_t)crop->width;
	part.height = (uint32_t)crop->height;
	return part;
}

/* `raw` is to have another part of the pixels. */
static void move_crop(struct canvas *canvas, const struct rect *crop) {
	struct cursor *cursor = &canvas->cursor;
	cursor_move(cursor, cursor->visible, cursor->x + canvas->crop.x - crop->x,
		cursor->y + canvas->crop.y - crop->y);
	canvas->crop = *crop;
}

/* Makes `raw` the newest again, but for what is about to be read. */
static void catch_up(struct canvas *canvas, const struct damage *reading) {
	struct damage missing = {0};
	for (uint32_t i = 0; i < canvas->behind.count; i++) {
		if (!damage_covers(reading, &canvas->behind.rects[i])) {
			damage_add(&missing, &canvas->behind.rects[i]);
		}
	}
	damage_clear(&canvas->behind);
	orientation_apply(ORIENTATION_UPRIGHT, &canvas->upright, &canvas->raw, &missing);
}

/* What is said to have changed, and some of the rest. */
static void read_damaged(struct canvas *canvas, const struct pixels *part,
	const struct damage *damage, bool throughout, struct damage *reading) {
	*reading = *damage;
	damage_crop(reading, &canvas->crop);
	/* What changed lies elsewhere: that is no reason to doubt all that did not. */
	throughout = throughout && (damage_is_empty(damage) || !damage_is_empty(reading));
	catch_up(canvas, reading);
	convert_damaged(part, reading, &canvas->raw);
	uint32_t wrong = diff_check(&canvas->diff, part, throughout, &canvas->raw, reading);
	if (wrong > 0) {
		log_info("%u tiles had changed without a word", wrong);
	}
}

bool canvas_read(struct canvas *canvas, const struct pixels *pixels, enum orientation orientation,
	const struct damage *damage, bool throughout) {
	struct rect crop;
	if (!find_crop(canvas, pixels, orientation, &crop)) {
		canvas->stale = true;
		return true;
	}
	const struct pixels part = pixels_within(pixels, &crop);
	bool fresh = canvas->stale || canvas->orientation != orientation ||
		     crop.x != canvas->crop.x || crop.y != canvas->crop.y;
	cursor_lift(&canvas->cursor, &canvas->raw, &canvas->damage);
	move_crop(canvas, &crop);
	canvas->orientation = orientation;
	if (!resize(canvas, &canvas->raw, part.width, part.height, &fresh)) {
		return false;
	}
	canvas->stale = false;
	struct damage reading = {0};
	if (fresh) {
		damage_clear(&canvas->damage);
		damage_clear(&canvas->behind);
		damage_set_full(&reading, part.width, part.height);
		convert_damaged(&part, &reading, &canvas->raw);
	} else if (damage == NULL) {
		catch_up(canvas, &reading);
		diff_find(&part, &canvas->raw, &reading);
	} else {
		read_damaged(canvas, &part, damage, throughout, &reading);
	}
	damage_unite(&canvas->damage, &reading);
	return true;
}

static bool is_scaled(const struct canvas *canvas, uint32_t width, uint32_t height) {
	uint32_t scaled_width = width;
	uint32_t scaled_height = height;
	scale_fit(canvas->max_width, canvas->max_height, &scaled_width, &scaled_height);
	return scaled_width != width || scaled_height != height;
}

/* Where most of the picture changed, and is likely to change again before `raw` is needed whole,
 * exchanging the two costs less than a copy. A cursor that is drawn in would be lifted from the
 * wrong one. */
static bool may_exchange(const struct canvas *canvas, const struct damage *damage) {
	const struct picture *raw = &canvas->raw;
	bool most = false;
	for (uint32_t i = 0; i < damage->count; i++) {
		const struct rect *rect = &damage->rects[i];
		most = most ||
		       2 * (int64_t)rect->width * rect->height >= (int64_t)raw->width * raw->height;
	}
	return most && canvas->orientation == ORIENTATION_UPRIGHT &&
	       rect_is_empty(&canvas->cursor.drawn);
}

/* Makes `picture` the upright one. */
static bool turn(struct canvas *canvas, struct picture **picture, struct damage *damage) {
	uint32_t width = canvas->raw.width;
	uint32_t height = canvas->raw.height;
	bool fresh = false;
	orientation_size(canvas->orientation, &width, &height);
	if (canvas->orientation == ORIENTATION_UPRIGHT && is_scaled(canvas, width, height)) {
		/* The scaled one is a copy as well. */
		picture_finish(&canvas->upright);
		return true;
	}
	if (!resize(canvas, &canvas->upright, width, height, &fresh)) {
		return false;
	}
	if (fresh) {
		damage_set_full(damage, canvas->raw.width, canvas->raw.height);
	}
	if (!fresh && may_exchange(canvas, damage)) {
		const struct picture newest = canvas->raw;
		canvas->raw = canvas->upright;
		canvas->upright = newest;
		canvas->behind = *damage;
	} else {
		orientation_apply(canvas->orientation, *picture, &canvas->upright, damage);
	}
	*picture = &canvas->upright;
	return true;
}

/* Makes `picture` the scaled one. */
static bool shrink(struct canvas *canvas, struct picture **picture, struct damage *damage) {
	uint32_t width = (*picture)->width;
	uint32_t height = (*picture)->height;
	if (!is_scaled(canvas, width, height)) {
		if (canvas->scaled.memory != NULL) {
			damage_set_full(damage, width, height);
		}
		picture_finish(&canvas->scaled);
		return true;
	}
	scale_fit(canvas->max_width, canvas->max_height, &width, &height);
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
	catch_up(canvas, &(struct damage){0});
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

bool canvas_full_size(const struct canvas *canvas, uint32_t *width, uint32_t *height) {
	struct rect region;
	if (!find_region(canvas, *width, *height, &region)) {
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
	uint32_t width = canvas->raw.width;
	uint32_t height = canvas->raw.height;
	const struct rect point = {*x - canvas->crop.x, *y - canvas->crop.y, 1, 1};
	struct rect place = orientation_rect(canvas->orientation, width, height, &point);
	orientation_size(canvas->orientation, &width, &height);
	uint32_t scaled_width = width;
	uint32_t scaled_height = height;
	scale_fit(canvas->max_width, canvas->max_height, &scaled_width, &scaled_height);
	*x = width > 0 ? (int32_t)((int64_t)place.x * scaled_width / width) : place.x;
	*y = height > 0 ? (int32_t)((int64_t)place.y * scaled_height / height) : place.y;
}
