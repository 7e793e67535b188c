#include "capture/audit.h"

#include <string.h>

static bool same(
	const struct picture *picture, const struct rect *tile, const struct picture *other) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		const uint8_t *ours = picture_at(picture, plane, tile->x, tile->y);
		const uint8_t *theirs = other->planes[plane];
		for (int32_t row = 0; row < tile->height >> shift; row++) {
			if (memcmp(ours, theirs, (size_t)(tile->width >> shift)) != 0) {
				return false;
			}
			ours += picture->strides[plane];
			theirs += other->strides[plane];
		}
	}
	return true;
}

/* True when the tile was right. */
static bool check_tile(
	const struct pixels *pixels, const struct rect *tile, struct picture *picture) {
	_Alignas(64) uint8_t memory[3][AUDIT_TILE * AUDIT_TILE];
	struct picture converted = {
		.planes = {memory[0], memory[1], memory[2]},
		.strides = {AUDIT_TILE, AUDIT_TILE, AUDIT_TILE},
		.width = AUDIT_TILE,
		.height = AUDIT_TILE,
		.chroma = picture->chroma,
	};
	convert_rect(pixels, tile, &converted, 0, 0);
	if (same(picture, tile, &converted)) {
		return true;
	}
	convert_rect(pixels, tile, picture, tile->x, tile->y);
	return false;
}

uint32_t audit_check(struct audit *audit, const struct pixels *pixels, bool throughout,
	struct picture *picture, struct damage *damage) {
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
	for (uint32_t i = 0; i < damage->count; i++) {
		if (rect_contains(&damage->rects[i], &whole)) {
			return 0;
		}
	}
	uint32_t columns = (picture->width + AUDIT_TILE - 1) / AUDIT_TILE;
	uint32_t tiles = columns * ((picture->height + AUDIT_TILE - 1) / AUDIT_TILE);
	uint32_t checks = throughout || audit->distrust
				  ? tiles
				  : (tiles + AUDIT_PICTURES - 1) / AUDIT_PICTURES;
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < checks; i++) {
		uint32_t index = audit->next < tiles ? audit->next : 0;
		audit->next = index + 1;
		const struct rect square = {(int32_t)(index % columns * AUDIT_TILE),
			(int32_t)(index / columns * AUDIT_TILE), AUDIT_TILE, AUDIT_TILE};
		const struct rect tile = rect_intersect(&square, &whole);
		if (!check_tile(pixels, &tile, picture)) {
			damage_add(damage, &tile);
			wrong++;
			if (!audit->distrust) {
				/* Where one is, there are others. */
				audit->distrust = true;
				checks = i + 1 + tiles;
			}
		}
	}
	return wrong;
}
