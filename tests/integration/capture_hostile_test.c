/*
 * Producers that change everything at any moment: formats, sizes, crops, orientations, time, and
 * how fast they come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_rig.h"
#include "unit.h"

/* The producer has its new format, and buffers for it. */
static void renegotiated(struct share *share, uint32_t width, uint32_t height) {
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "format %ux%u", width, height);
	producer_expect(&share->producer, wanted);
	producer_expect(&share->producer, "buffers 2");
}

/* Of the helper's log. */
static const char offered_again[] = "offering the format again";
static const char restarted[] = "restarting the stream";

/* The colours keep their order, whichever one the bytes have. */
static void test_formats_alternate(void **state) {
	struct share share;
	const char *const formats[] = {"RGBx", "BGRx", "RGBA", "BGRA"};
	share_show(&share, *state, "400x240", BLUE);
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
	/* And faster than anybody follows, with pictures in between. */
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

/* Offers a format until the producer says `wanted`: PipeWire may forget one that is offered while
 * another is being negotiated. */
static void offer_format(struct share *share, const char *format, const char *wanted) {
	for (uint32_t i = 0; producer_look(&share->producer, wanted) == NULL; i++) {
		assert_true(i < 100);
		if (i % 20 == 0) {
			producer_say(&share->producer, "formats %s", format);
		}
		helper_watch(&share->helper, 100);
	}
}

/* Shows a rectangle of 24x24, again and again until it is seen: what comes before all buffers have
 * joined gets lost, and the helper waits ever longer for what never came by itself. */
static void draw_until_seen(struct share *share, uint32_t colour, uint32_t x, uint32_t y) {
	for (uint32_t i = 0; !helper_shows(&share->helper, x + 12, y + 12, colour); i++) {
		assert_true(i < 100);
		producer_say(&share->producer, "fill %06x %u %u 24 24", colour, x, y);
		producer_send(&share->producer, "frame");
		helper_watch(&share->helper, 100);
	}
}

/* PipeWire hands out buffers before there is memory in them: they are asked for anew, up to five
 * times in a row, and the screen is there as soon as they can be read. It may take two askings for
 * one, so not all five are needed here. */
static void test_buffers_without_memory(void **state) {
	struct share share;
	share_show(&share, *state, "400x240", BLUE);
	for (uint32_t times = 1; times <= 3; times++) {
		uint32_t offers = helper_logged(&share.helper, offered_again);
		producer_say(&share.producer, "bare %u", times);
		producer_expect(&share.producer, "left 0");
		offer_format(&share, "BGRA", "buffers 2");
		draw_until_seen(&share, RED, 40 * times, 100);
		assert_true(helper_logged(&share.helper, offered_again) > offers);
	}
	share_rest(&share);
	/* Where none ever comes nobody goes on asking, and the next format is as good as any. */
	uint32_t offers = helper_logged(&share.helper, offered_again);
	producer_say(&share.producer, "bare 100");
	producer_expect(&share.producer, "left 0");
	offer_format(&share, "RGBA", "bare");
	helper_await_logged(&share.helper, offered_again, offers + 5);
	/* Whoever went on asking would not take to this. */
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

/* Bursts and rests with two buffers: the producer never runs dry, and the last picture of every
 * burst arrives, also when nobody took any before it. */
static void test_two_buffers_bursts(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "640x360", "--pool", "2", NULL};
	share_start(&share, *state, arguments, &share_usual);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	share_settle(&share);
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

/* A window that is dragged across the buffer: what is in it and the pointer stay where they are. */
static void check_moving_crop(void **state, enum packet_cursor_mode cursor) {
	struct share share;
	struct packet_open open = share_usual;
	open.cursor = cursor;
	const char *const arguments[] = {"--size", "400x240", NULL};
	share_start(&share, *state, arguments, &open);
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

/* A tablet that is turned and turned, faster than anybody follows. */
static void test_transform_changes_every_frame(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "400x240", NULL};
	share_start(&share, *state, arguments, &share_usual);
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

/* The milliseconds from the first picture of a new size, which is drawn so long after its buffers
 * are there, to its keyframe. No frame of a third size comes between, and no other keyframe. */
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
	/* What was refined of the old size may still be on its way. */
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

/* A hundred renegotiations, some of a whole monitor, and some of a producer that draws at once,
 * whose pictures PipeWire may lose. */
static void test_storm_of_resizes(void **state) {
	struct share share;
	share_show(&share, *state, "640x360", GREEN);
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
	/* Each comes; how soon depends on how long the producer itself draws. */
	rig_took_each("keyframe of 1920x1080", took, 20);
	for (uint32_t i = 0; i < 20; i++) {
		took[i] = resize(&share, 200 + i * 16, 200, i % 2 == 0 ? RED : BLUE, 0);
	}
	rig_took_each("keyframe of a new size that is drawn at once", took, 20);
	share_stop(&share);
}

/* Shows eight large pictures, each at once when its buffers are there. Returns how many of them the
 * helper saw, rather than to miss them and start the stream anew. */
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

/* PipeWire loses what comes before all of a format's buffers have joined. So they join without
 * delay, however large they are, and a producer that draws at once is seen: all of eight times, or
 * seven; never or once, where the buffers' pages are mapped as they join. A machine that is busy
 * elsewhere may hold the helper up for as long. From 1.2 on PipeWire loses most of them itself;
 * each comes once the stream was started anew, which count_first_pictures() waits for. */
static void test_first_picture_arrives(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "640x360", "--pool", "4", "--no-refresh", NULL};
	share_start(&share, *state, arguments, &share_usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_send(&share.producer, "frame");
	share_settle(&share);
	producer_say(&share.producer, "version");
	bool old = strncmp(producer_expect(&share.producer, "version "), "version 0.", 10) == 0;
	int rounds = 1;
	while (count_first_pictures(&share) < (old ? 6u : 0u)) {
		assert_true(rounds++ < 3);
	}
	share_stop(&share);
}

/* PipeWire may forget a format that was offered while another was negotiated; its producer draws
 * nothing, however often it starts. The helper asks for a format itself then. */
static void test_restarts_in_vain(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "400x240", "--no-refresh", NULL};
	share_start(&share, *state, arguments, &share_usual);
	renegotiated(&share, 400, 240);
	producer_say(&share.producer, "fill %06x", RED);
	/* It comes too soon for PipeWire at first. */
	for (uint32_t i = 0; share.helper.frames == 0; i++) {
		assert_true(i < 200);
		producer_send(&share.producer, "frame");
		helper_watch(&share.helper, 50);
	}
	/* From 1.2 on the last of those may be lost as the first came; now nothing is. */
	producer_send(&share.producer, "frame");
	share_rest(&share);
	helper_expect_colour(&share.helper, 200, 120, RED);
	share_stop(&share);
}

/* Whatever the producer's clock does, ours goes forward (the rig checks every frame). */
static void test_time_jumps(void **state) {
	struct share share;
	const char *const kinds[] = {"frame", "frame old-pts", "frame no-pts", "frame old-pts"};
	const char *const arguments[] = {"--size", "400x240", NULL};
	share_start(&share, *state, arguments, &share_usual);
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

/* VP8 has no pictures so wide: who asks for it is told so, who leaves it open gets VP9 for a film
 * too. What is wider than the protocol has no format in common with us. */
static void test_widest_pictures(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	const char *const arguments[] = {"--size", "16384x16", NULL};
	open.codec = PACKET_CODEC_VP8;
	share_start(&share, *state, arguments, &open);
	producer_send(&share.producer, "frame");
	helper_expect_end(&share.helper, ERROR_ENCODER_FAILED);
	assert_string_equal(share.helper.ended_packet.detail, "VP8 takes no picture of 16384x16");
	assert_false(share.helper.ready);
	share_stop(&share);
	open.codec = PACKET_CODEC_AUTO;
	share_start(&share, *state, arguments, &open);
	/* Twice as long as narrower ones take until they are encoded with VP8. */
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
	const char *const wider[] = {"--size", "16386x16", NULL};
	producer_start(&share.producer, *state, wider);
	helper_start(&share.helper);
	open.node_id = share.producer.node_id;
	helper_open(&share.helper, rig_connect(*state), &open);
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
		cmocka_unit_test(test_storm_of_resizes),
		cmocka_unit_test(test_first_picture_arrives),
		cmocka_unit_test(test_restarts_in_vain),
		cmocka_unit_test(test_time_jumps),
		cmocka_unit_test(test_widest_pictures),
	};
	return rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
