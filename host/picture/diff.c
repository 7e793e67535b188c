#include "picture/diff.h"

#include <string.h>

/* What is looked at in one go where nothing is known: as much as stays in the cache. */
#define BLOCK_WIDTH 512
#define BLOCK_HEIGHT 16
#define SCRATCH_SIZE (BLOCK_WIDTH * BLOCK_HEIGHT)
_Static_assert(SCRATCH_SIZE >= DIFF_TILE * DIFF_TILE, "a tile has room");

/* A part of a picture, converted beside it. */
struct scratch {
	struct picture picture;
	struct rect rect; /* of the other picture */
	_Alignas(64) uint8_t memory[3][SCRATCH_SIZE];
};

static void convert_beside(const struct pixels *pixels, const struct rect *rect,
	const struct picture *picture, struct scratch *scratch) {
	scratch->rect = *rect;
	scratch->picture = (struct picture){
		.planes = {scratch->memory[0], scratch->memory[1], scratch->memory[2]},
		.strides = {rect->width, rect->width, rect->width},
		.width = (uint32_t)rect->width,
		.height = (uint32_t)rect->height,
		.chroma = picture->chroma,
	};
	convert_rect(pixels, rect, &scratch->picture, 0, 0);
}

static const uint8_t *scratch_at(
	const struct scratch *scratch, int plane, const struct rect *rect) {
	return picture_at(
		&scratch->picture, plane, rect->x - scratch->rect.x, rect->y - scratch->rect.y);
}

static bool same(
	const struct picture *picture, const struct rect *rect, const struct scratch *scratch) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		const uint8_t *ours = picture_at(picture, plane, rect->x, rect->y);
		const uint8_t *theirs = scratch_at(scratch, plane, rect);
		for (int32_t row = 0; row < rect->height >> shift; row++) {
			if (memcmp(ours, theirs, (size_t)(rect->width >> shift)) != 0) {
				return false;
			}
			ours += picture->strides[plane];
			theirs += scratch->picture.strides[plane];
		}
	}
	return true;
}

static void copy(struct picture *picture, const struct rect *rect, const struct scratch *scratch) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		uint8_t *ours = picture_at(picture, plane, rect->x, rect->y);
		const uint8_t *theirs = scratch_at(scratch, plane, rect);
		for (int32_t row = 0; row < rect->height >> shift; row++) {
			memcpy(ours, theirs, (size_t)(rect->width >> shift));
			ours += picture->strides[plane];
			theirs += scratch->picture.strides[plane];
		}
	}
}

/* True when the tile was right. */
static bool check_tile(
	const struct pixels *pixels, const struct rect *tile, struct picture *picture) {
	struct scratch scratch;
	convert_beside(pixels, tile, picture, &scratch);
	if (same(picture, tile, &scratch)) {
		return true;
	}
	copy(picture, tile, &scratch);
	return false;
}

uint32_t diff_check(struct diff *diff, const struct pixels *pixels, bool throughout,
	struct picture *picture, struct damage *damage) {
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
	/* What was read a moment ago; what is added here may be merged with what was not. */
	const struct damage read = *damage;
	if (damage_covers(&read, &whole)) {
		return 0;
	}
	uint32_t columns = (picture->width + DIFF_TILE - 1) / DIFF_TILE;
	uint32_t tiles = columns * ((picture->height + DIFF_TILE - 1) / DIFF_TILE);
	uint32_t checks =
		throughout || diff->distrust ? tiles : (tiles + DIFF_PICTURES - 1) / DIFF_PICTURES;
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < checks; i++) {
		uint32_t index = diff->next < tiles ? diff->next : 0;
		diff->next = index + 1;
		const struct rect square = {(int32_t)(index % columns * DIFF_TILE),
			(int32_t)(index / columns * DIFF_TILE), DIFF_TILE, DIFF_TILE};
		const struct rect tile = rect_intersect(&square, &whole);
		if (!damage_covers(&read, &tile) && !check_tile(pixels, &tile, picture)) {
			damage_add(damage, &tile);
			wrong++;
			if (!diff->distrust) {
				/* Where one is, there are others. */
				diff->distrust = true;
				checks = i + 1 + tiles;
			}
		}
	}
	return wrong;
}

/* Takes over what differs. */
static void take_changes(
	struct picture *picture, const struct scratch *scratch, struct damage *damage) {
	for (int32_t x = 0; x < scratch->rect.width; x += (int32_t)DIFF_TILE) {
		const struct rect column = {scratch->rect.x + x, scratch->rect.y,
			(int32_t)DIFF_TILE, scratch->rect.height};
		const struct rect part = rect_intersect(&column, &scratch->rect);
		if (!same(picture, &part, scratch)) {
			copy(picture, &part, scratch);
			damage_add(damage, &part);
		}
	}
}

void diff_find(const struct pixels *pixels, struct picture *picture, struct damage *damage) {
	const struct rect whole = {0, 0, (int32_t)picture->width, (int32_t)picture->height};
	struct scratch scratch;
	for (int32_t y = 0; y < whole.height; y += BLOCK_HEIGHT) {
		for (int32_t x = 0; x < whole.width; x += BLOCK_WIDTH) {
			const struct rect block = {x, y, BLOCK_WIDTH, BLOCK_HEIGHT};
			const struct rect inside = rect_intersect(&block, &whole);
			convert_beside(pixels, &inside, picture, &scratch);
			if (!same(picture, &inside, &scratch)) {
				take_changes(picture, &scratch, damage);
			}
		}
	}
}
