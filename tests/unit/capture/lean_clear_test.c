#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/lean_clear.h"

#define SIZE ((size_t)5 * 1024 * 1024)

static bool all(const uint8_t *bytes, size_t length, uint8_t value) {
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != value) {
			return false;
		}
	}
	return true;
}

/* Lean or not, what is cleared is cleared to the byte, and nothing else is. */
static void test_clears_exactly(void **state) {
	(void)state;
	cleanup_free uint8_t *memory = malloc(SIZE);
	assert_non_null(memory);
	const size_t offsets[] = {0, 1, 4095, 4096, 4097, 123457};
	/* The length is no constant to the compiler, so that it calls memset(). */
	volatile size_t length = SIZE - 300000;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (int lean = 0; lean < 2; lean++) {
			size_t offset = offsets[i];
			memset(memory, 7, SIZE);
			lean_clear(lean == 1);
			memset(memory + offset, 0, length);
			lean_clear(false);
			assert_true(all(memory, offset, 7));
			assert_true(all(memory + offset, length, 0));
			assert_true(all(memory + offset + length, SIZE - offset - length, 7));
		}
	}
	volatile size_t small = 1024 * 1024 - 1;
	lean_clear(true);
	memset(memory, 9, length);
	assert_true(all(memory, length, 9));
	memset(memory, 128, small);
	assert_true(all(memory, small, 128));
	lean_clear(false);
	memset(memory, 128, length);
	assert_true(all(memory, length, 128));
}

/* No byte around what is dropped changes. */
static void test_drops_no_more(void **state) {
	(void)state;
	cleanup_free uint8_t *memory = malloc(SIZE);
	assert_non_null(memory);
	const size_t lengths[] = {0, 1, 4095, 4096, 8191, 1000000};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(memory, 7, SIZE);
		lean_drop(memory + 12345, lengths[i]);
		assert_true(all(memory, 12345, 7));
		assert_true(all(memory + 12345 + lengths[i], SIZE - 12345 - lengths[i], 7));
	}
	assert_true(all(memory + 12345 + 4096, 900000, 0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clears_exactly),
		cmocka_unit_test(test_drops_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
