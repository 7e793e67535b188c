#include "unit.h"

#include "encode/active_map.h"

static void test_life_of_a_block(void **state) {
	(void)state;
	struct active_map active_map = {0};
	assert_true(active_map_resize(&active_map, 100, 50, 3, 1));
	assert_int_equal(active_map.columns, 7);
	assert_int_equal(active_map.rows, 4);
	assert_true(active_map_is_empty(&active_map));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){15, 16, 2, 1});
	active_map_add(&active_map, &damage);
	assert_int_equal(active_map.active, 2);
	assert_int_equal(active_map.map[7], 3);
	assert_int_equal(active_map.map[8], 3);
	active_map_age(&active_map, true);
	active_map_age(&active_map, true);
	assert_false(active_map_is_empty(&active_map));
	/* Touched again before it rests. */
	active_map_add(&active_map, &damage);
	assert_int_equal(active_map.map[7], 3);
	assert_int_equal(active_map.active, 2);
	for (int i = 0; i < 3; i++) {
		assert_false(active_map_is_empty(&active_map));
		active_map_age(&active_map, true);
	}
	assert_true(active_map_is_empty(&active_map));
	active_map_age(&active_map, true);
	assert_true(active_map_is_empty(&active_map));
	active_map_finish(&active_map);
}

static void test_every_touched_block(void **state) {
	(void)state;
	struct active_map active_map = {0};
	assert_true(active_map_resize(&active_map, 64, 64, 1, 1));
	for (int32_t y = 0; y < 64; y++) {
		for (int32_t x = 0; x < 64; x++) {
			struct damage damage = {0};
			damage_add(&damage, &(struct rect){x, y, 1, 1});
			active_map_add(&active_map, &damage);
			assert_int_equal(active_map.active, 1);
			assert_int_equal(active_map.map[y / 16 * 4 + x / 16], 1);
			active_map_age(&active_map, true);
		}
	}
	active_map_finish(&active_map);
}

static void test_borders(void **state) {
	(void)state;
	struct active_map active_map = {0};
	assert_true(active_map_resize(&active_map, 33, 17, 200, 1));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){30, 10, 5000, 5000});
	active_map_add(&active_map, &damage);
	assert_int_equal(active_map.active, 4);
	damage_clear(&damage);
	damage_add(&damage, &(struct rect){500, 500, 1, 1});
	active_map_add(&active_map, &damage);
	assert_int_equal(active_map.active, 4);
	assert_false(active_map_is_full(&active_map));
	active_map_set_all(&active_map, 250);
	assert_true(active_map_is_full(&active_map));
	/* A change does not shorten a longer life. */
	damage_add(&damage, &(struct rect){0, 0, 1, 1});
	active_map_add(&active_map, &damage);
	assert_int_equal(active_map.map[0], 250);
	/* A new size starts with no active block. */
	assert_true(active_map_resize(&active_map, 16, 16, 1, 1));
	assert_true(active_map_is_empty(&active_map));
	active_map_finish(&active_map);
}

/* Coarse frames of a moving screen pay no debt; good ones of a still screen do. */
static void test_debt(void **state) {
	(void)state;
	struct active_map active_map = {0};
	assert_true(active_map_resize(&active_map, 64, 64, 2, 3));
	struct damage damage = {0};
	damage_add(&damage, &(struct rect){0, 0, 1, 1});
	active_map_add(&active_map, &damage);
	active_map_age(&active_map, false);
	active_map_age(&active_map, false);
	/* It is inactive, but owes. */
	assert_int_equal(active_map.active, 0);
	assert_int_equal(active_map.owing, 1);
	assert_false(active_map_is_empty(&active_map));
	/* Good frames of other blocks don't count for it. */
	active_map_age(&active_map, true);
	assert_int_equal(active_map.owed[0], 3);
	for (int i = 0; i < 3; i++) {
		assert_false(active_map_is_empty(&active_map));
		active_map_refine(&active_map);
		assert_int_equal(active_map.active, 1);
		active_map_age(&active_map, true);
	}
	assert_true(active_map_is_empty(&active_map));
	active_map_refine(&active_map);
	assert_int_equal(active_map.active, 0);
	active_map_finish(&active_map);
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
