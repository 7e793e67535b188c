#include "picture/convert.h"

#include <libyuv/convert.h>
#include <libyuv/convert_argb.h>
#include <libyuv/convert_from_argb.h>
#include <libyuv/planar_functions.h>
#include <stdlib.h>
#include <sys/param.h>

#include "picture/pixel_file.h"

/* libvpx and libyuv are fastest with aligned rows. */
#define ROW_ALIGNMENT 64u
/* Pixels whose red and blue are swapped at once. */
#define SWAP_WIDTH 1024

static uint32_t align_row(uint32_t width) {
	return (width + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

bool picture_resize(
	struct picture *picture, uint32_t width, uint32_t height, enum packet_chroma chroma) {
	if (picture->width == width && picture->height == height && picture->chroma == chroma) {
		return true;
	}
	picture_finish(picture);
	uint32_t shift = chroma == PACKET_CHROMA_420 ? 1 : 0;
	uint32_t luma_stride = align_row(width);
	uint32_t chroma_stride = align_row(width >> shift);
	size_t luma_size = (size_t)luma_stride * height;
	size_t chroma_size = (size_t)chroma_stride * (height >> shift);
	uint8_t *memory = aligned_alloc(ROW_ALIGNMENT, luma_size + 2 * chroma_size);
	if (memory == NULL) {
		return false;
	}
	*picture = (struct picture){
		.planes = {memory, memory + luma_size, memory + luma_size + chroma_size},
		.strides = {(int32_t)luma_stride, (int32_t)chroma_stride, (int32_t)chroma_stride},
		.width = width,
		.height = height,
		.chroma = chroma,
		.memory = memory,
	};
	return true;
}

void picture_finish(struct picture *picture) {
	free(picture->memory);
	*picture = (struct picture){0};
}

void picture_copy(const struct picture *from, const struct rect *rect, struct picture *to,
	int32_t x, int32_t y) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(from, plane);
		CopyPlane(picture_at(from, plane, rect->x, rect->y), from->strides[plane],
			picture_at(to, plane, x, y), to->strides[plane], rect->width >> shift,
			rect->height >> shift);
	}
}

struct rect picture_even_rect(const struct rect *rect) {
	int32_t left = rect->x & ~1;
	int32_t top = rect->y & ~1;
	return (struct rect){left, top, ((rect->x + rect->width + 1) & ~1) - left,
		((rect->y + rect->height + 1) & ~1) - top};
}

static const uint8_t *pixel_at(const struct pixels *pixels, int32_t x, int32_t y) {
	return pixels->top + (ptrdiff_t)y * pixels->stride + 4 * (ptrdiff_t)x;
}

/* libyuv names formats by their little-endian word: "ARGB" is B, G, R, A in memory. */
static void convert_memory(const struct pixels *pixels, const struct rect *rect,
	struct picture *picture, int32_t x, int32_t y) {
	int (*convert)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, uint8_t *, int, int,
		int) = picture->chroma == PACKET_CHROMA_444 ? ARGBToI444
		       : pixels->order == PIXEL_ORDER_BGR   ? ARGBToI420
							    : ABGRToI420;
	const int32_t *strides = picture->strides;
	convert(pixel_at(pixels, rect->x, rect->y), pixels->stride, picture_at(picture, 0, x, y),
		strides[0], picture_at(picture, 1, x, y), strides[1], picture_at(picture, 2, x, y),
		strides[2], rect->width, rect->height);
}

/* libyuv has no ABGRToI444(): swaps red and blue first, in pieces that stay in the cache. */
static void convert_swapped(const struct pixels *pixels, const struct rect *rect,
	struct picture *picture, int32_t x, int32_t y) {
	uint8_t memory[4 * SWAP_WIDTH];
	const struct pixels swapped = {.top = memory, .stride = sizeof(memory)};
	for (int32_t row = 0; row < rect->height; row++) {
		for (int32_t column = 0; column < rect->width; column += SWAP_WIDTH) {
			const struct rect piece = {0, 0, MIN(rect->width - column, SWAP_WIDTH), 1};
			ABGRToARGB(pixel_at(pixels, rect->x + column, rect->y + row),
				pixels->stride, memory, swapped.stride, piece.width, 1);
			convert_memory(&swapped, &piece, picture, x + column, y + row);
		}
	}
}

void convert_rect(const struct pixels *pixels, const struct rect *rect, struct picture *picture,
	int32_t x, int32_t y) {
	if (pixels->file != NULL) {
		for (int32_t row = 0; row < rect->height; row += PIXEL_FILE_ROWS) {
			int32_t height = MIN(rect->height - row, PIXEL_FILE_ROWS);
			const struct pixels band = pixel_file_read(pixels, rect->y + row, height);
			const struct rect part = {rect->x, 0, rect->width, height};
			convert_rect(&band, &part, picture, x, y + row);
		}
	} else if (picture->chroma == PACKET_CHROMA_444 && pixels->order == PIXEL_ORDER_RGB) {
		convert_swapped(pixels, rect, picture, x, y);
	} else {
		convert_memory(pixels, rect, picture, x, y);
	}
}

void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture) {
	const struct rect whole = rect_sized(pixels->width & ~1u, pixels->height & ~1u);
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect inside = rect_intersect(&damage->rects[i], &whole);
		if (!rect_is_empty(&inside)) {
			struct rect rect = picture_even_rect(&inside);
			convert_rect(pixels, &rect, picture, rect.x, rect.y);
		}
	}
}
