/*
 * portlight-capture as the host runs it, against a real PipeWire daemon and session manager, and a
 * producer with every quirk that compositors have shown.
 */
#include <stdio.h>
#include <string.h>

#include "capture_rig.h"
#include "unit.h"

static void test_streams(void **state) {
	struct share share;
	share_start(&share, *state, "--size 320x240", &share_usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "fill %06x 0 0 160 120", RED);
	producer_send(&share.producer, "frame");
	helper_take_frame(&share.helper);
	assert_true(share.helper.frame.key);
	assert_int_equal(share.helper.ready_packet.width, 320);
	assert_int_equal(share.helper.ready_packet.height, 240);
	share_rest(&share);
	helper_expect_colour(&share.helper, 80, 60, RED);
	helper_expect_colour(&share.helper, 240, 60, BLUE);
	share_stop(&share);
}

static void test_vp8(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.codec = PACKET_CODEC_VP8;
	share_start(&share, *state, "--size 320x240", &open);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 96 96 64 64", WHITE);
	share_draw(&share);
	helper_expect_colour(&share.helper, 20, 20, GREEN);
	helper_expect_colour(&share.helper, 128, 128, WHITE);
	share_stop(&share);
}

/* Whatever the format, stride and offset, the same picture comes out. */
static void check_layout(void **state, const char *arguments) {
	struct share share;
	share_start(&share, *state, arguments, &share_usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "fill %06x 0 0 101 60", RED);
	producer_say(&share.producer, "fill %06x 64 80 32 32", GREEN);
	share_draw(&share);
	assert_int_equal(share.helper.frame.width, 200);
	assert_int_equal(share.helper.frame.height, 120);
	helper_expect_colour(&share.helper, 40, 20, RED);
	helper_expect_colour(&share.helper, 160, 20, BLUE);
	helper_expect_colour(&share.helper, 80, 96, GREEN);
	producer_say(&share.producer, "fill %06x 120 64 32 32", WHITE);
	share_draw(&share);
	helper_expect_colour(&share.helper, 136, 80, WHITE);
	helper_expect_colour(&share.helper, 40, 20, RED);
	helper_expect_colour(&share.helper, 80, 96, GREEN);
	share_stop(&share);
}

static void test_formats(void **state) {
	const char *const formats[] = {"BGRx", "BGRA", "RGBx", "RGBA", "NV12,I420,RGBA"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char arguments[64];
		snprintf(arguments, sizeof(arguments), "--size 200x120 --formats %s", formats[i]);
		check_layout(state, arguments);
	}
}

static void test_layouts(void **state) {
	check_layout(state, "--size 201x121");
	check_layout(state, "--size 200x120 --padding 52");
	check_layout(state, "--size 201x121 --padding 3 --offset 257");
	check_layout(state, "--size 200x120 --padding 16 --bottom-up --offset 64");
	check_layout(state, "--size 200x120 --no-damage-meta --no-cursor-meta");
	check_layout(state, "--size 200x120 --no-flags");
}

/* For commands that cause no frame: when three were sent in two buffers, the helper has returned
 * one. */
static void send_thrice(struct share *share, const char *command) {
	for (int i = 0; i < 3; i++) {
		producer_send(&share->producer, command);
	}
	helper_echo(&share->helper);
}

/* The compositor's memory is mapped, but never for writing. */
static void test_pictures_are_mapped_for_reading(void **state) {
	struct share share;
	share_show(&share, *state, "--size 200x120", &share_usual, BLUE);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)share.helper.pid);
	FILE *maps = fopen(path, "re");
	assert_non_null(maps);
	char line[512];
	uint32_t mapped = 0;
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "memfd:frame") != NULL) {
			mapped++;
			assert_non_null(strstr(line, " r--s "));
		}
	}
	fclose(maps);
	assert_true(mapped >= 2);
	share_stop(&share);
}

/* Changes the canvas, sends `command`, so that this change's damage is lost, and sends a good
 * picture: it shows the change all the same. True if that took less than half a second. Later, the
 * whole picture is compared, which would hide a failure. */
