#include "moving.h"

#include <math.h>
#include <stdlib.h>

/* How far a layer moves. */
#define MARGIN 256u
#define SCENE 75u
#define OCTAVES 4u

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed) {
	uint32_t value = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
	value = (value ^ value >> 15) * 0x2c1b3c6du;
	return value ^ value >> 13;
}

/* Noise of 0 to 255 that is smooth over 2^shift pixels. */
static int32_t smooth_noise(uint32_t x, uint32_t y, uint32_t shift, uint32_t seed) {
	uint32_t column = x >> shift;
	uint32_t row = y >> shift;
	int32_t size = 1 << shift;
	int32_t right = (int32_t)x & (size - 1);
	int32_t down = (int32_t)y & (size - 1);
	int32_t a = hash(column, row, seed) & 255;
	int32_t b = hash(column + 1, row, seed) & 255;
	int32_t c = hash(column, row + 1, seed) & 255;
	int32_t d = hash(column + 1, row + 1, seed) & 255;
	int32_t top = a * (size - right) + b * right;
	int32_t bottom = c * (size - right) + d * right;
	return (top * (size - down) + bottom * down) >> (2 * shift);
}

static uint32_t colour(uint32_t x, uint32_t y, uint32_t seed) {
	/* Strong large forms, weak small ones. */
	int32_t light = 0;
	for (uint32_t octave = 0; octave < OCTAVES; octave++) {
		light += smooth_noise(x, y, 7 - 2 * octave, seed + octave) >> octave;
	}
	light = light * 8 / 15;
	int32_t warm = smooth_noise(x, y, 8, seed + 17) - 128;
	int32_t red = light + warm / 3;
	int32_t blue = light - warm / 3;
	red = red < 0 ? 0 : red > 255 ? 255 : red;
	blue = blue < 0 ? 0 : blue > 255 ? 255 : blue;
	return (uint32_t)red << 16 | (uint32_t)light << 8 | (uint32_t)blue;
}

bool moving_init(struct moving *moving, uint32_t width, uint32_t height) {
	uint32_t stride = width + MARGIN;
	uint32_t rows = height + MARGIN;
	*moving = (struct moving){.width = width, .height = height, .stride = stride};
	for (uint32_t layer = 0; layer < 2; layer++) {
		uint32_t *pixels = calloc((size_t)stride * rows, sizeof(*pixels));
		if (pixels == NULL) {
			moving_finish(moving);
			return false;
		}
		moving->layers[layer] = pixels;
		for (uint32_t y = 0; y < rows; y++) {
			for (uint32_t x = 0; x < stride; x++) {
				pixels[(size_t)y * stride + x] = colour(x, y, layer * 101 + 7);
			}
		}
	}
	return true;
}

void moving_finish(struct moving *moving) {
	free(moving->layers[0]);
	free(moving->layers[1]);
	*moving = (struct moving){0};
}

static const uint32_t *layer_at(const struct moving *moving, uint32_t layer, uint32_t index) {
	double time = index / 30.0;
	double phase = hash(index / SCENE, layer, 3) % 628 / 100.0;
	double speed = layer == 0 ? 0.9 : 0.6;
	double x = (1 + sin(time * speed + phase)) / 2 * (MARGIN - 1);
	double y = (1 + cos(time * speed * 0.7 + 2 * phase)) / 2 * (MARGIN - 1);
	return moving->layers[layer] + (size_t)y * moving->stride + (size_t)x;
}

void moving_draw(const struct moving *moving, uint32_t index, uint32_t *out, uint32_t stride) {
	const uint32_t *a = layer_at(moving, 0, index);
	const uint32_t *b = layer_at(moving, 1, index);
	for (uint32_t y = 0; y < moving->height; y++) {
		for (uint32_t x = 0; x < moving->width; x++) {
			/* The mean of four bytes at once. */
			out[x] = (a[x] & b[x]) + (((a[x] ^ b[x]) >> 1) & 0x7f7f7f7fu);
		}
		a += moving->stride;
		b += moving->stride;
		out += stride;
	}
}
