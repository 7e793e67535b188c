#include "picture/damage.h"

#include <stddef.h>

static int64_t edge_right(const struct rect *rect) {
	int64_t edge = (int64_t)rect->x + rect->width;
	return edge < INT32_MAX ? edge : INT32_MAX;
}

static int64_t edge_bottom(const struct rect *rect) {
	int64_t edge = (int64_t)rect->y + rect->height;
	return edge < INT32_MAX ? edge : INT32_MAX;
}

static int64_t area(const struct rect *rect) {
	return rect_is_empty(rect) ? 0 : (int64_t)rect->width * rect->height;
}

bool rect_is_empty(const struct rect *rect) {
	return rect->width <= 0 || rect->height <= 0;
}

bool rect_contains(const struct rect *outer, const struct rect *inner) {
	if (rect_is_empty(inner)) {
		return true;
	}
	return !rect_is_empty(outer) && inner->x >= outer->x && inner->y >= outer->y &&
	       edge_right(inner) <= edge_right(outer) && edge_bottom(inner) <= edge_bottom(outer);
}

struct rect rect_intersect(const struct rect *a, const struct rect *b) {
	if (rect_is_empty(a) || rect_is_empty(b)) {
		return (struct rect){0};
	}
	int64_t left = a->x > b->x ? a->x : b->x;
	int64_t top = a->y > b->y ? a->y : b->y;
	int64_t right = edge_right(a) < edge_right(b) ? edge_right(a) : edge_right(b);
	int64_t bottom = edge_bottom(a) < edge_bottom(b) ? edge_bottom(a) : edge_bottom(b);
	if (right <= left || bottom <= top || right - left > INT32_MAX ||
		bottom - top > INT32_MAX) {
		return (struct rect){0};
	}
	return (struct rect){
		(int32_t)left, (int32_t)top, (int32_t)(right - left), (int32_t)(bottom - top)};
}

struct rect rect_around(const struct rect *a, const struct rect *b) {
	if (rect_is_empty(a)) {
		return *b;
	}
	if (rect_is_empty(b)) {
		return *a;
	}
	int64_t left = a->x < b->x ? a->x : b->x;
	int64_t top = a->y < b->y ? a->y : b->y;
	int64_t right = edge_right(a) > edge_right(b) ? edge_right(a) : edge_right(b);
	int64_t bottom = edge_bottom(a) > edge_bottom(b) ? edge_bottom(a) : edge_bottom(b);
	return (struct rect){
		(int32_t)left, (int32_t)top, (int32_t)(right - left), (int32_t)(bottom - top)};
}

void damage_clear(struct damage *damage) {
	damage->count = 0;
}

bool damage_is_empty(const struct damage *damage) {
	return damage->count == 0;
}

static void damage_remove(struct damage *damage, uint32_t index) {
	damage->rects[index] = damage->rects[--damage->count];
}

/* Pixels that the rectangle around both would name though neither does (negative when they
 * overlap). */
static int64_t waste(const struct rect *a, const struct rect *b) {
	struct rect around = rect_around(a, b);
	return area(&around) - area(a) - area(b);
}

/* The rectangle whose union with `rect` wastes least. */
static uint32_t cheapest_partner(
	const struct damage *damage, const struct rect *rect, int64_t *cheapest) {
	uint32_t partner = 0;
	*cheapest = INT64_MAX;
	for (uint32_t i = 0; i < damage->count; i++) {
		int64_t cost = waste(&damage->rects[i], rect);
		if (cost < *cheapest) {
			*cheapest = cost;
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
	/* A merged rectangle may reach others: begin again with it until it stands alone. */
	for (;;) {
		int64_t cost = 0;
		uint32_t partner = cheapest_partner(damage, &adding, &cost);
		bool full = damage->count == DAMAGE_RECTS_MAX;
		if (damage->count == 0 || (cost > 0 && !full)) {
			break;
		}
		adding = rect_around(&adding, &damage->rects[partner]);
		damage_remove(damage, partner);
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
	damage->rects[0] = (struct rect){0, 0, (int32_t)width, (int32_t)height};
	damage->count = width > 0 && height > 0 ? 1 : 0;
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