static bool lose_damage(struct share *share, const char *command) {
	producer_say(&share->producer, "fill %06x", BLUE);
	producer_send(&share->producer, "frame");
	share_rest(share);
	int64_t began = time_now_ms();
	producer_say(&share->producer, "fill %06x 0 0 32 32", GREEN);
	producer_send(&share->producer, "frame");
	helper_take_frame(&share->helper);
	/* Not among the first tiles, which are compared in any case. */
	producer_say(&share->producer, "fill %06x 128 64 64 48", RED);
	producer_send(&share->producer, command);
	producer_say(&share->producer, "fill %06x 64 0 32 32", WHITE);
	producer_send(&share->producer, "frame");
	bool soon = time_now_ms() - began < 450;
	share_rest(share);
	helper_expect_colour(&share->helper, 16, 16, GREEN);
	helper_expect_colour(&share->helper, 160, 88, RED);
	helper_expect_colour(&share->helper, 80, 16, WHITE);
	helper_expect_colour(&share->helper, 110, 20, BLUE);
	return soon;
}

/* On a busy machine it may take more than one try to be fast enough. */
static void check_lost_damage(struct share *share, const char *command) {
	int times = 1;
	while (!lose_damage(share, command)) {
		assert_true(times++ < 20);
	}
}

/* A bad picture is not shown, and what it would have changed is not lost with it. */
static void check_bad_frame(void **state, const char *bad) {
	struct share share;
	share_show(&share, *state, "--size 200x120 --no-cursor-meta --pool 2", &share_usual, BLUE);
	uint32_t frames = share.helper.frames;
	char command[128];
	snprintf(command, sizeof(command), "frame garbage %s", bad);
	send_thrice(&share, command);
	assert_int_equal(share.helper.frames, frames);
	check_lost_damage(&share, command);
	share_stop(&share);
}

static void test_corrupted_header(void **state) {
	check_bad_frame(state, "header-corrupted");
}

static void test_corrupted_chunk(void **state) {
	check_bad_frame(state, "chunk-corrupted");
}

static void test_size_zero(void **state) {
	check_bad_frame(state, "size-0");
}

static void test_truncated(void **state) {
	check_bad_frame(state, "truncated");
}

static void test_wild_offset(void **state) {
	check_bad_frame(state, "wild-offset");
}

static void test_wild_stride(void **state) {
	check_bad_frame(state, "wild-stride");
}

/* Only the next sequence number tells that PipeWire lost a picture. */
static void test_sequence_gap(void **state) {
	struct share share;
	share_start(&share, *state, "--size 200x120", &share_usual);
	check_lost_damage(&share, "frame sequence-gap");
	share_stop(&share);
}

/* A buffer with only a cursor has no picture, and its pixels are never shown. */
static void test_cursor_only(void **state) {
	const char *const dialects[] = {"cursor mutter", "cursor kwin"};
	for (size_t i = 0; i < 2; i++) {
		struct share share;
		share_start(&share, *state, "--size 200x120 --pool 2", &share_usual);
		producer_say(&share.producer, "fill %06x", BLUE);
		share_draw(&share);
		uint32_t frames = share.helper.frames;
		send_thrice(&share, dialects[i]);
		assert_int_equal(share.helper.frames, frames);
		producer_say(&share.producer, "fill %06x 0 0 32 32", RED);
		share_draw(&share);
		helper_expect_colour(&share.helper, 16, 16, RED);
		helper_expect_colour(&share.helper, 100, 60, BLUE);
		share_stop(&share);
	}
}

/* Good, misleading and missing damage lists. */
static void test_damage(void **state) {
	const char *const kinds[] = {"frame", "frame damage-stale", "frame damage-many",
		"frame damage-empty", "frame sequence-gap", "frame old-pts", "frame no-pts"};
	struct share share;
	share_show(&share, *state, "--size 400x240", &share_usual, GREY);
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t colour = i % 2 == 0 ? RED : GREEN;
		uint32_t x = 16 + 48 * i;
		producer_say(&share.producer, "fill %06x %u 33 41 57", colour, x);
		producer_send(&share.producer, kinds[i]);
		share_settle(&share);
		helper_expect_colour(&share.helper, x + 20, 60, colour);
		helper_expect_colour(&share.helper, 8, 8, GREY);
		helper_expect_colour(&share.helper, 200, 200, GREY);
	}
	assert_int_equal(share.helper.keyframes, 1);
	share_stop(&share);
}

