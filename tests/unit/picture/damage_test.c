#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "picture/damage.h"

/* Property tests draw rectangles on a canvas of this size. */
#define SIDE 48

struct canvas {
	bool set[SIDE][SIDE];
};

static void draw(struct canvas *canvas, const struct rect *rect) {
	for (int64_t y = rect->y; y < (int64_t)rect->y + rect->height; y++) {
		for (int64_t x = rect->x; x < (int64_t)rect->x + rect->width; x++) {
			if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) {
				canvas->set[y][x] = true;
			}
		}
	}
}

static void draw_damage(struct canvas *canvas, const struct damage *damage) {
	for (uint32_t i = 0; i < damage->count; i++) {
		draw(canvas, &damage->rects[i]);
	}
}

static void assert_covers(const struct canvas *outer, const struct canvas *inner) {
	for (int y = 0; y < SIDE; y++) {
		for (int x = 0; x < SIDE; x++) {
			assert_true(outer->set[y][x] || !inner->set[y][x]);
		}
	}
}

static struct rect random_rect(void) {
	return (struct rect){
		rand() % (SIDE + 8) - 4, rand() % (SIDE + 8) - 4, rand() % 14 - 1, rand() % 14 - 1};
}

static void assert_well_formed(const struct damage *damage) {
	assert_true(damage->count <= DAMAGE_RECTS_MAX);
	for (uint32_t i = 0; i < damage->count; i++) {
		assert_false(rect_is_empty(&damage->rects[i]));
		assert_true(damage->rects[i].x >= 0 && damage->rects[i].y >= 0);
	}
}

static void test_add_loses_no_pixel(void **state) {
	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct canvas wanted = {0};
		struct canvas got = {0};
		struct damage damage = {0};
		for (int i = rand() % 40; i > 0; i--) {
			struct rect rect = random_rect();
			damage_add(&damage, &rect);
			draw(&wanted, &rect);
		}
		assert_well_formed(&damage);
		draw_damage(&got, &damage);
		assert_covers(&got, &wanted);
	}
}

static void test_unite_loses_no_pixel(void **state) {
	(void)state;
	srand(2);
	for (int round = 0; round < 1000; round++) {
		struct canvas wanted = {0};
		struct canvas got = {0};
		struct damage damage[2] = {0};
		for (int side = 0; side < 2; side++) {
			for (int i = rand() % 20; i > 0; i--) {
				struct rect rect = random_rect();
				damage_add(&damage[side], &rect);
				draw(&wanted, &rect);
			}
		}
		damage_unite(&damage[0], &damage[1]);
		assert_well_formed(&damage[0]);
		draw_damage(&got, &damage[0]);
		assert_covers(&got, &wanted);
	}
}

static void test_crop_keeps_what_is_inside(void **state) {
	(void)state;
	srand(3);
	for (int round = 0; round < 1000; round++) {
		struct damage damage = {0};
		struct canvas before = {0};
		struct canvas after = {0};
		for (int i = rand() % 12; i > 0; i--) {
			struct rect rect = random_rect();
			damage_add(&damage, &rect);
		}
		draw_damage(&before, &damage);
		const struct rect bounds = {
			rand() % 20, rand() % 20, 1 + rand() % 20, 1 + rand() % 20};
		damage_crop(&damage, &bounds);
		assert_well_formed(&damage);
		draw_damage(&after, &damage);
		for (int y = 0; y < SIDE; y++) {
			for (int x = 0; x < SIDE; x++) {
				bool inside = x < bounds.width && y < bounds.height;
				bool was = inside && before.set[y + bounds.y][x + bounds.x];
				assert_true(after.set[y][x] == was);
			}
		}
	}
}

static void test_few_rects_stay_exact(void **state) {
	(void)state;
	struct damage damage = {0};
	const struct rect a = {0, 0, 4, 4};
	const struct rect b = {30, 30, 4, 4};
	damage_add(&damage, &a);
	damage_add(&damage, &b);
	damage_add(&damage, &a);
	assert_int_equal(damage.count, 2);
	const struct rect around = {0, 0, 40, 40};
	damage_add(&damage, &around);
	assert_int_equal(damage.count, 1);
	assert_memory_equal(&damage.rects[0], &around, sizeof(around));
}

static void test_neighbours_become_one(void **state) {
	(void)state;
	struct damage damage = {0};
	for (int32_t x = 0; x < 400; x += 10) {
		const struct rect slice = {x, 5, 10, 7};
		damage_add(&damage, &slice);
	}
	const struct rect whole = {0, 5, 400, 7};
	assert_int_equal(damage.count, 1);
	assert_memory_equal(&damage.rects[0], &whole, sizeof(whole));
}

static void test_extremes(void **state) {
	(void)state;
	struct damage damage = {0};
	const struct rect rects[] = {
		{INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX},
		{INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
		{INT32_MAX - 1, 0, INT32_MAX, 1},
		{-5, -5, 10, 10},
		{0, 0, INT32_MIN, INT32_MIN},
		{0, 0, 0, 7},
	};
	for (size_t i = 0; i < sizeof(rects) / sizeof(rects[0]); i++) {
		damage_add(&damage, &rects[i]);
	}
	assert_well_formed(&damage);
	const struct rect screen = {0, 0, 100, 100};
	damage_crop(&damage, &screen);
	const struct rect wanted = {0, 0, 5, 5};
	assert_int_equal(damage.count, 1);
	assert_memory_equal(&damage.rects[0], &wanted, sizeof(wanted));
}

static void test_full_and_clear(void **state) {
	(void)state;
	struct damage damage = {0};
	assert_true(damage_is_empty(&damage));
	damage_set_full(&damage, 640, 480);
	assert_int_equal(damage.count, 1);
	assert_int_equal(damage.rects[0].width, 640);
	assert_int_equal(damage.rects[0].height, 480);
	damage_clear(&damage);
	assert_true(damage_is_empty(&damage));
}

static void test_contains(void **state) {
	(void)state;
	const struct rect outer = {2, 2, 10, 10};
	assert_true(rect_contains(&outer, &outer));
	assert_true(rect_contains(&outer, &(struct rect){50, 50, 0, 3}));
	assert_false(rect_contains(&outer, &(struct rect){1, 2, 3, 3}));
	assert_false(rect_contains(&outer, &(struct rect){10, 10, 3, 2}));
	assert_false(rect_contains(&(struct rect){0}, &outer));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_loses_no_pixel),
		cmocka_unit_test(test_unite_loses_no_pixel),
		cmocka_unit_test(test_crop_keeps_what_is_inside),
		cmocka_unit_test(test_few_rects_stay_exact),
		cmocka_unit_test(test_neighbours_become_one),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_full_and_clear),
		cmocka_unit_test(test_contains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
