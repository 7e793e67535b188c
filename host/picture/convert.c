#include "picture/convert.h"

#include <libyuv/convert.h>
#include <libyuv/convert_argb.h>
#include <libyuv/convert_from_argb.h>
#include <stdlib.h>

#include "picture/pixel_file.h"

/* So many rows of a file are converted at once: in the processor's second cache, and few system
 * calls. */
#define BAND_ROWS 16

/* libvpx and libyuv are fastest on rows that begin on a vector's border. */
#define ROW_ALIGNMENT 64u
/* Pixels whose colours are swapped at once. */
#define SWAP_WIDTH 1024

static uint32_t align_row(uint32_t width) {
	return (width + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

bool picture_resize(
	struct picture *picture, uint32_t width, uint32_t height, enum packet_chroma chroma) {
	if (picture->memory != NULL && picture->width == width && picture->height == height &&
		picture->chroma == chroma) {
		return true;
	}
	picture_finish(picture);
	size_t luma_stride = align_row(width);
	bool halved = chroma == PACKET_CHROMA_420;
	size_t chroma_stride = halved ? align_row(width / 2) : luma_stride;
	size_t luma = luma_stride * height;
	size_t colour = chroma_stride * (halved ? height / 2 : height);
	uint8_t *memory = aligned_alloc(ROW_ALIGNMENT, luma + 2 * colour);
	if (memory == NULL) {
		return false;
	}
	*picture = (struct picture){
		.planes = {memory, memory + luma, memory + luma + colour},
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

struct rect picture_even_rect(const struct rect *rect) {
	int32_t left = rect->x & ~1;
	int32_t top = rect->y & ~1;
	return (struct rect){left, top, ((rect->x + rect->width + 1) & ~1) - left,
		((rect->y + rect->height + 1) & ~1) - top};
}

/* libyuv names formats by their little-endian word: "ARGB" is B, G, R, A in memory. */
static void convert_420(const struct pixels *pixels, const uint8_t *from, uint8_t *const *to,
	const int32_t *strides, int32_t width, int32_t height) {
	if (pixels->order == PIXEL_ORDER_BGR) {
		ARGBToI420(from, pixels->stride, to[0], strides[0], to[1], strides[1], to[2],
			strides[2], width, height);
	} else {
		ABGRToI420(from, pixels->stride, to[0], strides[0], to[1], strides[1], to[2],
			strides[2], width, height);
	}
}

/* libyuv takes only the one order here, so the other is swapped first, in pieces that stay in the
 * cache. */
static void convert_444(const struct pixels *pixels, const uint8_t *from, uint8_t *const *to,
	const int32_t *strides, int32_t width, int32_t height) {
	if (pixels->order == PIXEL_ORDER_BGR) {
		ARGBToI444(from, pixels->stride, to[0], strides[0], to[1], strides[1], to[2],
			strides[2], width, height);
		return;
	}
	uint8_t swapped[4 * SWAP_WIDTH];
	for (int32_t y = 0; y < height; y++) {
		for (int32_t x = 0; x < width; x += SWAP_WIDTH) {
			int32_t piece = width - x < SWAP_WIDTH ? width - x : SWAP_WIDTH;
			ABGRToARGB(from + (ptrdiff_t)y * pixels->stride + 4 * (ptrdiff_t)x,
				pixels->stride, swapped, (int)sizeof(swapped), piece, 1);
			ARGBToI444(swapped, (int)sizeof(swapped),
				to[0] + (ptrdiff_t)y * strides[0] + x, strides[0],
				to[1] + (ptrdiff_t)y * strides[1] + x, strides[1],
				to[2] + (ptrdiff_t)y * strides[2] + x, strides[2], piece, 1);
		}
	}
}

static void convert_memory(const struct pixels *pixels, const struct rect *rect,
	struct picture *picture, int32_t x, int32_t y) {
	const uint8_t *from =
		pixels->top + (ptrdiff_t)rect->y * pixels->stride + 4 * (ptrdiff_t)rect->x;
	uint8_t *const to[3] = {picture_at(picture, 0, x, y), picture_at(picture, 1, x, y),
		picture_at(picture, 2, x, y)};
	if (picture->chroma == PACKET_CHROMA_444) {
		convert_444(pixels, from, to, picture->strides, rect->width, rect->height);
	} else {
		convert_420(pixels, from, to, picture->strides, rect->width, rect->height);
	}
}

void convert_rect(const struct pixels *pixels, const struct rect *rect, struct picture *picture,
	int32_t x, int32_t y) {
	if (pixels->file == NULL) {
		convert_memory(pixels, rect, picture, x, y);
		return;
	}
	/* Of a narrow one, more of the same rows may follow. */
	bool wide = 2 * (int64_t)rect->width >= pixels->width;
	int32_t step = wide ? BAND_ROWS : PIXEL_FILE_ROWS;
	for (int32_t row = 0; row < rect->height; row += step) {
		int32_t height = rect->height - row < step ? rect->height - row : step;
		const struct pixels band = pixel_file_read(pixels, rect->y + row, height);
		const struct rect part = {rect->x, 0, rect->width, height};
		convert_memory(&band, &part, picture, x, y + row);
	}
}

void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture) {
	const struct rect whole = {
		0, 0, (int32_t)(pixels->width & ~1u), (int32_t)(pixels->height & ~1u)};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect inside = rect_intersect(&damage->rects[i], &whole);
		if (!rect_is_empty(&inside)) {
			struct rect rect = picture_even_rect(&inside);
			convert_rect(pixels, &rect, picture, rect.x, rect.y);
		}
	}
}
