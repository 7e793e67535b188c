#include "unit.h"

#include "capture/activity.h"

static void test_life_of_a_block(void **state) {
	(void)state;
	struct activity activity = {0};
	assert_true(activity_resize(&activity, 100, 50, 3, 1));
	assert_int_equal(activity.columns, 7);
	assert_int_equal(activity.rows, 4);
	assert_true(activity_is_empty(&activity));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){15, 16, 2, 1});
	activity_add(&activity, &damage);
	assert_int_equal(activity.active, 2);
	assert_int_equal(activity.map[7], 3);
	assert_int_equal(activity.map[8], 3);
	activity_age(&activity, true);
	activity_age(&activity, true);
	assert_false(activity_is_empty(&activity));
	/* Touched again before it rests. */
	activity_add(&activity, &damage);
	assert_int_equal(activity.map[7], 3);
	assert_int_equal(activity.active, 2);
	for (int i = 0; i < 3; i++) {
		assert_false(activity_is_empty(&activity));
		activity_age(&activity, true);
	}
	assert_true(activity_is_empty(&activity));
	activity_age(&activity, true);
	assert_true(activity_is_empty(&activity));
	activity_finish(&activity);
}

static void test_every_touched_block(void **state) {
	(void)state;
	struct activity activity = {0};
	assert_true(activity_resize(&activity, 64, 64, 1, 1));
	for (int32_t y = 0; y < 64; y++) {
		for (int32_t x = 0; x < 64; x++) {
			struct damage damage = {0};
			damage_add(&damage, &(struct rect){x, y, 1, 1});
			activity_add(&activity, &damage);
			assert_int_equal(activity.active, 1);
			assert_int_equal(activity.map[y / 16 * 4 + x / 16], 1);
			activity_age(&activity, true);
		}
	}
	activity_finish(&activity);
}

static void test_borders(void **state) {
	(void)state;
	struct activity activity = {0};
	assert_true(activity_resize(&activity, 33, 17, 200, 1));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){30, 10, 5000, 5000});
	activity_add(&activity, &damage);
	assert_int_equal(activity.active, 4);
	damage_clear(&damage);
	damage_add(&damage, &(struct rect){500, 500, 1, 1});
	activity_add(&activity, &damage);
	assert_int_equal(activity.active, 4);
	assert_false(activity_is_full(&activity));
	activity_set_all(&activity, 250);
	assert_true(activity_is_full(&activity));
	/* A change takes nothing of a longer life. */
	damage_add(&damage, &(struct rect){0, 0, 1, 1});
	activity_add(&activity, &damage);
	assert_int_equal(activity.map[0], 250);
	/* A new size begins without activity. */
	assert_true(activity_resize(&activity, 16, 16, 1, 1));
	assert_true(activity_is_empty(&activity));
	activity_finish(&activity);
}

/* Frames of a moving screen are not counted as good; on a still one the debt is paid. */
static void test_debt(void **state) {
	(void)state;
	struct activity activity = {0};
	assert_true(activity_resize(&activity, 64, 64, 2, 3));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){0, 0, 1, 1});
	activity_add(&activity, &damage);
	activity_age(&activity, false);
	activity_age(&activity, false);
	/* It rests for the time being. */
	assert_int_equal(activity.active, 0);
	assert_int_equal(activity.owing, 1);
	assert_false(activity_is_empty(&activity));
	/* Good frames of other blocks don't count. */
	activity_age(&activity, true);
	assert_int_equal(activity.owed[0], 3);
	for (int i = 0; i < 3; i++) {
		assert_false(activity_is_empty(&activity));
		activity_refine(&activity);
		assert_int_equal(activity.active, 1);
		activity_age(&activity, true);
	}
	assert_true(activity_is_empty(&activity));
	activity_refine(&activity);
	assert_int_equal(activity.active, 0);
	activity_finish(&activity);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_of_a_block),
		cmocka_unit_test(test_every_touched_block),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_debt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
