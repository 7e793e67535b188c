#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "capture/scroll.h"

#define WIDTH 640
#define HEIGHT 640
#define BAR 40 /* rows at the top that don't scroll */
#define PAGE 6000

struct world {
	struct picture picture;
	struct scroll scroll;
	int32_t at; /* the page's first row below the bar */
};

/* Lines of text, all different: 10 rows of strokes and 6 white ones. */
static uint8_t page_pixel(int32_t row, int32_t x) {
	uint32_t word = (uint32_t)(row / 16 * 7919 + x / 5) * 2654435761u;
	bool ink = row % 16 < 10 && ((word >> (row % 16)) & 3) == 0;
	return ink ? 20 : 235;
}

static int setup(void **state) {
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	assert_true(picture_resize(&world->picture, WIDTH, HEIGHT, PACKET_CHROMA_420));
	world->at = PAGE / 2;
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	picture_finish(&world->picture);
	free(world);
	return 0;
}

static struct scroll_step show(struct world *world) {
	for (int32_t y = 0; y < HEIGHT; y++) {
		uint8_t *row = picture_at(&world->picture, 0, 0, y & ~1) +
			       (y & 1) * world->picture.strides[0];
		for (int32_t x = 0; x < WIDTH; x++) {
			row[x] = y < BAR ? (uint8_t)(x & 127) : page_pixel(world->at + y - BAR, x);
		}
	}
	return scroll_see(&world->scroll, &world->picture);
}

/* Returns how often the scroll broke. */
static int step(struct world *world, int32_t rows, int times) {
	int breaks = 0;
	for (int i = 0; i < times; i++) {
		world->at += rows;
		breaks += show(world).breaks;
	}
	return breaks;
}

static void test_reversal(void **state) {
	struct world *world = *state;
	assert_int_equal(step(world, 24, 20), 0);
	assert_int_equal(world->scroll.shift, 24);
	assert_int_equal(step(world, -24, 1), 1);
	assert_int_equal(world->scroll.shift, -24);
	assert_int_equal(step(world, -24, 20), 0);
}

static void test_other_page(void **state) {
	struct world *world = *state;
	assert_int_equal(step(world, -16, 10), 0);
	assert_int_equal(step(world, 1600, 1), 1);
	assert_int_equal(step(world, 1000, 1), 0);
	assert_int_equal(step(world, 16, 10), 0);
}

/* After one lost step the text is still near, after more it isn't. */
static void test_lost_steps(void **state) {
	struct world *world = *state;
	assert_int_equal(step(world, 24, 10), 0);
	assert_int_equal(step(world, 48, 1), 0);
	assert_int_equal(step(world, 24, 10), 0);
	assert_int_equal(step(world, 96, 1), 1);
}

/* The way people scroll. */
static void test_speed_changes(void **state) {
	struct world *world = *state;
	for (int32_t rows = 2; rows <= 60; rows += 6) {
		assert_int_equal(step(world, rows, 2), 0);
	}
	for (int32_t rows = 60; rows >= -60; rows -= 10) {
		assert_int_equal(step(world, rows, 2), 0);
	}
}

/* Jumps with rests are never a steady scroll. */
static void test_jumps(void **state) {
	struct world *world = *state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(step(world, i % 2 == 0 ? 120 : -120, 1), 0);
		scroll_rest(&world->scroll);
	}
}

static void test_rests(void **state) {
	struct world *world = *state;
	assert_int_equal(step(world, 24, 10), 0);
	scroll_rest(&world->scroll);
	assert_int_equal(step(world, -24, 10), 0);
}

static struct scroll_step move(struct world *world, int32_t rows) {
	world->at += rows;
	return show(world);
}

/* The distance from where an encoder starts to search. */
static void test_way(void **state) {
	struct world *world = *state;
	show(world);
	assert_int_equal(move(world, 17).way, 17);
	assert_int_equal(move(world, 17).way, 0);
	assert_int_equal(move(world, 33).way, 0);
	assert_int_equal(move(world, 50).way, 17);
	assert_int_equal(move(world, -50).way, 100);
	assert_int_equal(move(world, -128).way, 78);
	assert_int_equal(move(world, -129).way, 0);
	assert_int_equal(move(world, 128).way, 257);
	assert_int_equal(move(world, 1600).way, 0);
}

/* A rest makes the next step a start. */
static void test_starts(void **state) {
	struct world *world = *state;
	show(world);
	assert_false(move(world, 40).starts);
	for (int i = 0; i < 3; i++) {
		scroll_rest(&world->scroll);
		struct scroll_step step = move(world, 40);
		assert_true(step.starts);
		assert_int_equal(step.way, 40);
		step = move(world, 40);
		assert_false(step.starts);
		assert_int_equal(step.way, 0);
	}
	scroll_rest(&world->scroll);
	assert_int_equal(move(world, 16).way, 0);
}

static void test_other_size(void **state) {
	struct world *world = *state;
	assert_int_equal(step(world, 24, 10), 0);
	struct picture large = {0};
	assert_true(picture_resize(&large, WIDTH, HEIGHT + 100, PACKET_CHROMA_420));
	memset(large.planes[0], 100, (size_t)large.strides[0] * large.height);
	struct scroll_step other = scroll_see(&world->scroll, &large);
	assert_false(other.breaks);
	assert_int_equal(other.way, 0);
	picture_finish(&large);
	assert_int_equal(step(world, 24, 10), 0);
}

static void test_noise(void **state) {
	struct world *world = *state;
	for (int i = 0; i < 50; i++) {
		uint8_t *luma = world->picture.planes[0];
		for (size_t at = 0; at < (size_t)world->picture.strides[0] * HEIGHT; at++) {
			luma[at] = (uint8_t)rand();
		}
		struct scroll_step noise = scroll_see(&world->scroll, &world->picture);
		assert_false(noise.breaks);
		assert_int_equal(noise.way, 0);
	}
}

static void test_sizes(void **state) {
	(void)state;
	const uint32_t sides[] = {2, 4, 62, 256, 2162, 4000};
	for (size_t i = 0; i < 36; i++) {
		struct picture picture = {0};
		struct scroll *scroll = calloc(1, sizeof(*scroll));
		assert_non_null(scroll);
		assert_true(
			picture_resize(&picture, sides[i / 6], sides[i % 6], PACKET_CHROMA_444));
		memset(picture.planes[0], 1, (size_t)picture.strides[0] * picture.height);
		for (uint8_t n = 0; n < 5; n++) {
			memset(picture.planes[0], n, (size_t)picture.strides[0]);
			struct scroll_step flat = scroll_see(scroll, &picture);
			assert_false(flat.breaks);
			assert_int_equal(flat.way, 0);
		}
		free(scroll);
		picture_finish(&picture);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reversal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_speed_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jumps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
		cmocka_unit_test(test_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
