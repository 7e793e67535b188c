#include "picture/diff.h"

#include <string.h>

/* How many pixels of a row are converted at once: few enough for the first-level cache. */
#define BLOCK_WIDTH 512

/* New pixels, converted, but not yet part of the picture. */
struct block {
	struct picture picture;
	struct rect rect; /* where in the picture they belong */
	_Alignas(64) uint8_t memory[3][BLOCK_WIDTH * DIFF_ROWS];
};

/* `rect` lies within the block. */
static bool is_same(
	const struct picture *picture, const struct block *block, const struct rect *rect) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		const uint8_t *old = picture_at(picture, plane, rect->x, rect->y);
		const uint8_t *new = picture_at(
			&block->picture, plane, rect->x - block->rect.x, rect->y - block->rect.y);
		for (int32_t row = 0; row < rect->height >> shift; row++) {
			if (memcmp(old, new, (size_t)(rect->width >> shift)) != 0) {
				return false;
			}
			old += picture->strides[plane];
			new += block->picture.strides[plane];
		}
	}
	return true;
}

static void take_changes(
	struct picture *picture, const struct block *block, struct damage *damage) {
	for (int32_t x = 0; x < block->rect.width; x += DIFF_TILE) {
		const struct rect column = {
			block->rect.x + x, block->rect.y, DIFF_TILE, block->rect.height};
		const struct rect tile = rect_intersect(&column, &block->rect);
		if (!is_same(picture, block, &tile)) {
			const struct rect from = {x, 0, tile.width, tile.height};
			picture_copy(&block->picture, &from, picture, tile.x, tile.y);
			damage_add(damage, &tile);
		}
	}
}

void diff_find(const struct pixels *pixels, struct picture *picture, struct damage *damage) {
	const struct rect whole = rect_sized(picture->width, picture->height);
	struct block block;
	block.picture = (struct picture){
		.planes = {block.memory[0], block.memory[1], block.memory[2]},
		.strides = {BLOCK_WIDTH, BLOCK_WIDTH, BLOCK_WIDTH},
		.chroma = picture->chroma,
	};
	for (int32_t y = 0; y < whole.height; y += DIFF_ROWS) {
		for (int32_t x = 0; x < whole.width; x += BLOCK_WIDTH) {
			const struct rect place = {x, y, BLOCK_WIDTH, DIFF_ROWS};
			block.rect = rect_intersect(&place, &whole);
			convert_rect(pixels, &block.rect, &block.picture, 0, 0);
			if (!is_same(picture, &block, &block.rect)) {
				take_changes(picture, &block, damage);
			}
		}
	}
}
