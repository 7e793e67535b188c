#include "unit.h"

#include "capture/codec_choice.h"

#define WIDTH 1920u
#define HEIGHT 1080u
#define PIXELS (WIDTH * HEIGHT)
#define INTERVAL_US 33333

enum kind { STILL, TYPING, WINDOW, SCROLL, HALF, STEPS, LARGE_STEPS, LATE_STEPS };

/* STEPS: the whole screen at a low rate. */
static const struct {
	uint64_t changed;
	int64_t encode_us;
	int64_t interval_us;
} kinds[] = {
	[STILL] = {0, 0, INTERVAL_US},
	[TYPING] = {10000, 2000, INTERVAL_US},
	[WINDOW] = {PIXELS / 2 - 1, 12000, INTERVAL_US},
	[SCROLL] = {PIXELS, 20000, INTERVAL_US},
	[HALF] = {PIXELS / 2, 12000, INTERVAL_US},
	[STEPS] = {PIXELS, 20000, 100000},
	[LARGE_STEPS] = {4 * PIXELS, 20000, 100000},
	[LATE_STEPS] = {PIXELS, 90000, 100000},
};

static int64_t now;

/* Shows one kind of picture for `us`, or until the codec changes. Returns how long that took, or -1
 * if it didn't. */
static int64_t see_for(struct codec_choice *choice, enum kind kind, int64_t us) {
	enum packet_codec before = choice->codec;
	int64_t began = now;
	while (now - began < us) {
		now += kinds[kind].interval_us;
		const struct codec_choice_view view = {
			.now_us = now,
			.changed = kinds[kind].changed,
			.width = kind == LARGE_STEPS ? 4 * WIDTH : WIDTH,
			.height = HEIGHT,
			.encode_us = kinds[kind].encode_us,
			.interval_us = INTERVAL_US,
		};
		if (codec_choice_see(choice, &view) != before) {
			return now - began;
		}
	}
	return -1;
}

static struct codec_choice begin(void) {
	struct codec_choice choice;
	now = 5000000;
	codec_choice_init(&choice, PACKET_CODEC_AUTO);
	assert_int_equal(choice.codec, PACKET_CODEC_VP9);
	assert_int_equal(see_for(&choice, TYPING, 100000), -1);
	return choice;
}

static void test_heavy_motion_takes_vp8_after_a_second(void **state) {
	(void)state;
	static const enum kind heavy[] = {SCROLL, HALF, LARGE_STEPS, LATE_STEPS};
	for (size_t i = 0; i < sizeof(heavy) / sizeof(heavy[0]); i++) {
		struct codec_choice choice = begin();
		int64_t took = see_for(&choice, heavy[i], 3000000);
		assert_in_range(took, CODEC_CHOICE_HEAVY_US,
			CODEC_CHOICE_HEAVY_US + 2 * kinds[heavy[i]].interval_us);
		assert_int_equal(choice.codec, PACKET_CODEC_VP8);
		assert_int_equal(see_for(&choice, heavy[i], 60000000), -1);
	}
}

static void test_calm_takes_vp9_again(void **state) {
	(void)state;
	for (enum kind kind = STILL; kind <= WINDOW; kind++) {
		struct codec_choice choice = begin();
		see_for(&choice, SCROLL, 5000000);
		see_for(&choice, SCROLL, 5000000);
		assert_int_equal(choice.codec, PACKET_CODEC_VP8);
		int64_t took = see_for(&choice, kind, 5000000);
		assert_int_equal(choice.codec, PACKET_CODEC_VP9);
		assert_true(took >= CODEC_CHOICE_CALM_US &&
			    took <= CODEC_CHOICE_CALM_US + 2 * INTERVAL_US);
	}
}

static void test_other_changes_stay_vp9(void **state) {
	(void)state;
	static const enum kind calm[] = {STILL, TYPING, WINDOW, STEPS};
	for (size_t i = 0; i < sizeof(calm) / sizeof(calm[0]); i++) {
		struct codec_choice choice = begin();
		assert_int_equal(see_for(&choice, calm[i], 60000000), -1);
	}
}

/* Motion that switched to VP8 keeps it when it slows down: each switch costs a keyframe. */
static void test_slower_motion_keeps_vp8(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	see_for(&choice, SCROLL, 5000000);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	assert_int_equal(see_for(&choice, STEPS, 60000000), -1);
	assert_true(see_for(&choice, TYPING, 5000000) >= CODEC_CHOICE_CALM_US);
	assert_int_equal(see_for(&choice, STEPS, 60000000), -1);
}

/* At a low rate an encode may take longer. */
static void test_low_rate_allows_slow_encodes(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	struct codec_choice_view view = {.width = WIDTH,
		.height = HEIGHT,
		.changed = PIXELS,
		.interval_us = 100000,
		.encode_us = 90000};
	for (int i = 0; i < 300; i++) {
		view.now_us = now += 100000;
		assert_int_equal(codec_choice_see(&choice, &view), PACKET_CODEC_VP9);
	}
}

