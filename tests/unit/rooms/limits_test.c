#include "rooms/session/limits.h"

#include <string.h>

#include "unit.h"

static void test_bucket(void **state) {
	static const struct bucket_rate rate = {10, 3};
	struct bucket bucket = {0};
	for (int i = 0; i < 3; i++) {
		assert_true(bucket_take(&bucket, &rate, 1, 1000));
	}
	assert_false(bucket_take(&bucket, &rate, 1, 1000));
	assert_int_equal(bucket_wait(&bucket, &rate, 1, 1000), 100);
	assert_int_equal(bucket_wait(&bucket, &rate, 3, 1000), 300);
	assert_false(bucket_take(&bucket, &rate, 1, 1099));
	assert_true(bucket_take(&bucket, &rate, 1, 1100));
	/* A clock that goes back gives nothing, and takes nothing. */
	assert_false(bucket_take(&bucket, &rate, 1, 0));
	assert_true(bucket_take(&bucket, &rate, 1, 1200));
	assert_false(bucket_take(&bucket, &rate, 1, 1200));
	/* It never holds more than the burst. */
	assert_false(bucket_take(&bucket, &rate, 4, 1000000));
	assert_true(bucket_take(&bucket, &rate, 3, 1000000));
	assert_false(bucket_take(&bucket, &rate, 1, 1000000));
	static const struct bucket_rate once = {0, 1};
	bucket = (struct bucket){0};
	assert_true(bucket_take(&bucket, &once, 1, 0));
	assert_false(bucket_take(&bucket, &once, 1, INT64_MAX));
	assert_int_equal(bucket_wait(&bucket, &once, 1, INT64_MAX), INT64_MAX);
}

/* Over any stretch of time no more passes than the burst and the rate allow, and what waits as told
 * passes. */
static void test_bucket_property(void **state) {
	uint64_t random = 88172645463325252u;
	for (int run = 0; run < 200; run++) {
		struct bucket_rate rate = {
			1 + (uint32_t)(random % 100), 1 + (uint32_t)(random / 100 % 50)};
		struct bucket bucket = {0};
		int64_t now = 0;
		uint64_t taken = 0;
		for (int i = 0; i < 500; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			now += (int64_t)(random % 40);
			uint32_t amount = 1 + (uint32_t)(random / 40 % rate.burst);
			if (random / 4000 % 4 == 0) {
				now += bucket_wait(&bucket, &rate, amount, now);
				assert_true(bucket_take(&bucket, &rate, amount, now));
				taken += amount;
			} else if (bucket_take(&bucket, &rate, amount, now)) {
				taken += amount;
			}
			assert_true(taken * 1000 <=
				    rate.burst * 1000u + (uint64_t)now * rate.per_second);
		}
	}
}

static void test_message(void **state) {
	static const struct limits_settings settings = {.messages = {10, 5}, .bytes = {1000, 2000}};
	struct limits_session session = {0};
	int64_t retry = -1;
	assert_true(limits_message(&session, &settings, 1500, 0, &retry));
	assert_int_equal(retry, 0);
	assert_false(limits_message(&session, &settings, 1000, 0, &retry));
	assert_int_equal(retry, 500);
	/* What was refused for its bytes did not count as a message. */
	for (int i = 0; i < 4; i++) {
		assert_true(limits_message(&session, &settings, 1, 0, &retry));
	}
	assert_false(limits_message(&session, &settings, 1, 0, &retry));
	assert_int_equal(retry, 100);
	assert_false(limits_message(&session, &settings, 5000, 100000, &retry));
}

static void test_addresses(void **state) {
	struct limits_settings settings = {
		.arrivals = {1, 3}, .sessions_max = 5, .address_sessions_max = 2};
	struct limits *limits = limits_create(&settings);
	int64_t retry = 0;
	assert_true(limits_arrive(limits, "a", 0, &retry));
	assert_true(limits_arrive(limits, "a", 0, &retry));
	assert_false(limits_arrive(limits, "a", 0, &retry)); /* as many as one may have */
	assert_int_equal(retry, 0);
	limits_leave(limits, "a", 0);
	assert_true(limits_arrive(limits, "a", 0, &retry));
	limits_leave(limits, "a", 0);
	assert_false(limits_arrive(limits, "a", 0, &retry)); /* too fast */
	assert_int_equal(retry, 1000);
	assert_true(limits_arrive(limits, "a", 1000, &retry));
	assert_true(limits_arrive(limits, "b", 0, &retry));
	assert_true(limits_arrive(limits, "b", 0, &retry));
	assert_true(limits_arrive(limits, "c", 0, &retry));
	assert_false(limits_arrive(limits, "d", 0, &retry)); /* all together */
	assert_int_equal(limits_sessions(limits), 5);
	limits_leave(limits, "nobody", 0);
	limits_leave(limits, "c", 0);
	limits_leave(limits, "c", 0);
	assert_int_equal(limits_sessions(limits), 4);
	limits_tidy(limits, 100000);
	assert_true(limits_arrive(limits, "c", 100000, &retry));
	limits_destroy(limits);
}

static void test_address(void **state) {
	static const char *const pairs[][2] = {
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2::9", "2001:db8:1:2::"},
		{"unix", "unix"},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char out[64];
		limits_address(pairs[i][0], out);
		assert_string_equal(out, pairs[i][1]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_bucket_property),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
