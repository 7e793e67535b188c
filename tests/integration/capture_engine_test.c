/*
 * What the capture engine does beyond plain pictures: wrong damage, transforms, cursors, changed
 * settings, regions, film, and many sizes in a row.
 */
#include <stdio.h>

#include "capture_rig.h"
#include "unit.h"

/* The damage of a stream with the name that xdg-desktop-portal-wlr gives is not trusted. */
static void test_wrong_damage(void **state) {
	struct share share;
	share_show(&share, *state, "--size 400x240 --name xdpw-stream-Ab1Cd2", &share_usual, GREY);
	for (uint32_t i = 0; i < 5; i++) {
		producer_say(&share.producer, "fill %06x %u 40 48 48", BLUE, 20 + 60 * i);
		producer_send(&share.producer, "frame damage-lie");
	}
	share_settle(&share);
	for (uint32_t i = 0; i < 5; i++) {
		helper_expect_colour(&share.helper, 44 + 60 * i, 64, BLUE);
	}
	share_stop(&share);
}

/* The transform moves a red corner that is at the top left of the buffer. */
static void test_transforms(void **state) {
	struct share share;
	share_start(&share, *state, "--size 400x240", &share_usual);
	const bool right[] = {false, true, true, false, true, false, false, true};
	const bool below[] = {false, false, true, true, false, false, true, true};
	for (uint32_t i = 0; i < 8; i++) {
		bool turned = i % 2 == 1;
		uint32_t width = turned ? 240 : 400;
		uint32_t height = turned ? 400 : 240;
		producer_say(&share.producer, "transform %u", i);
		producer_say(&share.producer, "fill %06x", GREEN);
		producer_say(&share.producer, "fill %06x 0 0 64 64", RED);
		share_draw(&share);
		assert_int_equal(share.helper.frame.width, width);
		assert_int_equal(share.helper.frame.height, height);
		helper_expect_colour(&share.helper, right[i] ? width - 30 : 30,
			below[i] ? height - 30 : 30, RED);
		helper_expect_colour(&share.helper, width / 2, height / 2, GREEN);
		helper_expect_colour(&share.helper, right[i] ? 30 : width - 30,
			below[i] ? 30 : height - 30, GREEN);
	}
	share_stop(&share);
}

static void test_cursor_is_drawn(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.cursor = PACKET_CURSOR_BLEND;
	share_start(&share, *state, "--size 400x240", &open);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "pointer 100 100");
	share_draw(&share);
	helper_expect_colour(&share.helper, 108, 108, WHITE);
	const char *const dialects[] = {"cursor mutter", "cursor kwin"};
	for (uint32_t i = 0; i < 2; i++) {
		producer_say(&share.producer, "pointer %u 60", 200 + 64 * i);
		producer_send(&share.producer, dialects[i]);
		share_settle(&share);
		helper_expect_colour(&share.helper, 208 + 64 * i, 68, WHITE);
		helper_expect_colour(&share.helper, i == 0 ? 108 : 208, i == 0 ? 108 : 68, BLUE);
	}
	share_stop(&share);
}

static void test_cursor_is_sent(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.cursor = PACKET_CURSOR_SEND;
	open.max_width = 200;
	share_start(&share, *state, "--size 400x240", &open);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "pointer 100 100");
	share_draw(&share);
	uint32_t frames = share.helper.frames;
	producer_say(&share.producer, "pointer 300 60");
	producer_send(&share.producer, "cursor mutter");
	helper_await_cursor(&share.helper, 150, 30);
	helper_echo(&share.helper);
	assert_int_equal(share.helper.frames, frames);
	assert_true(share.helper.cursors >= 2);
	assert_true(share.helper.bitmaps >= 1);
	assert_true(share.helper.cursor.visible);
	helper_expect_colour(&share.helper, 54, 54, BLUE);
	share_stop(&share);
}