static void test_spells_do_not_flap(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	for (int i = 0; i < 100; i++) {
		assert_int_equal(see_for(&choice, SCROLL, 600000), -1);
		assert_int_equal(see_for(&choice, STILL, 1300000), -1);
	}
	see_for(&choice, SCROLL, 2000000);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	see_for(&choice, SCROLL, 2000000);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(see_for(&choice, STILL, 1500000), -1);
		assert_int_equal(see_for(&choice, SCROLL, 1000000), -1);
	}
}

/* Slides don't count as motion, however much of the screen they fill. */
static void test_rests_between_changes_count(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	struct codec_choice_view view = {.width = WIDTH,
		.height = HEIGHT,
		.changed = PIXELS,
		.encode_us = 90000,
		.interval_us = INTERVAL_US};
	for (int i = 0; i < 100; i++) {
		view.now_us = now += 1000000;
		assert_int_equal(codec_choice_see(&choice, &view), PACKET_CODEC_VP9);
	}
}

static void test_rest_ends_vp8_once(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	assert_true(codec_choice_rest_us(&choice) == INT64_MAX);
	see_for(&choice, SCROLL, 5000000);
	see_for(&choice, SCROLL, 5000000);
	int64_t due = codec_choice_rest_us(&choice);
	assert_int_equal(due, now + CODEC_CHOICE_CALM_US);
	struct codec_choice_view rest = {.now_us = due - 1000, .width = WIDTH, .height = HEIGHT};
	assert_int_equal(codec_choice_see(&choice, &rest), PACKET_CODEC_VP8);
	assert_in_range(codec_choice_rest_us(&choice), due - 1, due + 1);
	rest.now_us = codec_choice_rest_us(&choice);
	assert_int_equal(codec_choice_see(&choice, &rest), PACKET_CODEC_VP9);
	assert_true(codec_choice_rest_us(&choice) == INT64_MAX);
}

/* A size that VP8 can't encode switches to VP9 at once. */
static void test_too_large_for_vp8(void **state) {
	(void)state;
	struct codec_choice choice = begin();
	see_for(&choice, SCROLL, 5000000);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	struct codec_choice_view view = {
		.width = 16384, .height = 2, .changed = 16384 * 2, .interval_us = INTERVAL_US};
	for (int i = 0; i < 300; i++) {
		view.now_us = now += INTERVAL_US;
		assert_int_equal(codec_choice_see(&choice, &view), PACKET_CODEC_VP9);
		assert_true(codec_choice_rest_us(&choice) == INT64_MAX);
	}
	assert_true(codec_choice_vp8_fits(16383, 16383));
	assert_false(codec_choice_vp8_fits(16384, 2));
	assert_false(codec_choice_vp8_fits(2, 16384));
}

static void test_requested_codec_stays(void **state) {
	(void)state;
	static const enum packet_codec asked[] = {PACKET_CODEC_VP8, PACKET_CODEC_VP9};
	for (size_t i = 0; i < 2; i++) {
		struct codec_choice choice = begin();
		codec_choice_init(&choice, asked[i]);
		for (enum kind kind = STILL; kind <= LATE_STEPS; kind++) {
			assert_int_equal(see_for(&choice, kind, 10000000), -1);
			assert_true(codec_choice_rest_us(&choice) == INT64_MAX);
		}
		assert_int_equal(choice.codec, asked[i]);
	}
}

/* A screen rests for a year. */
static void test_a_year_of_rest(void **state) {
	(void)state;
	struct codec_choice choice;
	codec_choice_init(&choice, PACKET_CODEC_AUTO);
	now = 0;
	assert_true(see_for(&choice, SCROLL, 5000000) >= 0);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	now += INT64_C(365) * 24 * 3600 * 1000000;
	(void)see_for(&choice, STILL, INTERVAL_US);
	assert_int_equal(choice.codec, PACKET_CODEC_VP9);
	now += INT64_C(365) * 24 * 3600 * 1000000;
	(void)see_for(&choice, LARGE_STEPS, INTERVAL_US);
	assert_int_equal(choice.codec, PACKET_CODEC_VP9);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heavy_motion_takes_vp8_after_a_second),
		cmocka_unit_test(test_calm_takes_vp9_again),
		cmocka_unit_test(test_a_year_of_rest),
		cmocka_unit_test(test_other_changes_stay_vp9),
		cmocka_unit_test(test_slower_motion_keeps_vp8),
		cmocka_unit_test(test_low_rate_allows_slow_encodes),
		cmocka_unit_test(test_spells_do_not_flap),
		cmocka_unit_test(test_rests_between_changes_count),
		cmocka_unit_test(test_rest_ends_vp8_once),
		cmocka_unit_test(test_too_large_for_vp8),
		cmocka_unit_test(test_requested_codec_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
