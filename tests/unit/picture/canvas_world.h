/*
 * Shared by the canvas tests: a screen of noise, and the picture that a canvas must make of it.
 */
#pragma once

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "picture/canvas.h"

#define WIDTH 200
#define HEIGHT 136

struct screen {
	uint8_t memory[WIDTH * HEIGHT * 4];
	struct pixels pixels;
};

static inline void screen_init(struct screen *screen) {
	for (size_t i = 0; i < sizeof(screen->memory); i++) {
		screen->memory[i] = (uint8_t)rand();
	}
	screen->pixels =
		(struct pixels){screen->memory, WIDTH * 4, PIXEL_ORDER_BGR, WIDTH, HEIGHT, NULL};
}

static inline void scribble(struct screen *screen, const struct rect *where) {
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = 4 * where->x; x < 4 * (where->x + where->width); x++) {
			screen->memory[y * WIDTH * 4 + x] = (uint8_t)rand();
		}
	}
}

static inline void assert_same(const struct picture *a, const struct picture *b) {
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(a, plane);
		for (uint32_t y = 0; y < a->height >> shift; y++) {
			assert_memory_equal(a->planes[plane] + (ptrdiff_t)y * a->strides[plane],
				b->planes[plane] + (ptrdiff_t)y * b->strides[plane],
				a->width >> shift);
		}
	}
}

/* Compares with what a new canvas makes of the screen. */
static inline void assert_like_fresh(
	struct canvas *canvas, const struct screen *screen, const struct picture *picture) {
	struct canvas fresh;
	canvas_init(&fresh, canvas->chroma, canvas->max_width, canvas->max_height);
	fresh.region = canvas->region;
	const struct damage none = {0};
	struct damage damage;
	const struct picture *wanted = NULL;
	assert_true(canvas_is_empty(&fresh));
	assert_true(canvas_read(&fresh, &screen->pixels, canvas->orientation, &none));
	assert_true(canvas_compose(&fresh, &wanted, &damage));
	assert_same(picture, wanted);
	canvas_finish(&fresh);
}

static inline uint8_t *copy_of(const struct picture *picture) {
	size_t length = (size_t)picture->strides[0] * picture->height;
	uint8_t *copy = malloc(length);
	assert_non_null(copy);
	return memcpy(copy, picture->planes[0], length);
}
