/*
 * Producers that change everything at any moment: formats, sizes, crops, orientations, time stamps
 * and speed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_rig.h"
#include "unit.h"

/* Waits until the producer has the new format and its buffers. */
static void renegotiated(struct share *share, uint32_t width, uint32_t height) {
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "format %ux%u", width, height);
	producer_expect(&share->producer, wanted);
	producer_expect(&share->producer, "buffers 2");
}

/* Lines of the helper's log. */
static const char offered_again[] = "offering the format again";
static const char restarted[] = "restarting the stream";

/* Colours stay the same, whatever the order of bytes. */
static void test_formats_alternate(void **state) {
	struct share share;
	const char *const formats[] = {"RGBx", "BGRx", "RGBA", "BGRA"};
	share_show(&share, *state, "--size 400x240", &share_usual, BLUE);
	for (uint32_t i = 0; i < 12; i++) {
		producer_say(&share.producer, "formats %s", formats[i % 4]);
		renegotiated(&share, 400, 240);
		producer_say(&share.producer, "fill %06x %u 100 24 24", RED, 8 + 32 * i);
		producer_send(&share.producer, "frame");
		helper_take_frame(&share.helper);
	}
	share_rest(&share);
	for (uint32_t i = 0; i < 12; i++) {
		helper_await_colour(&share.helper, 20 + 32 * i, 112, RED);
		helper_await_colour(&share.helper, 20 + 32 * i, 60, BLUE);
	}
	/* And too fast to follow, with pictures in between. */
	producer_say(&share.producer, "fill %06x 0 0 400 100", GREEN);
	for (uint32_t i = 0; i < 40; i++) {
		producer_say(&share.producer, "formats %s", formats[i % 4]);
		producer_say(&share.producer, "frame");
	}
	helper_take_frame(&share.helper);
	helper_await_colour(&share.helper, 200, 40, GREEN);
	helper_await_colour(&share.helper, 20, 112, RED);
	helper_await_colour(&share.helper, 200, 200, BLUE);
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
}

/* Offers a format until the producer says `wanted`: PipeWire may forget one that is offered during
 * another negotiation. */
static void offer_format(struct share *share, const char *format, const char *wanted) {
	for (uint32_t i = 0; producer_look(&share->producer, wanted) == NULL; i++) {
		assert_true(i < 100);
		if (i % 20 == 0) {
			producer_say(&share->producer, "formats %s", format);
		}
		helper_watch(&share->helper, 100);
	}
}

/* Draws a rectangle of 24x24 until a frame shows it: PipeWire loses pictures that are sent before
 * all buffers have been added, and the helper waits longer and longer before it asks again. */
static void draw_until_seen(struct share *share, uint32_t colour, uint32_t x, uint32_t y) {
	for (uint32_t i = 0; !helper_shows(&share->helper, x + 12, y + 12, colour); i++) {
		assert_true(i < 100);
		producer_say(&share->producer, "fill %06x %u %u 24 24", colour, x, y);
		producer_send(&share->producer, "frame");
		helper_watch(&share->helper, 100);
	}
}

/* PipeWire can hand out buffers without memory. The helper renegotiates up to five times in a row,
 * and the screen appears as soon as buffers can be read. Each may take two attempts, so this uses
 * fewer than five. */
static void test_buffers_without_memory(void **state) {
	struct share share;
	share_show(&share, *state, "--size 400x240", &share_usual, BLUE);
	for (uint32_t times = 1; times <= 3; times++) {
		uint32_t offers = helper_logged(&share.helper, offered_again);
		producer_say(&share.producer, "bare %u", times);
		producer_expect(&share.producer, "left 0");
		offer_format(&share, "BGRA", "buffers 2");
		draw_until_seen(&share, RED, 40 * times, 100);
		assert_true(helper_logged(&share.helper, offered_again) > offers);
	}
	share_rest(&share);
	/* If memory never comes, the helper stops asking, and the next format works again. */
	uint32_t offers = helper_logged(&share.helper, offered_again);
	producer_say(&share.producer, "bare 100");
	producer_expect(&share.producer, "left 0");
	offer_format(&share, "RGBA", "bare");
	helper_await_logged(&share.helper, offered_again, offers + 5);
	/* It only restarts once it has stopped asking. */
	helper_await_logged(&share.helper, restarted, helper_logged(&share.helper, restarted) + 1);
	assert_int_equal(helper_logged(&share.helper, offered_again), offers + 5);
	producer_say(&share.producer, "bare 0");
	producer_expect(&share.producer, "left 9");
	offer_format(&share, "BGRx", "buffers 2");
	draw_until_seen(&share, GREEN, 200, 40);
	share_rest(&share);
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
}

