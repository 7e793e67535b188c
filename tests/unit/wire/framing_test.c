/* Framing: pieces of any size in, whole messages or a typed error out. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "wire/framing.h"

static void put_message(struct bytes *out, const void *text, size_t length) {
	uint32_t head = (uint32_t)length;
	assert_true(bytes_append(out, &head, sizeof(head)));
	assert_true(bytes_append(out, text, length));
}

static void assert_next(struct framing *framing, const char *expected) {
	const uint8_t *message = NULL;
	size_t length = 0;
	enum error_code error = ERROR_NONE;
	assert_int_equal(framing_next(framing, &message, &length, &error), FRAMING_MESSAGE);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(message, expected, length);
}

static void assert_status(
	struct framing *framing, enum framing_status status, enum error_code code) {
	const uint8_t *message = NULL;
	size_t length = 0;
	enum error_code error = ERROR_NONE;
	assert_int_equal(framing_next(framing, &message, &length, &error), status);
	assert_int_equal(error, code);
}

static void feed_u32(struct framing *framing, uint32_t value) {
	assert_true(framing_feed(framing, &value, sizeof(value)));
}

static void messages_of_one_feed_come_in_order(void **state) {
	(void)state;
	struct framing framing = {0};
	struct bytes input = {0};
	put_message(&input, "{}", 2);
	put_message(&input, "[1]", 3);
	put_message(&input, "x", 1);
	assert_true(framing_feed(&framing, input.data, input.length));
	assert_next(&framing, "{}");
	assert_next(&framing, "[1]");
	assert_next(&framing, "x");
	assert_status(&framing, FRAMING_MORE, ERROR_NONE);
	assert_int_equal(framing_end(&framing), ERROR_NONE);
	bytes_finish(&input);
	framing_finish(&framing);
}

static void any_split_gives_the_same_messages(void **state) {
	(void)state;
	struct bytes input = {0};
	put_message(&input, "{\"a\":1}", 7);
	put_message(&input, "{}", 2);
	for (size_t split = 0; split <= input.length; split++) {
		struct framing framing = {0};
		unsigned count = 0;
		const size_t parts[] = {split, input.length - split};
		const uint8_t *at = input.data;
		for (size_t i = 0; i < 2; i++) {
			assert_true(framing_feed(&framing, at, parts[i]));
			at += parts[i];
			const uint8_t *message = NULL;
			size_t length = 0;
			enum error_code error = ERROR_NONE;
			while (framing_next(&framing, &message, &length, &error) ==
				FRAMING_MESSAGE) {
				assert_int_equal(length, count == 0 ? 7 : 2);
				count++;
			}
			assert_int_equal(error, ERROR_NONE);
		}
		assert_int_equal(count, 2);
		framing_finish(&framing);
	}
	bytes_finish(&input);
}

static void one_byte_at_a_time(void **state) {
	(void)state;
	struct framing framing = {0};
	struct bytes input = {0};
	put_message(&input, "{\"type\":\"hello\"}", 16);
	for (size_t i = 0; i < input.length; i++) {
		assert_status(&framing, FRAMING_MORE, ERROR_NONE);
		assert_int_equal(framing_end(&framing), i == 0 ? ERROR_NONE : ERROR_BAD_FRAME);
		assert_true(framing_feed(&framing, input.data + i, 1));
	}
	assert_next(&framing, "{\"type\":\"hello\"}");
	assert_int_equal(framing_end(&framing), ERROR_NONE);
	bytes_finish(&input);
	framing_finish(&framing);
}

static void the_longest_message_passes(void **state) {
	(void)state;
	struct framing framing = {0};
	uint8_t *text = calloc(1, FRAMING_MESSAGE_MAX);
	assert_non_null(text);
	feed_u32(&framing, FRAMING_MESSAGE_MAX);
	assert_true(framing_feed(&framing, text, FRAMING_MESSAGE_MAX - 1));
	assert_status(&framing, FRAMING_MORE, ERROR_NONE);
	assert_true(framing_feed(&framing, text, 1));
	assert_status(&framing, FRAMING_MESSAGE, ERROR_NONE);
	free(text);
	framing_finish(&framing);
}

static void zero_length_breaks_for_good(void **state) {
	(void)state;
	struct framing framing = {0};
	feed_u32(&framing, 0);
	assert_status(&framing, FRAMING_BROKEN, ERROR_BAD_FRAME);
	feed_u32(&framing, 2);
	assert_true(framing_feed(&framing, "{}", 2));
	assert_status(&framing, FRAMING_BROKEN, ERROR_BAD_FRAME);
	framing_finish(&framing);
}

static void too_long_breaks_before_it_arrives(void **state) {
	(void)state;
	const uint32_t lengths[] = {FRAMING_MESSAGE_MAX + 1, 64u << 20, 0x80000000u, UINT32_MAX};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct framing framing = {0};
		feed_u32(&framing, lengths[i]);
		assert_status(&framing, FRAMING_BROKEN, ERROR_MESSAGE_TOO_LARGE);
		framing_finish(&framing);
	}
}

static void a_claim_allocates_nothing(void **state) {
	(void)state;
	struct framing framing = {0};
	feed_u32(&framing, FRAMING_MESSAGE_MAX);
	assert_status(&framing, FRAMING_MORE, ERROR_NONE);
	assert_true(framing_feed(&framing, "abc", 3));
	assert_true(framing.buffer.capacity < 4096);
	framing_finish(&framing);
}

static void memory_does_not_grow_with_the_stream(void **state) {
	(void)state;
	struct framing framing = {0};
	struct bytes input = {0};
	put_message(&input, "0123456789", 10);
	for (unsigned i = 0; i < 10000; i++) {
		assert_true(framing_feed(&framing, input.data, input.length));
		assert_next(&framing, "0123456789");
	}
	assert_true(framing.buffer.capacity < 4096);
	bytes_finish(&input);
	framing_finish(&framing);
}

static void what_is_written_is_read_back(void **state) {
	(void)state;
	struct bytes out = {0};
	const char *texts[] = {"{}", "{\"type\":\"result\"}"};
	for (size_t i = 0; i < 2; i++) {
		size_t start = 0;
		assert_true(framing_begin_message(&out, &start));
		assert_true(bytes_append(&out, texts[i], strlen(texts[i])));
		framing_finish_message(&out, start);
	}
	struct framing framing = {0};
	assert_true(framing_feed(&framing, out.data, out.length));
	assert_next(&framing, texts[0]);
	assert_next(&framing, texts[1]);
	assert_status(&framing, FRAMING_MORE, ERROR_NONE);
	framing_finish(&framing);
	bytes_finish(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_one_feed_come_in_order),
		cmocka_unit_test(any_split_gives_the_same_messages),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(the_longest_message_passes),
		cmocka_unit_test(zero_length_breaks_for_good),
		cmocka_unit_test(too_long_breaks_before_it_arrives),
		cmocka_unit_test(a_claim_allocates_nothing),
		cmocka_unit_test(memory_does_not_grow_with_the_stream),
		cmocka_unit_test(what_is_written_is_read_back),
	};
	return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
