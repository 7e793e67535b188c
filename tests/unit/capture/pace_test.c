#include "unit.h"

#include "capture/pace.h"

/* Runs a producer with this interval and jitter for ten seconds. Returns pictures a second. */
static double run(uint32_t fps, int64_t interval_us, int64_t jitter_us) {
	struct pace pace;
	pace_init(&pace, fps);
	int64_t busy_until = 0;
	int taken = 0;
	for (int64_t i = 0; i * interval_us < 10000000; i++) {
		int64_t now = 1000000 + i * interval_us + (i % 2 == 0 ? jitter_us : -jitter_us);
		if (now < busy_until) {
			continue; /* It replaces the waiting picture. */
		}
		int64_t wait = pace_wait(&pace, now);
		pace_took(&pace, now + wait);
		busy_until = now + wait;
		taken++;
	}
	return taken / 10.0;
}

static void test_first_picture_never_waits(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace, 1);
	assert_int_equal(pace_wait(&pace, 0), 0);
	assert_int_equal(pace_wait(&pace, INT64_C(1) << 50), 0);
}

static void test_rate_is_bounded(void **state) {
	(void)state;
	assert_in_range((int)run(30, 1000, 0), 29, 30);
	assert_in_range((int)run(24, 16667, 0), 23, 24);
	assert_in_range((int)run(240, 500, 0), 235, 241);
}

static void test_jitter_costs_no_pictures(void **state) {
	(void)state;
	assert_in_range((int)run(60, 16667, 3000), 59, 60);
	assert_in_range((int)run(30, 33333, 7000), 29, 30);
	assert_in_range((int)run(30, 50000, 0), 20, 20);
}

static void test_no_burst_after_a_pause(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace, 10);
	pace_took(&pace, 1000000);
	int64_t later = INT64_C(3600) * 1000000;
	assert_int_equal(pace_wait(&pace, later), 0);
	pace_took(&pace, later);
	assert_int_equal(pace_wait(&pace, later + 1000), 49000);
	pace_took(&pace, later + 50000);
	assert_in_range((int)pace_wait(&pace, later + 51000), 49000, 99000);
}

/* One slow picture delays at most the next one. */
static void test_stall_delays_one_picture(void **state) {
	(void)state;
	for (int64_t stall = 40000; stall < 200000; stall += 1000) {
		struct pace pace;
		pace_init(&pace, 30);
		int64_t begin = 0;
		for (int64_t due = 0; due < 10; due++) {
			begin = due * 33333;
			assert_int_equal(pace_wait(&pace, begin), 0);
			pace_took(&pace, begin);
		}
		int64_t busy_until = begin + stall;
		pace_took(&pace, busy_until);
		int64_t next = busy_until / 33333 + 1;
		int64_t now = next * 33333 + pace_wait(&pace, next * 33333);
		assert_true(now - busy_until >= 16666);
		pace_took(&pace, now);
		for (int64_t i = next + 1; i < next + 50; i++) {
			assert_int_equal(pace_wait(&pace, i * 33333), 0);
			pace_took(&pace, i * 33333);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_picture_never_waits),
		cmocka_unit_test(test_rate_is_bounded),
		cmocka_unit_test(test_jitter_costs_no_pictures),
		cmocka_unit_test(test_no_burst_after_a_pause),
		cmocka_unit_test(test_stall_delays_one_picture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
