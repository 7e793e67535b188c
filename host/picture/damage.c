#include "picture/damage.h"

#include <sys/param.h>

static int32_t right(const struct rect *rect) {
	return (int32_t)MIN((int64_t)rect->x + rect->width, INT32_MAX);
}

static int32_t bottom(const struct rect *rect) {
	return (int32_t)MIN((int64_t)rect->y + rect->height, INT32_MAX);
}

static int64_t area(const struct rect *rect) {
	return rect_is_empty(rect) ? 0 : (int64_t)rect->width * rect->height;
}

bool rect_contains(const struct rect *outer, const struct rect *inner) {
	struct rect shared = rect_intersect(outer, inner);
	return area(&shared) == area(inner);
}

struct rect rect_intersect(const struct rect *a, const struct rect *b) {
	int32_t x = MAX(a->x, b->x);
	int32_t y = MAX(a->y, b->y);
	int32_t x_end = MIN(right(a), right(b));
	int32_t y_end = MIN(bottom(a), bottom(b));
	if (rect_is_empty(a) || rect_is_empty(b) || x_end <= x || y_end <= y) {
		return (struct rect){0};
	}
	return (struct rect){x, y, x_end - x, y_end - y};
}

struct rect rect_around(const struct rect *a, const struct rect *b) {
	if (rect_is_empty(a) || rect_is_empty(b)) {
		return rect_is_empty(a) ? *b : *a;
	}
	int32_t x = MIN(a->x, b->x);
	int32_t y = MIN(a->y, b->y);
	return (struct rect){x, y, MAX(right(a), right(b)) - x, MAX(bottom(a), bottom(b)) - y};
}

/* The rectangle whose union with `rect` wastes the fewest pixels that neither covers. *waste is
 * negative if they overlap. */
static uint32_t cheapest_partner(
	const struct damage *damage, const struct rect *rect, int64_t *waste) {
	uint32_t partner = 0;
	*waste = INT64_MAX;
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect around = rect_around(&damage->rects[i], rect);
		int64_t cost = area(&around) - area(&damage->rects[i]) - area(rect);
		if (cost < *waste) {
			*waste = cost;
			partner = i;
		}
	}
	return partner;
}

void damage_add(struct damage *damage, const struct rect *rect) {
	static const struct rect everywhere = {0, 0, INT32_MAX, INT32_MAX};
	struct rect adding = rect_intersect(rect, &everywhere);
	if (rect_is_empty(&adding)) {
		return;
	}
	/* A merged rectangle may reach others: start over with it until it stands alone. */
	for (;;) {
		int64_t waste;
		uint32_t partner = cheapest_partner(damage, &adding, &waste);
		if (waste > 0 && damage->count < DAMAGE_RECTS_MAX) {
			break;
		}
		adding = rect_around(&adding, &damage->rects[partner]);
		damage->rects[partner] = damage->rects[--damage->count];
	}
	damage->rects[damage->count++] = adding;
}

void damage_unite(struct damage *damage, const struct damage *more) {
	for (uint32_t i = 0; i < more->count; i++) {
		damage_add(damage, &more->rects[i]);
	}
}

bool damage_covers(const struct damage *damage, const struct rect *rect) {
	for (uint32_t i = 0; i < damage->count; i++) {
		if (rect_contains(&damage->rects[i], rect)) {
			return true;
		}
	}
	return false;
}

void damage_set_full(struct damage *damage, uint32_t width, uint32_t height) {
	damage->rects[0] = rect_sized(width, height);
	damage->count = 1;
}

void damage_crop(struct damage *damage, const struct rect *bounds) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect inside = rect_intersect(&damage->rects[i], bounds);
		if (!rect_is_empty(&inside)) {
			inside.x -= bounds->x;
			inside.y -= bounds->y;
			damage->rects[kept++] = inside;
		}
	}
	damage->count = kept;
}
