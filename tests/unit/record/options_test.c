#include "unit.h"

#include "record/options.h"

static void a_region_is_four_numbers(void **state) {
	(void)state;
	struct packet_region region;
	assert_true(options_parse_region("0,10,1280,2", &region));
	assert_int_equal(region.x, 0);
	assert_int_equal(region.y, 10);
	assert_int_equal(region.width, 1280);
	assert_int_equal(region.height, 2);
	assert_true(options_parse_region("16384,16384,16384,16384", &region));
}

static void anything_else_is_no_region(void **state) {
	(void)state;
	static const char *const texts[] = {"", "1,2,3", "1,2,3,4,5", "1,2,3,", "1,2,3,4,",
		"-1,0,10,10", "0,0,1,10", "0,0,10,0", "0,0,16385,10", "0,0,10.5,10", "0,0,0x10,10",
		" 0,0,10,10", "0,0,99999999999999999999,10", "a,b,c,d", "1280x720"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct packet_region region = {1, 2, 3, 4};
		if (options_parse_region(texts[i], &region)) {
			fail_msg("%s", texts[i]);
		}
		assert_int_equal(region.width, 3);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_is_four_numbers),
		cmocka_unit_test(anything_else_is_no_region),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
