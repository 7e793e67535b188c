#include "capture/convert.h"

#include <libyuv/convert.h>
#include <stdlib.h>

/* libvpx and libyuv are fastest on rows that begin on a vector's border. */
#define ROW_ALIGNMENT 64u

static uint32_t align_row(uint32_t width) {
	return (width + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

bool picture_resize(struct picture *picture, uint32_t width, uint32_t height) {
	if (picture->memory != NULL && picture->width == width && picture->height == height) {
		return true;
	}
	picture_finish(picture);
	size_t luma_stride = align_row(width);
	size_t chroma_stride = align_row(width / 2);
	size_t luma = luma_stride * height;
	size_t chroma = chroma_stride * (height / 2);
	uint8_t *memory = aligned_alloc(ROW_ALIGNMENT, luma + 2 * chroma);
	if (memory == NULL) {
		return false;
	}
	*picture = (struct picture){
		.planes = {memory, memory + luma, memory + luma + chroma},
		.strides = {(int32_t)luma_stride, (int32_t)chroma_stride, (int32_t)chroma_stride},
		.width = width,
		.height = height,
		.memory = memory,
	};
	return true;
}

void picture_finish(struct picture *picture) {
	free(picture->memory);
	*picture = (struct picture){0};
}

/* libyuv names formats by their little-endian word: "ARGB" is B, G, R, A in memory. */
static void convert_rect(
	const struct pixels *pixels, const struct rect *rect, struct picture *picture) {
	const uint8_t *from =
		pixels->top + (ptrdiff_t)rect->y * pixels->stride + 4 * (ptrdiff_t)rect->x;
	uint8_t *y = picture->planes[0] + (ptrdiff_t)rect->y * picture->strides[0] + rect->x;
	ptrdiff_t chroma = (ptrdiff_t)(rect->y / 2) * picture->strides[1] + rect->x / 2;
	uint8_t *u = picture->planes[1] + chroma;
	uint8_t *v = picture->planes[2] + chroma;
	if (pixels->order == PIXEL_ORDER_BGR) {
		ARGBToI420(from, pixels->stride, y, picture->strides[0], u, picture->strides[1], v,
			picture->strides[2], rect->width, rect->height);
	} else {
		ABGRToI420(from, pixels->stride, y, picture->strides[0], u, picture->strides[1], v,
			picture->strides[2], rect->width, rect->height);
	}
}

void convert_damaged(
	const struct pixels *pixels, const struct damage *damage, struct picture *picture) {
	const struct rect whole = {
		0, 0, (int32_t)(pixels->width & ~1u), (int32_t)(pixels->height & ~1u)};
	for (uint32_t i = 0; i < damage->count; i++) {
		struct rect rect = rect_intersect(&damage->rects[i], &whole);
		if (rect_is_empty(&rect)) {
			continue;
		}
		int32_t right = (rect.x + rect.width + 1) & ~1;
		int32_t bottom = (rect.y + rect.height + 1) & ~1;
		rect.x &= ~1;
		rect.y &= ~1;
		rect.width = right - rect.x;
		rect.height = bottom - rect.y;
		convert_rect(pixels, &rect, picture);
	}
}
