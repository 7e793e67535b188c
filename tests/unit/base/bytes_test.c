#include "unit.h"

#include <string.h>

#include "base/bytes.h"

static void append_grows_and_keeps_what_is_there(void **state) {
	(void)state;
	struct bytes bytes = {0};
	for (uint32_t i = 0; i < 10000; i++) {
		uint8_t value = (uint8_t)(i * 7);
		assert_true(bytes_append(&bytes, &value, 1));
	}
	assert_int_equal(bytes.length, 10000);
	assert_true(bytes.capacity >= bytes.length);
	for (uint32_t i = 0; i < 10000; i++) {
		assert_int_equal(bytes.data[i], (uint8_t)(i * 7));
	}
	bytes_finish(&bytes);
	assert_null(bytes.data);
	assert_int_equal(bytes.capacity, 0);
}

static void appending_nothing_needs_no_memory(void **state) {
	(void)state;
	struct bytes bytes = {0};
	assert_true(bytes_append(&bytes, NULL, 0));
	assert_null(bytes.data);
}

static void reserve_refuses_an_impossible_size(void **state) {
	(void)state;
	struct bytes bytes = {0};
	assert_true(bytes_append(&bytes, "abc", 3));
	assert_false(bytes_reserve(&bytes, SIZE_MAX));
	assert_false(bytes_reserve(&bytes, SIZE_MAX / 2));
	assert_int_equal(bytes.length, 3);
	assert_memory_equal(bytes.data, "abc", 3);
	bytes_finish(&bytes);
}

static void consume_moves_the_rest_to_the_front(void **state) {
	(void)state;
	struct bytes bytes = {0};
	assert_true(bytes_append(&bytes, "abcdef", 6));
	bytes_consume(&bytes, 0);
	assert_int_equal(bytes.length, 6);
	bytes_consume(&bytes, 2);
	assert_int_equal(bytes.length, 4);
	assert_memory_equal(bytes.data, "cdef", 4);
	bytes_consume(&bytes, 100);
	assert_int_equal(bytes.length, 0);
	bytes_finish(&bytes);
}

static void integers_survive_the_round_trip(void **state) {
	(void)state;
	uint8_t wire[15] = {0x5a};
	bytes_put(wire + 1, 0x1234, 2);
	bytes_put(wire + 3, 0x89abcdef, 4);
	bytes_put(wire + 7, UINT64_C(0xfedcba9876543210), 8);
	/* Little-endian on every machine. */
	assert_int_equal(wire[1], 0x34);
	assert_int_equal(wire[3], 0xef);
	assert_int_equal(wire[7], 0x10);
	struct reader reader;
	reader_init(&reader, wire, sizeof(wire));
	assert_int_equal(reader_integer(&reader, 1), 0x5a);
	assert_int_equal(reader_integer(&reader, 2), 0x1234);
	assert_int_equal(reader_integer(&reader, 4), 0x89abcdef);
	assert_true(reader_integer(&reader, 8) == UINT64_C(0xfedcba9876543210));
	assert_true(reader.ok);
	assert_int_equal(reader_left(&reader), 0);
}

static void a_read_past_the_end_fails_for_good(void **state) {
	(void)state;
	uint8_t wire[3] = {1, 2, 3};
	struct reader reader;
	reader_init(&reader, wire, sizeof(wire));
	assert_int_equal(reader_integer(&reader, 4), 0);
	assert_false(reader.ok);
	/* Two bytes would still fit, but a broken message is broken. */
	assert_int_equal(reader_integer(&reader, 2), 0);
	assert_null(reader_bytes(&reader, 1));
	assert_int_equal(reader_left(&reader), 0);
}

static void lent_bytes_stay_in_bounds(void **state) {
	(void)state;
	uint8_t wire[4] = {1, 2, 3, 4};
	struct reader reader;
	reader_init(&reader, wire, sizeof(wire));
	assert_ptr_equal(reader_bytes(&reader, 4), wire);
	assert_non_null(reader_bytes(&reader, 0));
	assert_null(reader_bytes(&reader, SIZE_MAX));
	assert_false(reader.ok);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_grows_and_keeps_what_is_there),
		cmocka_unit_test(appending_nothing_needs_no_memory),
		cmocka_unit_test(reserve_refuses_an_impossible_size),
		cmocka_unit_test(consume_moves_the_rest_to_the_front),
		cmocka_unit_test(integers_survive_the_round_trip),
		cmocka_unit_test(a_read_past_the_end_fails_for_good),
		cmocka_unit_test(lent_bytes_stay_in_bounds),
	};
	return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