/* A changed size applies to a still screen. */
static void test_live_settings(void **state) {
	struct share share;
	share_start(&share, *state, "--size 400x240", &share_usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 0 0 200 120", RED);
	share_draw(&share);
	const uint32_t sides[][3] = {{200, 200, 120}, {100, 100, 60}, {0, 400, 240}};
	for (uint32_t i = 0; i < 3; i++) {
		helper_set(&share.helper,
			(struct packet_set){
				.max_fps = 30, .max_kbps = 2000, .max_width = sides[i][0]});
		helper_take_frame(&share.helper);
		assert_true(share.helper.frame.key);
		assert_int_equal(share.helper.frame.width, sides[i][1]);
		assert_int_equal(share.helper.frame.height, sides[i][2]);
		share_rest(&share);
		helper_expect_colour(&share.helper, sides[i][1] / 4, sides[i][2] / 4, RED);
		helper_expect_colour(
			&share.helper, sides[i][1] * 3 / 4, sides[i][2] * 3 / 4, GREEN);
	}
	share_stop(&share);
}

static void set_rate(struct share *share, uint16_t max_fps) {
	helper_set(&share->helper, (struct packet_set){.max_fps = max_fps, .max_kbps = 2000});
}

/* Waits until the negotiated rate fits max_fps: twice as much, or the producer's own 60 pictures a
 * second. Takes frames meanwhile. Returns how often the format was negotiated so far. */
static uint32_t expect_limit(struct share *share, uint32_t max_fps) {
	int64_t deadline = time_now_ms() + RIG_CAP_MS;
	uint32_t tenths = max_fps * 21 < 600 ? max_fps * 21 : 600;
	for (;;) {
		uint32_t number = 0;
		uint32_t divisor = 0;
		uint32_t formats = 0;
		producer_say(&share->producer, "limit");
		const char *line = producer_expect(&share->producer, "limit ");
		assert_int_equal(sscanf(line, "limit %u/%u %u", &number, &divisor, &formats), 3);
		if (number * 10 == divisor * tenths) {
			return formats;
		}
		if (time_now_ms() > deadline) {
			fail_msg("%s, with %u frames a second", line, max_fps);
		}
		helper_watch(&share->helper, 10);
	}
}

/* Takes `count` frames. Returns how many came less than gap_us after the one before, by the
 * producer's clock. */
static uint32_t count_close(struct share *share, uint32_t count, int64_t gap_us) {
	uint32_t close = 0;
	for (uint32_t i = 0; i < count; i++) {
		int64_t last = share->helper.frame.pts_us;
		helper_take_frame(&share->helper);
		close += share->helper.frame.pts_us - last < gap_us;
	}
	return close;
}

/* A producer that obeys the negotiated rate is asked for a higher one, and the share goes on. */
static void test_rate_is_raised(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.max_fps = 5;
	share_start(&share, *state, "--size 400x240 --heed-limit", &open);
	expect_limit(&share, 5);
	producer_say(&share.producer, "run 60 3000");
	/* The picture before it may still be refined. */
	(void)count_close(&share, 4, 0);
	int64_t first = share.helper.frame.pts_us;
	(void)count_close(&share, 6, 0);
	/* The producer itself sends twice as many. */
	assert_true(share.helper.frame.pts_us - first > 6 * 200000 * 2 / 3);
	int64_t began = time_now_ms();
	set_rate(&share, 30);
	uint32_t formats = expect_limit(&share, 30);
	helper_take_frame(&share.helper);
	rig_took("first frame of a raised rate", time_now_ms() - began);
	/* Without renegotiation any two would be 95 ms apart. */
	uint32_t close = count_close(&share, 40, 80000);
	print_message("%u of 40 frames within 80 ms of the one before\n", close);
	assert_true(close >= 13);
	/* A slightly lower rate needs no renegotiation. */
	set_rate(&share, 20);
	(void)count_close(&share, 5, 0);
	/* Lowered again, and raised on a still screen. */
	set_rate(&share, 5);
	assert_int_equal(expect_limit(&share, 5), formats + 1);
	producer_say(&share.producer, "run 60 1");
	(void)share_expect(&share, "ran ");
	share_rest(&share);
	set_rate(&share, 60);
	expect_limit(&share, 60);
	/* More than the producer can do makes no difference. */
	set_rate(&share, 240);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_send(&share.producer, "frame");
	helper_take_frame(&share.helper);
	helper_await_colour(&share.helper, 200, 120, GREEN);
	share_rest(&share);
	expect_limit(&share, 60);
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
}

/* The rate may be raised at any moment while the share starts. */
static void test_rate_is_raised_early(void **state) {
	struct packet_open open = share_usual;
	open.max_fps = 5;
	for (int delay = 0; delay < 60; delay += 4) {
		struct share share;
		share_begin(&share, *state, "--size 400x240", &open);
		time_sleep_ms(delay);
		set_rate(&share, 30);
		expect_limit(&share, 30);
		producer_say(&share.producer, "fill %06x", RED);
		share_draw(&share);
		helper_expect_colour(&share.helper, 200, 120, RED);
		share_stop(&share);
	}
}

/* The producer is asked for the picture again. */
static void set_region(struct share *share, struct packet_region region) {
	helper_set(&share->helper,
		(struct packet_set){.max_fps = 60, .max_kbps = 8000, .region = region});
	(void)producer_expect(&share->producer, "refreshed ");
}

/* Only the region is sent: changes elsewhere cause no frame. Another region of a still screen does.
 */
static void test_region(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.region = (struct packet_region){101, 60, 201, 120};
	share_start(&share, *state, "--size 400x240", &open);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 101 60 100 60", RED);
	share_draw(&share);
	assert_int_equal(share.helper.ready_packet.width, 200);
	assert_int_equal(share.helper.ready_packet.height, 120);
	helper_expect_colour(&share.helper, 2, 2, RED);
	helper_expect_colour(&share.helper, 97, 57, RED);
	helper_expect_colour(&share.helper, 102, 30, GREEN);
	uint32_t frames = share.helper.frames;
	producer_say(&share.producer, "fill %06x 0 0 90 200", BLUE);
	producer_send(&share.producer, "frame");
	producer_say(&share.producer, "fill %06x 310 0 90 200", BLUE);
	producer_send(&share.producer, "frame");
	share_rest(&share);
	assert_int_equal(share.helper.frames, frames);
	/* The same size elsewhere needs no keyframe. */
	set_region(&share, (struct packet_region){0, 60, 200, 120});
	helper_take_frame(&share.helper);
	assert_false(share.helper.frame.key);
	assert_int_equal(share.helper.frames, frames + 1);
	share_rest(&share);
	helper_expect_colour(&share.helper, 40, 60, BLUE);
	helper_expect_colour(&share.helper, 150, 30, RED);
	/* Past the edge, it is cut off. */
	set_region(&share, (struct packet_region){300, 180, 800, 800});
	helper_take_frame(&share.helper);
	assert_true(share.helper.frame.key);
	assert_int_equal(share.helper.frame.width, 100);
	assert_int_equal(share.helper.frame.height, 60);
	/* Wholly outside: nothing comes, and the share goes on. */
	set_region(&share, (struct packet_region){500, 0, 100, 60});
	share_rest(&share);
	assert_int_equal(share.helper.keyframes, 2);
	set_region(&share, (struct packet_region){0});
	helper_take_frame(&share.helper);
	assert_int_equal(share.helper.frame.width, 400);
	assert_int_equal(share.helper.keyframes, 3);
	share_rest(&share);
	helper_expect_colour(&share.helper, 350, 100, BLUE);
	helper_expect_colour(&share.helper, 350, 220, GREEN);
	share_stop(&share);
}

/* An output of 400x240 at a scale of 1.25, as Mutter and KWin send it: 500x300 pixels in a larger
 * buffer. All sizes and regions are in these pixels. */
static void test_fractional_scale(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.max_width = 400;
	share_start(&share, *state, "--size 640x400", &open);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_say(&share.producer, "fill %06x 20 10 500 300", GREEN);
	producer_say(&share.producer, "fill %06x 420 250 100 60", RED);
	producer_say(&share.producer, "crop 20 10 500 300");
	share_draw(&share);
	assert_int_equal(share.helper.ready_packet.width, 400);
	assert_int_equal(share.helper.ready_packet.height, 240);
	assert_int_equal(share.helper.ready_packet.full_width, 500);
	assert_int_equal(share.helper.ready_packet.full_height, 300);
	helper_expect_colour(&share.helper, 3, 3, GREEN);
	helper_expect_colour(&share.helper, 314, 186, GREEN);
	helper_expect_colour(&share.helper, 326, 198, RED);
	helper_expect_colour(&share.helper, 396, 236, RED);
	/* (320, 192) in the desktop's logical pixels. */
	set_region(&share, (struct packet_region){400, 240, 100, 60});
	share_settle(&share);
	assert_int_equal(share.helper.frame.width, 100);
	assert_int_equal(share.helper.frame.height, 60);
	helper_expect_colour(&share.helper, 3, 3, RED);
	helper_expect_colour(&share.helper, 96, 56, RED);
	set_region(&share, (struct packet_region){0});
	helper_take_frame(&share.helper);
	assert_int_equal(share.helper.frame.width, 500);
	assert_int_equal(share.helper.frame.height, 300);
	share_stop(&share);
}

static void test_region_outside(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.region = (struct packet_region){400, 0, 100, 100};
	share_start(&share, *state, "--size 400x240", &open);
	producer_send(&share.producer, "frame");
	helper_expect_end(&share.helper, ERROR_REGION_OUTSIDE);
	assert_string_equal(share.helper.ended_packet.detail, "the picture is 400x240");
	share_stop(&share);
}

/* Regions and cursors are relative to the upright picture, however it is rotated in the buffer. */
static void test_region_of_a_rotated_picture(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.region = (struct packet_region){20, 300, 100, 80};
	open.cursor = PACKET_CURSOR_SEND;
	share_start(&share, *state, "--size 400x240", &open);
	/* Rotated counter-clockwise: the right edge in the buffer is the bottom edge. */
	producer_say(&share.producer, "transform 1");
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 300 120 80 100", RED);
	producer_say(&share.producer, "pointer 310 210");
	share_draw(&share);
	assert_int_equal(share.helper.frame.width, 100);
	assert_int_equal(share.helper.frame.height, 80);
	const uint32_t corners[][2] = {{3, 3}, {96, 3}, {3, 76}, {96, 76}};
	for (size_t i = 0; i < 4; i++) {
		helper_expect_colour(&share.helper, corners[i][0], corners[i][1], RED);
	}
	assert_int_equal(share.helper.cursor.x, 9);
	assert_int_equal(share.helper.cursor.y, 10);
	share_stop(&share);
}

static void test_text_is_444(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.fidelity = PACKET_FIDELITY_TEXT;
	share_show(&share, *state, "--size 400x240 --formats RGBx", &open, RED);
	assert_int_equal(share.helper.ready_packet.chroma, PACKET_CHROMA_444);
	assert_int_equal(share.helper.image->fmt, VPX_IMG_FMT_I444);
	share_stop(&share);
}

/* Shows a film at 30 pictures a second until a frame of `codec` comes. */
static void film_until(struct share *share, enum packet_codec codec) {
	struct helper *helper = &share->helper;
	int64_t began = time_now_ms();
	uint32_t pictures = 0;
	while (helper->frames == 0 || helper->frame.codec != codec) {
		assert_true(time_now_ms() - began < RIG_CAP_MS);
		producer_say(&share->producer, "film %u", pictures++);
		producer_send(&share->producer, "frame");
		helper_watch(helper, 33);
	}
	print_message("VP%s after %u pictures\n", codec == PACKET_CODEC_VP8 ? "8" : "9", pictures);
}

/* A film is encoded with VP8, which takes half the time, until the screen rests. Each codec's
 * decoder accepts all of its frames. */
static void test_film_changes_the_codec(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.codec = PACKET_CODEC_AUTO;
	share_start(&share, *state, "--size 400x240", &open);
	film_until(&share, PACKET_CODEC_VP9);
	assert_int_equal(share.helper.ready_packet.codec, PACKET_CODEC_VP9);
	film_until(&share, PACKET_CODEC_VP8);
	assert_int_equal(share.helper.keyframes, 2);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 100 60 200 120", RED);
	producer_send(&share.producer, "frame");
	int64_t began = time_now_ms();
	uint32_t frames = share.helper.frames;
	while (share.helper.frame.codec == PACKET_CODEC_VP8) {
		helper_take_frame(&share.helper);
	}
	rig_took("VP9 again after a film", time_now_ms() - began);
	/* Only after a rest: first VP8 shows the picture and refines it. */
	assert_true(share.helper.frames - frames > 2);
	assert_int_equal(share.helper.keyframes, 3);
	helper_expect_colour(&share.helper, 200, 120, RED);
	helper_expect_colour(&share.helper, 20, 20, GREEN);
	share_rest(&share);
	assert_int_equal(share.helper.keyframes, 3);
	share_stop(&share);
}

/* None of a hundred crops of different sizes is lost or stalls. */
static void test_many_crop_sizes(void **state) {
	struct share share;
	int64_t took[100];
	share_start(&share, *state, "--size 640x360 --pool 2", &share_usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t width = 64 + i * 5;
		uint32_t height = 300 - i * 2;
		producer_say(&share.producer, "crop %u %u %u %u", i % 7, i % 5, width, height);
		producer_send(&share.producer, "frame");
		int64_t sent = time_now_ms();
		do {
			helper_take_frame(&share.helper);
		} while (share.helper.frame.width != (width & ~1u));
		took[i] = time_now_ms() - sent;
		assert_int_equal(share.helper.frame.height, height & ~1u);
		assert_true(share.helper.frame.key);
	}
	rig_took_each("keyframe of another crop", took, 100);
	share_stop(&share);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_damage),
		cmocka_unit_test(test_transforms),
		cmocka_unit_test(test_cursor_is_drawn),
		cmocka_unit_test(test_cursor_is_sent),
		cmocka_unit_test(test_live_settings),
		cmocka_unit_test(test_rate_is_raised),
		cmocka_unit_test(test_rate_is_raised_early),
		cmocka_unit_test(test_region),
		cmocka_unit_test(test_fractional_scale),
		cmocka_unit_test(test_region_outside),
		cmocka_unit_test(test_region_of_a_rotated_picture),
		cmocka_unit_test(test_text_is_444),
		cmocka_unit_test(test_film_changes_the_codec),
		cmocka_unit_test(test_many_crop_sizes),
	};
	return rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