/* Bursts and rests with two buffers: the producer never runs out of them, and the last picture of
 * every burst arrives, even without credit before it. */
static void test_two_buffers_bursts(void **state) {
	struct share share;
	share_show(&share, *state, "--size 640x360 --pool 2", &share_usual, GREY);
	for (uint32_t i = 0; i < 10; i++) {
		share.helper.auto_credit = i % 3 != 2;
		for (uint32_t j = 0; j < 60; j++) {
			producer_say(&share.producer, "fill %06x %u 16 32 32",
				j % 2 == 0 ? BLUE : WHITE, 8 * j);
			producer_send(&share.producer, "frame");
			helper_watch(&share.helper, 5);
		}
		producer_say(&share.producer, "fill %06x %u 200 40 40", RED, 20 + 60 * i);
		producer_send(&share.producer, "frame");
		if (!share.helper.auto_credit) {
			share.helper.auto_credit = true;
			helper_credit(&share.helper, 16);
		}
		share_rest(&share);
		helper_expect_colour(&share.helper, 40 + 60 * i, 220, RED);
	}
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
}

/* A window is dragged across the buffer: its content and the cursor stay in place. */
static void check_moving_crop(void **state, enum packet_cursor_mode cursor) {
	struct share share;
	struct packet_open open = share_usual;
	open.cursor = cursor;
	share_start(&share, *state, "--size 400x240", &open);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 200 100 60 60", RED);
	producer_say(&share.producer, "pointer 160 100");
	for (uint32_t i = 0; i <= 30; i++) {
		producer_say(&share.producer, "crop %u %u 160 120", 60 + i, 80 - i);
		producer_send(&share.producer, "frame");
		if (i == 0) {
			helper_take_frame(&share.helper);
		}
	}
	share_rest(&share);
	assert_int_equal(share.helper.frame.width, 160);
	assert_int_equal(share.helper.frame.height, 120);
	assert_int_equal(share.helper.keyframes, 1);
	/* At the end the crop is at (90, 50). */
	helper_expect_colour(&share.helper, 20, 20, GREEN);
	helper_expect_colour(&share.helper, 140, 80, RED);
	if (cursor == PACKET_CURSOR_SEND) {
		assert_int_equal(share.helper.cursor.x, 70);
		assert_int_equal(share.helper.cursor.y, 50);
	} else {
		helper_expect_colour(&share.helper, 78, 58, WHITE);
		helper_expect_colour(&share.helper, 60, 58, GREEN);
		helper_expect_colour(&share.helper, 96, 58, GREEN);
	}
	share_stop(&share);
}

static void test_crop_moves_every_frame(void **state) {
	check_moving_crop(state, PACKET_CURSOR_BLEND);
	check_moving_crop(state, PACKET_CURSOR_SEND);
}