/* The damage of skipped pictures is kept. */
static void test_damage_of_skipped_pictures(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.credit = 0;
	share_start(&share, *state, "--size 400x240 --pool 2", &open);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	helper_credit(&share.helper, 1);
	helper_take_frame(&share.helper);
	for (uint32_t i = 0; i < 8; i++) {
		producer_say(&share.producer, "fill %06x %u 100 32 32", BLUE, 16 + 48 * i);
		producer_send(&share.producer, "frame");
	}
	share.helper.auto_credit = true;
	helper_credit(&share.helper, 8);
	share_settle(&share);
	for (uint32_t i = 0; i < 8; i++) {
		helper_expect_colour(&share.helper, 32 + 48 * i, 116, BLUE);
	}
	helper_expect_colour(&share.helper, 200, 40, GREY);
	share_stop(&share);
}

/* A window is shared as part of a monitor-sized buffer. */
static void test_crop(void **state) {
	struct share share;
	share_start(&share, *state, "--size 400x300", &share_usual);
	producer_say(&share.producer, "fill %06x", RED);
	producer_say(&share.producer, "fill %06x 101 51 161 121", GREEN);
	producer_say(&share.producer, "crop 101 51 161 121");
	share_draw(&share);
	assert_int_equal(share.helper.ready_packet.width, 160);
	assert_int_equal(share.helper.ready_packet.height, 120);
	assert_int_equal(share.helper.frame.width, 160);
	const uint32_t corners[][2] = {{2, 2}, {157, 2}, {2, 117}, {157, 117}};
	for (size_t i = 0; i < 4; i++) {
		helper_expect_colour(&share.helper, corners[i][0], corners[i][1], GREEN);
	}
	/* Moved: same size, other pixels, without damage. */
	producer_say(&share.producer, "fill %06x 0 0 40 40", BLUE);
	producer_say(&share.producer, "crop 0 0 161 121");
	share_draw(&share);
	helper_expect_colour(&share.helper, 20, 20, BLUE);
	helper_expect_colour(&share.helper, 80, 20, RED);
	helper_expect_colour(&share.helper, 140, 100, GREEN);
	/* Partly outside: only what the buffer has is shown. */
	producer_say(&share.producer, "crop 300 200 400 400");
	share_draw(&share);
	assert_int_equal(share.helper.frame.width, 100);
	assert_int_equal(share.helper.frame.height, 100);
	assert_true(share.helper.keyframes >= 2);
	helper_expect_colour(&share.helper, 50, 50, RED);
	share_stop(&share);
}

/* Every resize gives one keyframe of the new size. */
static void test_resize(void **state) {
	struct share share;
	share_show(&share, *state, "--size 200x120", &share_usual, BLUE);
	const uint32_t sizes[][2] = {
		{640, 360}, {160, 90}, {163, 91}, {1280, 720}, {64, 64}, {200, 120}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t width = sizes[i][0];
		uint32_t height = sizes[i][1];
		uint32_t keyframes = share.helper.keyframes;
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "format %ux%u", width, height);
		producer_say(&share.producer, "resize %u %u", width, height);
		producer_expect(&share.producer, wanted);
		producer_expect(&share.producer, "buffers 2");
		time_sleep_ms(DRAWS_AFTER_MS);
		producer_say(&share.producer, "fill %06x", i % 2 == 0 ? RED : GREEN);
		producer_send(&share.producer, "frame");
		helper_take_frame(&share.helper);
		assert_true(share.helper.frame.key);
		assert_int_equal(share.helper.frame.width, width & ~1u);
		assert_int_equal(share.helper.frame.height, height & ~1u);
		share_rest(&share);
		assert_int_equal(share.helper.keyframes, keyframes + 1);
		helper_expect_colour(&share.helper, 30, 30, i % 2 == 0 ? RED : GREEN);
	}
	share_stop(&share);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_vp8),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_pictures_are_mapped_for_reading),
		cmocka_unit_test(test_corrupted_header),
		cmocka_unit_test(test_corrupted_chunk),
		cmocka_unit_test(test_size_zero),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_wild_offset),
		cmocka_unit_test(test_wild_stride),
		cmocka_unit_test(test_sequence_gap),
		cmocka_unit_test(test_cursor_only),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_of_skipped_pictures),
		cmocka_unit_test(test_crop),
		cmocka_unit_test(test_resize),
	};
	return rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
