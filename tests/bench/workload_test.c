/* What the benchmark rests on: its pictures are the same each time, and its damage is true. */
#include "workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDTH 960u
#define HEIGHT 540u
#define STEPS 100u

static const char *const names[] = {"still", "typing", "scroll", "scroll-turns", "scroll-jumps",
	"drag", "slides", "video-window", "video-full", "share=5", "share=100"};
#define NAMES (sizeof(names) / sizeof(names[0]))

/* The font library keeps what it has read until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
	return "leak:libfontconfig";
}

static bool within(const struct area *areas, size_t count, int32_t x, int32_t y) {
	for (size_t i = 0; i < count; i++) {
		if (x >= areas[i].x && x < areas[i].x + areas[i].width && y >= areas[i].y &&
			y < areas[i].y + areas[i].height) {
			return true;
		}
	}
	return false;
}

static void assert_damage(
	const uint32_t *before, const uint32_t *after, const struct area *areas, size_t count) {
	for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
		if (before[i] != after[i] &&
			!within(areas, count, (int32_t)(i % WIDTH), (int32_t)(i / WIDTH))) {
			fail_msg("pixel %zu, %zu changed outside of the damage", i % WIDTH,
				i / WIDTH);
		}
	}
	for (size_t i = 0; i < count; i++) {
		assert_true(areas[i].x >= 0 && areas[i].width > 0);
		assert_true(areas[i].y >= 0 && areas[i].height > 0);
		assert_true(areas[i].x + areas[i].width <= (int32_t)WIDTH);
		assert_true(areas[i].y + areas[i].height <= (int32_t)HEIGHT);
	}
}

static void test_damage_is_true(void **state) {
	(void)state;
	uint32_t *before = malloc(4 * WIDTH * HEIGHT);
	assert_non_null(before);
	for (size_t n = 0; n < NAMES; n++) {
		struct workload *workload = workload_create(names[n], WIDTH, HEIGHT);
		assert_non_null(workload);
		for (uint32_t step = 0; step < STEPS; step++) {
			struct area areas[WORKLOAD_AREAS_MAX];
			memcpy(before, workload_pixels(workload), 4 * WIDTH * HEIGHT);
			size_t count = workload_step(workload, areas);
			assert_damage(before, workload_pixels(workload), areas, count);
			bool same =
				memcmp(before, workload_pixels(workload), 4 * WIDTH * HEIGHT) == 0;
			assert_int_equal(same, count == 0);
		}
		workload_destroy(workload);
	}
	free(before);
}

static void test_same_again(void **state) {
	(void)state;
	for (size_t n = 0; n < NAMES; n++) {
		struct workload *one = workload_create(names[n], WIDTH, HEIGHT);
		struct workload *two = workload_create(names[n], WIDTH, HEIGHT);
		struct area areas[WORKLOAD_AREAS_MAX];
		for (uint32_t step = 0; step < STEPS / 2; step++) {
			workload_step(one, areas);
		}
		for (uint32_t step = 0; step < STEPS / 2; step++) {
			workload_step(two, areas);
		}
		assert_memory_equal(workload_pixels(one), workload_pixels(two), 4 * WIDTH * HEIGHT);
		workload_destroy(one);
		workload_destroy(two);
	}
}

static void test_step_is_read(void **state) {
	(void)state;
	struct workload *workload = workload_create("typing", WIDTH, HEIGHT);
	uint8_t *luma = malloc(WIDTH * HEIGHT);
	assert_non_null(luma);
	for (uint32_t step = 0; step < 300; step++) {
		struct area areas[WORKLOAD_AREAS_MAX];
		uint32_t read = 0;
		for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
			luma[i] = (uint8_t)(workload_pixels(workload)[i] >> 8);
		}
		assert_true(workload_read_step(luma, WIDTH, &read));
		assert_int_equal(read, step);
		workload_step(workload, areas);
	}
	memset(luma, 128, WIDTH * HEIGHT);
	uint32_t read = 0;
	assert_false(workload_read_step(luma, WIDTH, &read));
	free(luma);
	workload_destroy(workload);
}

static void test_unknown_names(void **state) {
	(void)state;
	static const char *const unknown[] = {"", "stil", "share=", "share=0", "share=101"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_null(workload_create(unknown[i], WIDTH, HEIGHT));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_is_true),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_step_is_read),
		cmocka_unit_test(test_unknown_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