/* A tablet is rotated faster than anyone can follow. */
static void test_transform_changes_every_frame(void **state) {
	struct share share;
	share_start(&share, *state, "--size 400x240", &share_usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 0 0 64 64", RED);
	for (uint32_t i = 0; i < 41; i++) {
		producer_say(&share.producer, "transform %u", i * 3 % 8);
		producer_send(&share.producer, "frame");
	}
	share_settle(&share);
	/* The last is upright. */
	assert_int_equal(share.helper.frame.width, 400);
	assert_int_equal(share.helper.frame.height, 240);
	helper_expect_colour(&share.helper, 30, 30, RED);
	helper_expect_colour(&share.helper, 370, 210, GREEN);
	share_stop(&share);
}

/* Resizes; the producer draws `drawn_after_ms` after the buffers are there. Returns the
 * milliseconds from that picture to its keyframe. No other keyframe and no third size comes in
 * between. */
static int64_t resize(
	struct share *share, uint32_t width, uint32_t height, uint32_t colour, int drawn_after_ms) {
	struct helper *helper = &share->helper;
	uint32_t old_width = helper->frame.width;
	uint32_t keyframes = helper->keyframes;
	producer_say(&share->producer, "resize %u %u", width, height);
	renegotiated(share, width, height);
	time_sleep_ms(drawn_after_ms);
	producer_say(&share->producer, "fill %06x", colour);
	producer_send(&share->producer, "frame");
	int64_t sent = time_now_ms();
	/* A refinement of the old size may still be in flight. */
	for (;;) {
		helper_take_frame(helper);
		if (helper->frame.key) {
			break;
		}
		assert_int_equal(helper->frame.width, old_width);
	}
	int64_t took = time_now_ms() - sent;
	assert_int_equal(helper->keyframes, keyframes + 1);
	assert_int_equal(helper->frame.width, width & ~1u);
	assert_int_equal(helper->frame.height, height & ~1u);
	helper_expect_colour(helper, 30, 30, colour);
	return took;
}

/* A hundred renegotiations, some with a whole monitor, and some with a producer that draws at once,
 * whose pictures PipeWire may lose. */
static void test_many_resizes(void **state) {
	struct share share;
	share_show(&share, *state, "--size 640x360", &share_usual, GREEN);
	int64_t took[100];
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t width = 64 + i * 37 % 600;
		uint32_t height = 64 + i * 53 % 400;
		took[i] = resize(&share, width, height, i % 2 == 0 ? RED : BLUE, DRAWS_AFTER_MS);
	}
	rig_took_each("keyframe of a new size", took, 100);
	for (uint32_t i = 0; i < 20; i++) {
		resize(&share, 640, 360, RED, DRAWS_AFTER_MS);
		took[i] = resize(&share, 1920, 1080, BLUE, DRAWS_AFTER_MS);
	}
	/* How soon depends on how long the producer itself draws. */
	rig_took_each("keyframe of 1920x1080", took, 20);
	for (uint32_t i = 0; i < 20; i++) {
		took[i] = resize(&share, 200 + i * 16, 200, i % 2 == 0 ? RED : BLUE, 0);
	}
	rig_took_each("keyframe of a new size that is drawn at once", took, 20);
	share_stop(&share);
}

/* Shows eight large pictures, each as soon as its buffers are there. Returns how many the helper
 * saw without restarting the stream. */
static uint32_t count_first_pictures(struct share *share) {
	struct helper *helper = &share->helper;
	uint32_t arrived = 0;
	for (uint32_t i = 0; i < 16; i++) {
		bool large = i % 2 == 0;
		uint32_t keyframes = helper->keyframes;
		uint32_t restarts = helper_logged(helper, restarted);
		producer_say(&share->producer, large ? "resize 2560 1600" : "resize 640 360");
		producer_expect(&share->producer, "buffers 4");
		time_sleep_ms(large ? 0 : DRAWS_AFTER_MS);
		producer_send(&share->producer, "frame");
		while (helper->keyframes == keyframes &&
			helper_logged(helper, restarted) == restarts) {
			helper_await(helper, "neither a frame nor a restart");
		}
		arrived += large && helper->keyframes > keyframes;
		for (uint32_t j = 0; helper->keyframes == keyframes; j++) {
			assert_true(j < 200);
			helper_watch(helper, 50);
			producer_send(&share->producer, "frame");
		}
	}
	print_message("%u of 8 large first pictures arrived\n", arrived);
	return arrived;
}

/* PipeWire loses pictures that are sent before all buffers of a format have been added. So the
 * helper adds buffers without delay, however large, and sees a producer that draws at once: seven
 * or eight of eight times, against at most once if it mapped their pages first. On a busy machine
 * the helper may be late all the same. From 1.2 on, PipeWire loses most of these pictures itself;
 * each comes after a restart of the stream, which count_first_pictures() waits for. */
