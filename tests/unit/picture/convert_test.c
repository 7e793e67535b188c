#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "picture/convert.h"

/* Pixels between two inaccessible pages: they touch the one before or, `at_end`, the one behind. */
struct guarded {
	uint8_t *mapping;
	size_t mapped;
	uint8_t *block; /* `length` readable bytes */
	size_t length;
};

static void guarded_init(struct guarded *guarded, size_t length, bool at_end) {
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t body = (length + page - 1) / page * page;
	guarded->mapped = body + 2 * page;
	guarded->length = length;
	guarded->mapping = mmap(
		NULL, guarded->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(guarded->mapping != MAP_FAILED);
	assert_int_equal(mprotect(guarded->mapping, page, PROT_NONE), 0);
	assert_int_equal(mprotect(guarded->mapping + page + body, page, PROT_NONE), 0);
	guarded->block = guarded->mapping + page + (at_end ? body - length : 0);
}

static void guarded_finish(struct guarded *guarded) {
	munmap(guarded->mapping, guarded->mapped);
}

static void put_pixel(const struct pixels *pixels, uint32_t x, uint32_t y, uint32_t colour) {
	uint8_t *at = (uint8_t *)pixels->top + (ptrdiff_t)y * pixels->stride + 4 * (ptrdiff_t)x;
	uint8_t red = (uint8_t)(colour >> 16);
	uint8_t blue = (uint8_t)colour;
	at[0] = pixels->order == PIXEL_ORDER_BGR ? blue : red;
	at[1] = (uint8_t)(colour >> 8);
	at[2] = pixels->order == PIXEL_ORDER_BGR ? red : blue;
	at[3] = (uint8_t)rand();
}

/* Each 2x2 block has one colour, so a pixel does not depend on its neighbours. */
static uint32_t pattern(uint32_t x, uint32_t y) {
	return ((x / 2 * 2654435761u) ^ (y / 2 * 2246822519u)) & 0xffffff;
}

static void fill_pattern(const struct pixels *pixels) {
	for (uint32_t y = 0; y < pixels->height; y++) {
		for (uint32_t x = 0; x < pixels->width; x++) {
			put_pixel(pixels, x, y, pattern(x, y));
		}
	}
}

static void assert_colour(const struct picture *picture, uint32_t x, uint32_t y, uint32_t colour) {
	double red = (double)(colour >> 16 & 255);
	double green = (double)(colour >> 8 & 255);
	double blue = (double)(colour & 255);
	const double wanted[3] = {
		16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255,
		128 + (-37.797 * red - 74.203 * green + 112.0 * blue) / 255,
		128 + (112.0 * red - 93.786 * green - 18.214 * blue) / 255,
	};
	for (int plane = 0; plane < 3; plane++) {
		uint32_t column = plane == 0 ? x : x / 2;
		uint32_t row = plane == 0 ? y : y / 2;
		int got = picture->planes[plane][(ptrdiff_t)row * picture->strides[plane] +
						 (ptrdiff_t)column];
		double difference = got - wanted[plane];
		if (difference > 2 || difference < -2) {
			fail_msg("%u,%u plane %d: %d instead of %.1f", x, y, plane, got,
				wanted[plane]);
		}
	}
}

static void test_golden_colours(void **state) {
	(void)state;
	/* What BT.601 limited range makes of the corners of the colour cube. */
	const struct {
		uint32_t colour;
		int y, u, v;
	} golden[] = {
		{0x000000, 16, 128, 128},
		{0xffffff, 235, 128, 128},
		{0xff0000, 81, 90, 240},
		{0x00ff00, 145, 54, 34},
		{0x0000ff, 41, 240, 110},
		{0x808080, 126, 128, 128},
	};
	uint8_t memory[2 * 16] = {0};
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		for (int order = PIXEL_ORDER_BGR; order <= PIXEL_ORDER_RGB; order++) {
			const struct pixels pixels = {
				memory, 16, (enum pixel_order)order, 2, 2, NULL};
			for (uint32_t pixel = 0; pixel < 4; pixel++) {
				put_pixel(&pixels, pixel % 2, pixel / 2, golden[i].colour);
			}
			struct picture picture = {0};
			struct damage damage;
			damage_set_full(&damage, 2, 2);
			assert_true(picture_resize(&picture, 2, 2, PACKET_CHROMA_420));
			convert_damaged(&pixels, &damage, &picture);
			assert_in_range(picture.planes[0][0], golden[i].y - 1, golden[i].y + 1);
			assert_in_range(picture.planes[1][0], golden[i].u - 1, golden[i].u + 1);
			assert_in_range(picture.planes[2][0], golden[i].v - 1, golden[i].v + 1);
			picture_finish(&picture);
		}
	}
}

