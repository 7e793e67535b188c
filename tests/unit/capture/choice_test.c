#include "unit.h"

#include "capture/choice.h"

#define PIXELS 1000u
#define INTERVAL_US 33333

enum kind { STILL, TYPING, TEXT, LATE_TEXT, FILM, SMALL_FILM };

static const struct choice_view views[] = {
	[STILL] = {.changed = 0},
	[TYPING] = {.changed = 10},
	[TEXT] = {.changed = PIXELS, .encode_us = INTERVAL_US - 1000},
	[LATE_TEXT] = {.changed = PIXELS, .encode_us = INTERVAL_US + 1000},
	[FILM] = {.changed = PIXELS / 2, .film = true, .encode_us = 9000},
	[SMALL_FILM] = {.changed = PIXELS / 2 - 1, .film = true, .encode_us = 9000},
};

static int64_t now;

/* One kind of picture for so long, at 30 a second; stops at the first change of codec. Returns how
 * long it took, or -1 when none came. */
static int64_t see_for(struct choice *choice, enum kind kind, int64_t us) {
	enum packet_codec before = choice->codec;
	int64_t began = now;
	while (now - began < us) {
		struct choice_view view = views[kind];
		now += INTERVAL_US;
		view.now_us = now;
		view.pixels = PIXELS;
		view.interval_us = INTERVAL_US;
		if (choice_see(choice, &view) != before) {
			return now - began;
		}
	}
	return -1;
}

static struct choice begin(void) {
	struct choice choice;
	now = 5000000;
	choice_init(&choice, PACKET_CODEC_AUTO);
	assert_int_equal(choice.codec, PACKET_CODEC_VP9);
	assert_int_equal(see_for(&choice, TYPING, 100000), -1);
	return choice;
}

static void test_a_film_takes_vp8_after_a_second(void **state) {
	(void)state;
	struct choice choice = begin();
	int64_t took = see_for(&choice, FILM, 3000000);
	assert_true(took >= CHOICE_HEAVY_US && took <= CHOICE_HEAVY_US + 2 * INTERVAL_US);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	assert_int_equal(see_for(&choice, FILM, 60000000), -1);
}

static void test_calm_takes_vp9_again(void **state) {
	(void)state;
	for (enum kind kind = STILL; kind <= LATE_TEXT; kind++) {
		struct choice choice = begin();
		see_for(&choice, FILM, 5000000);
		see_for(&choice, FILM, 5000000);
		assert_int_equal(choice.codec, PACKET_CODEC_VP8);
		int64_t took = see_for(&choice, kind, 5000000);
		assert_int_equal(choice.codec, PACKET_CODEC_VP9);
		assert_true(took >= CHOICE_CALM_US && took <= CHOICE_CALM_US + 2 * INTERVAL_US);
	}
}

static void test_text_and_windows_stay_vp9(void **state) {
	(void)state;
	static const enum kind kinds[] = {STILL, TYPING, TEXT, SMALL_FILM};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct choice choice = begin();
		assert_int_equal(see_for(&choice, kinds[i], 60000000), -1);
	}
}

/* Scrolling text stays VP8 for as long as it scrolls, though VP8 does keep up. */
static void test_text_that_vp9_cannot_keep_up_with(void **state) {
	(void)state;
	struct choice choice = begin();
	assert_true(see_for(&choice, LATE_TEXT, 5000000) >= CHOICE_HEAVY_US);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	assert_int_equal(see_for(&choice, TEXT, 60000000), -1);
	assert_true(see_for(&choice, TYPING, 5000000) >= CHOICE_CALM_US);
	assert_int_equal(choice.codec, PACKET_CODEC_VP9);
	/* What was too much before has to be so again. */
	assert_int_equal(see_for(&choice, TEXT, 60000000), -1);
}

/* At more than 30 pictures a second text may miss some. */
static void test_late_is_what_people_see(void **state) {
	(void)state;
	struct choice choice = begin();
	struct choice_view view = {
		.pixels = PIXELS, .changed = PIXELS, .interval_us = 1000000 / 60};
	for (int i = 0; i < 300; i++) {
		view.now_us = now += 30000;
		view.encode_us = 30000;
		assert_int_equal(choice_see(&choice, &view), PACKET_CODEC_VP9);
	}
	view.interval_us = 100000;
	for (int i = 0; i < 300; i++) {
		view.now_us = now += 100000;
		view.encode_us = 90000;
		assert_int_equal(choice_see(&choice, &view), PACKET_CODEC_VP9);
	}
}

static void test_spells_do_not_flap(void **state) {
	(void)state;
	struct choice choice = begin();
	for (int i = 0; i < 100; i++) {
		assert_int_equal(see_for(&choice, FILM, 600000), -1);
		assert_int_equal(see_for(&choice, STILL, 1300000), -1);
	}
	see_for(&choice, FILM, 2000000);
	assert_int_equal(choice.codec, PACKET_CODEC_VP8);
	see_for(&choice, FILM, 2000000);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(see_for(&choice, STILL, 1500000), -1);
		assert_int_equal(see_for(&choice, FILM, 1000000), -1);
	}
}

/* Some slides with photographs are no film, however much of the screen they fill. */
static void test_rests_between_changes_count(void **state) {
	(void)state;
	struct choice choice = begin();
	for (int i = 0; i < 100; i++) {
		struct choice_view view = views[FILM];
		view.pixels = PIXELS;
		view.now_us = now += 1000000;
		assert_int_equal(choice_see(&choice, &view), PACKET_CODEC_VP9);
	}
}

static void test_rest_ends_vp8_once(void **state) {
	(void)state;
	struct choice choice = begin();
	assert_true(choice_rest_us(&choice) == INT64_MAX);
	see_for(&choice, FILM, 5000000);
	see_for(&choice, FILM, 5000000);
	int64_t due = choice_rest_us(&choice);
	assert_int_equal(due, now + CHOICE_CALM_US);
	struct choice_view rest = {.now_us = due - 1000, .pixels = PIXELS};
	assert_int_equal(choice_see(&choice, &rest), PACKET_CODEC_VP8);
	assert_in_range(choice_rest_us(&choice), due - 1, due + 1);
	rest.now_us = choice_rest_us(&choice);
	assert_int_equal(choice_see(&choice, &rest), PACKET_CODEC_VP9);
	assert_true(choice_rest_us(&choice) == INT64_MAX);
}

static void test_one_that_was_asked_for_stays(void **state) {
	(void)state;
	static const enum packet_codec asked[] = {PACKET_CODEC_VP8, PACKET_CODEC_VP9};
	for (size_t i = 0; i < 2; i++) {
		struct choice choice = begin();
		choice_init(&choice, asked[i]);
		for (enum kind kind = STILL; kind <= SMALL_FILM; kind++) {
			assert_int_equal(see_for(&choice, kind, 10000000), -1);
			assert_true(choice_rest_us(&choice) == INT64_MAX);
		}
		assert_int_equal(choice.codec, asked[i]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_film_takes_vp8_after_a_second),
		cmocka_unit_test(test_calm_takes_vp9_again),
		cmocka_unit_test(test_text_and_windows_stay_vp9),
		cmocka_unit_test(test_text_that_vp9_cannot_keep_up_with),
		cmocka_unit_test(test_late_is_what_people_see),
		cmocka_unit_test(test_spells_do_not_flap),
		cmocka_unit_test(test_rests_between_changes_count),
		cmocka_unit_test(test_rest_ends_vp8_once),
		cmocka_unit_test(test_one_that_was_asked_for_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