static void test_first_picture_arrives(void **state) {
	struct share share;
	share_show(&share, *state, "--size 640x360 --pool 4 --no-refresh", &share_usual, GREEN);
	producer_say(&share.producer, "version");
	bool old = strncmp(producer_expect(&share.producer, "version "), "version 0.", 10) == 0;
	int rounds = 1;
	while (count_first_pictures(&share) < (old ? 6u : 0u)) {
		assert_true(rounds++ < 3);
	}
	share_stop(&share);
}

/* PipeWire may forget a format that was offered during another negotiation. The producer then draws
 * nothing, however often the stream restarts, until the helper asks for a format itself. */
static void test_restarts_in_vain(void **state) {
	struct share share;
	share_start(&share, *state, "--size 400x240 --no-refresh", &share_usual);
	renegotiated(&share, 400, 240);
	producer_say(&share.producer, "fill %06x", RED);
	/* At first it comes too soon for PipeWire. */
	for (uint32_t i = 0; share.helper.frames == 0; i++) {
		assert_true(i < 200);
		producer_send(&share.producer, "frame");
		helper_watch(&share.helper, 50);
	}
	/* From 1.2 on, PipeWire may have lost the last of these; now it loses nothing. */
	producer_send(&share.producer, "frame");
	share_rest(&share);
	helper_expect_colour(&share.helper, 200, 120, RED);
	share_stop(&share);
}

/* Whatever the producer's clock does, time stamps increase (the rig checks every frame). */
static void test_time_jumps(void **state) {
	struct share share;
	const char *const kinds[] = {"frame", "frame old-pts", "frame no-pts", "frame old-pts"};
	share_start(&share, *state, "--size 400x240", &share_usual);
	producer_say(&share.producer, "fill %06x", GREY);
	for (uint32_t i = 0; i < 40; i++) {
		producer_say(&share.producer, "fill %06x %u 50 8 100", BLUE, 8 * i);
		producer_send(&share.producer, kinds[i % 4]);
		helper_take_frame(&share.helper);
	}
	share_rest(&share);
	helper_expect_colour(&share.helper, 160, 100, BLUE);
	helper_expect_colour(&share.helper, 380, 100, GREY);
	share_stop(&share);
}

/* VP8 can't encode a picture this wide: asking for it is an error, and AUTO uses VP9 even for film.
 * With a producer that is wider than the protocol allows there is no common format. */
static void test_widest_pictures(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.codec = PACKET_CODEC_VP8;
	share_start(&share, *state, "--size 16384x16", &open);
	producer_send(&share.producer, "frame");
	helper_expect_end(&share.helper, ERROR_ENCODER_FAILED);
	assert_string_equal(share.helper.ended_packet.detail, "VP8 can't encode 16384x16");
	assert_false(share.helper.ready);
	share_stop(&share);
	open.codec = PACKET_CODEC_AUTO;
	share_start(&share, *state, "--size 16384x16", &open);
	/* Twice as long as narrower ones need to switch to VP8. */
	for (uint32_t i = 0; i < 75; i++) {
		producer_say(&share.producer, "film %u", i);
		producer_send(&share.producer, "frame");
		helper_watch(&share.helper, 33);
	}
	assert_false(share.helper.ended);
	assert_int_equal(share.helper.frame.width, 16384);
	assert_int_equal(share.helper.frame.codec, PACKET_CODEC_VP9);
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
	share_begin(&share, *state, "--size 16386x16", &open);
	helper_expect_end(&share.helper, ERROR_FORMAT_UNSUPPORTED);
	share_stop(&share);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats_alternate),
		cmocka_unit_test(test_buffers_without_memory),
		cmocka_unit_test(test_two_buffers_bursts),
		cmocka_unit_test(test_crop_moves_every_frame),
		cmocka_unit_test(test_transform_changes_every_frame),
		cmocka_unit_test(test_many_resizes),
		cmocka_unit_test(test_first_picture_arrives),
		cmocka_unit_test(test_restarts_in_vain),
		cmocka_unit_test(test_time_jumps),
		cmocka_unit_test(test_widest_pictures),
	};
	return rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
