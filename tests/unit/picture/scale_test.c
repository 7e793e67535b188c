#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "picture/scale.h"

static void check_fit(uint32_t width, uint32_t height, uint32_t max_width, uint32_t max_height,
	uint32_t wanted_width, uint32_t wanted_height) {
	scale_fit(max_width, max_height, &width, &height);
	assert_int_equal(width, wanted_width);
	assert_int_equal(height, wanted_height);
}

static void test_fit(void **state) {
	(void)state;
	check_fit(1920, 1080, 0, 0, 1920, 1080);
	check_fit(1920, 1080, 1920, 1080, 1920, 1080);
	check_fit(1920, 1080, 4000, 4000, 1920, 1080);
	check_fit(1920, 1080, 1280, 0, 1280, 720);
	check_fit(1920, 1080, 0, 720, 1280, 720);
	check_fit(1920, 1080, 1280, 1280, 1280, 720);
	check_fit(1080, 1920, 1280, 720, 404, 720);
	check_fit(16384, 2, 2, 2, 2, 2);
	for (int i = 0; i < 10000; i++) {
		uint32_t width = 2 + (uint32_t)rand() % 16383 / 2 * 2;
		uint32_t height = 2 + (uint32_t)rand() % 16383 / 2 * 2;
		uint32_t fitted_width = width;
		uint32_t fitted_height = height;
		uint32_t bound = 2 + (uint32_t)rand() % 16383;
		scale_fit(bound, bound, &fitted_width, &fitted_height);
		assert_in_range(fitted_width, 2, bound < width ? bound : width);
		assert_in_range(fitted_height, 2, bound < height ? bound : height);
		assert_int_equal((fitted_width | fitted_height) & 1, 0);
	}
}

static void fill(struct picture *picture, const struct rect *where, int seed) {
	srand((unsigned int)seed);
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(picture, plane);
		for (int32_t y = where->y >> shift; y < (where->y + where->height) >> shift; y++) {
			for (int32_t x = where->x >> shift; x < (where->x + where->width) >> shift;
				x++) {
				picture->planes[plane][y * picture->strides[plane] + x] =
					(uint8_t)rand();
			}
		}
	}
}

static int worst_difference(const struct picture *a, const struct picture *b) {
	int worst = 0;
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(a, plane);
		for (int32_t y = 0; y < (int32_t)a->height >> shift; y++) {
			for (int32_t x = 0; x < (int32_t)a->width >> shift; x++) {
				int difference = a->planes[plane][y * a->strides[plane] + x] -
						 b->planes[plane][y * b->strides[plane] + x];
				worst = abs(difference) > worst ? abs(difference) : worst;
			}
		}
	}
	return worst;
}

/* Scaling part by part gives the same picture as scaling the whole. */
static void test_parts_match_the_whole(void **state) {
	(void)state;
	const uint32_t sizes[][4] = {{384, 216, 256, 144}, {384, 216, 192, 108},
		{400, 300, 266, 200}, {640, 360, 160, 90}, {500, 300, 498, 298},
		{1920, 1080, 1280, 720}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct picture from = {0};
		struct picture parts = {0};
		struct picture whole = {0};
		uint32_t width = sizes[i][0];
		uint32_t height = sizes[i][1];
		enum packet_chroma chroma = i % 2 == 0 ? PACKET_CHROMA_420 : PACKET_CHROMA_444;
		assert_true(picture_resize(&from, width, height, chroma));
		assert_true(picture_resize(&parts, sizes[i][2], sizes[i][3], chroma));
		assert_true(picture_resize(&whole, sizes[i][2], sizes[i][3], chroma));
		fill(&from, &(struct rect){0, 0, (int32_t)width, (int32_t)height}, 1);
		struct damage damage;
		damage_set_full(&damage, width, height);
		scale_damaged(&from, &parts, &damage);
		assert_int_equal(damage.count, 1);
		assert_int_equal(damage.rects[0].width, sizes[i][2]);
		for (int32_t n = 0; n < 20; n++) {
			const struct rect where = {n * 13 % ((int32_t)width - 40) & ~1,
				n * 29 % ((int32_t)height - 30) & ~1, 2 + n, 2 + n % 5 * 4};
			fill(&from, &where, n);
			damage_clear(&damage);
			damage_add(&damage, &where);
			scale_damaged(&from, &parts, &damage);
			assert_false(damage_is_empty(&damage));
		}
		damage_set_full(&damage, width, height);
		scale_damaged(&from, &whole, &damage);
		int worst = worst_difference(&parts, &whole);
		if (worst > 2) {
			fail_msg("%ux%u: %d", width, height, worst);
		}
		picture_finish(&from);
		picture_finish(&parts);
		picture_finish(&whole);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_parts_match_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