static void check_layout(
	uint32_t width, uint32_t height, int32_t padding, bool bottom_up, bool at_end) {
	int32_t row = (int32_t)width * 4 + padding;
	size_t length = (size_t)row * (height - 1) + (size_t)width * 4;
	struct guarded guarded;
	guarded_init(&guarded, length, at_end);
	const struct pixels pixels = {
		.top = bottom_up ? guarded.block + (size_t)row * (height - 1) : guarded.block,
		.stride = bottom_up ? -row : row,
		.order = width % 3 == 0 ? PIXEL_ORDER_RGB : PIXEL_ORDER_BGR,
		.width = width,
		.height = height,
	};
	fill_pattern(&pixels);
	struct picture picture = {0};
	struct damage damage;
	assert_true(picture_resize(&picture, width & ~1u, height & ~1u, PACKET_CHROMA_420));
	damage_set_full(&damage, width, height);
	convert_damaged(&pixels, &damage, &picture);
	for (uint32_t y = 0; y < picture.height; y++) {
		for (uint32_t x = 0; x < picture.width; x++) {
			assert_colour(&picture, x, y, pattern(x, y));
		}
	}
	picture_finish(&picture);
	guarded_finish(&guarded);
}

/* Every row tail that vector code could overrun, between inaccessible pages. */
static void test_sizes_and_guards(void **state) {
	(void)state;
	for (uint32_t width = 2; width <= 70; width++) {
		for (uint32_t height = 2; height <= 5; height++) {
			check_layout(width, height, 0, false, true);
			check_layout(width, height, 0, false, false);
			check_layout(width, height, 0, true, true);
			check_layout(width, height, 0, true, false);
		}
	}
}

static void test_padded_strides(void **state) {
	(void)state;
	const int32_t paddings[] = {1, 3, 4, 60, 64, 4096};
	for (size_t i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++) {
		check_layout(33, 7, paddings[i], false, true);
		check_layout(34, 8, paddings[i], true, true);
	}
}

static void test_only_damage_is_converted(void **state) {
	(void)state;
	const uint32_t width = 61;
	const uint32_t height = 47;
	cleanup_free uint8_t *memory = malloc((size_t)width * height * 4);
	assert_non_null(memory);
	const struct pixels pixels = {
		memory, (int32_t)width * 4, PIXEL_ORDER_BGR, width, height, NULL};
	fill_pattern(&pixels);
	srand(7);
	for (int round = 0; round < 300; round++) {
		struct picture picture = {0};
		struct damage damage = {0};
		assert_true(picture_resize(&picture, width & ~1u, height & ~1u, PACKET_CHROMA_420));
		for (int plane = 0; plane < 3; plane++) {
			size_t rows = plane == 0 ? picture.height : picture.height / 2;
			memset(picture.planes[plane], 1, rows * (size_t)picture.strides[plane]);
		}
		for (int i = rand() % 4; i >= 0; i--) {
			damage_add(&damage, &(struct rect){rand() % 70, rand() % 60,
						    1 + rand() % 20, 1 + rand() % 20});
		}
		convert_damaged(&pixels, &damage, &picture);
		for (int32_t y = 0; y < (int32_t)picture.height; y++) {
			for (int32_t x = 0; x < (int32_t)picture.width; x++) {
				bool damaged = false;
				bool near = false;
				for (uint32_t i = 0; i < damage.count; i++) {
					const struct rect *rect = &damage.rects[i];
					const struct rect pixel = {x, y, 1, 1};
					const struct rect four = {x & ~1, y & ~1, 2, 2};
					struct rect shared = rect_intersect(rect, &four);
					damaged = damaged || rect_contains(rect, &pixel);
					near = near || !rect_is_empty(&shared);
				}
				int got = picture.planes[0][y * picture.strides[0] + x];
				if (damaged) {
					assert_colour(&picture, (uint32_t)x, (uint32_t)y,
						pattern((uint32_t)x, (uint32_t)y));
				} else if (!near) {
					assert_int_equal(got, 1);
				}
			}
		}
		picture_finish(&picture);
	}
}

static void test_resize(void **state) {
	(void)state;
	struct picture picture = {0};
	assert_true(picture_resize(&picture, 640, 480, PACKET_CHROMA_420));
	const uint8_t *memory = picture.memory;
	assert_true(picture_resize(&picture, 640, 480, PACKET_CHROMA_420));
	assert_ptr_equal(picture.memory, memory);
	assert_true(picture_resize(&picture, 2, 2, PACKET_CHROMA_420));
	assert_int_equal(picture.width, 2);
	picture_finish(&picture);
	assert_null(picture.memory);
	picture_finish(&picture);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_colours),
		cmocka_unit_test(test_sizes_and_guards),
		cmocka_unit_test(test_padded_strides),
		cmocka_unit_test(test_only_damage_is_converted),
		cmocka_unit_test(test_resize),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
