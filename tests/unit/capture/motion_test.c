#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "capture/motion.h"

#define WIDTH 640
#define HEIGHT 480

static const struct rect whole = {0, 0, WIDTH, HEIGHT};
static const struct rect window = {100, 60, 320, 240};

static int setup(void **state) {
	static struct picture picture;
	assert_true(picture_resize(&picture, WIDTH, HEIGHT, PACKET_CHROMA_420));
	memset(picture.planes[0], 235, (size_t)picture.strides[0] * HEIGHT);
	*state = &picture;
	return 0;
}

static int teardown(void **state) {
	picture_finish(*state);
	return 0;
}

/* A gradient with some noise: few neighbouring pixels are equal. */
static void draw_film(struct picture *picture, const struct rect *where) {
	uint32_t noise = 1;
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			noise = noise * 1103515245 + 12345;
			*(picture->planes[0] + (ptrdiff_t)y * picture->strides[0] + x) =
				(uint8_t)(16 + (x + y) % 200 + (noise >> 20) % 8);
		}
	}
}

/* Strokes two pixels wide, as dense as text. */
static void draw_text(struct picture *picture, const struct rect *where) {
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			*(picture->planes[0] + (ptrdiff_t)y * picture->strides[0] + x) =
				x % 9 < 2 && y % 16 < 10 ? 20 : 235;
		}
	}
}

static void see(struct motion *motion, const struct picture *picture, const struct rect *where,
	uint32_t times) {
	struct damage damage = {0};
	if (where != NULL) {
		damage_add(&damage, where);
	}
	for (uint32_t i = 0; i < times; i++) {
		motion_see(motion, picture, &damage);
	}
}

static void test_film(void **state) {
	struct picture *picture = *state;
	struct motion motion = {0};
	draw_film(picture, &window);
	see(&motion, picture, &window, MOTION_CHANGES - 1);
	assert_false(motion.moving);
	see(&motion, picture, &window, 1);
	assert_true(motion.moving);
	see(&motion, picture, &window, 100);
	assert_true(motion.moving);
	/* A pointer moves in between. */
	const struct rect pointer = {5, 5, 24, 24};
	see(&motion, picture, &pointer, MOTION_CHANGES - 1);
	assert_true(motion.moving);
	see(&motion, picture, &window, 1);
	assert_true(motion.moving);
	/* Now only the pointer moves. */
	see(&motion, picture, &pointer, MOTION_CHANGES);
	assert_false(motion.moving);
}

static void test_rest_ends_film(void **state) {
	struct picture *picture = *state;
	struct motion motion = {0};
	draw_film(picture, &whole);
	see(&motion, picture, &whole, MOTION_CHANGES);
	assert_true(motion.moving);
	see(&motion, picture, NULL, 1);
	assert_false(motion.moving);
}

static void test_text_is_not_film(void **state) {
	struct picture *picture = *state;
	struct motion motion = {0};
	draw_text(picture, &whole);
	see(&motion, picture, &whole, 50);
	assert_false(motion.moving);
	/* It ends a film at once, even if part of the film goes on. */
	draw_film(picture, &whole);
	see(&motion, picture, &whole, MOTION_CHANGES);
	assert_true(motion.moving);
	draw_text(picture, &whole);
	draw_film(picture, &(struct rect){0, 0, 200, 200});
	see(&motion, picture, &whole, 1);
	assert_false(motion.moving);
}

/* Damage outside the picture is ignored. */
static void test_borders(void **state) {
	struct picture *picture = *state;
	struct motion motion = {0};
	draw_film(picture, &whole);
	see(&motion, picture, &(struct rect){0, 0, 100000, 100000}, MOTION_CHANGES);
	assert_true(motion.moving);
	see(&motion, picture, &(struct rect){5000, 5000, 100, 100}, MOTION_CHANGES);
	assert_false(motion.moving);
	see(&motion, picture, &(struct rect){WIDTH - 1, 0, 1, HEIGHT}, 3);
	assert_false(motion.moving);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_film, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest_ends_film, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_is_not_film, setup, teardown),
		cmocka_unit_test_setup_teardown(test_borders, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
