/*
 * portlight-capture as the host runs it, against a real PipeWire daemon and session manager and a
 * producer with every oddity that compositors have shown.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/sanitizer.h"
#include "capture_rig.h"

#define RED 0xc02020u
#define GREEN 0x20a040u
#define BLUE 0x2040c0u
#define WHITE 0xf0f0f0u
#define GREY 0x606060u

/* A sanitizer's own memory comes on top. */
#define PEAK_MAX_KIB (WITH_ADDRESS_SANITIZER ? 400 * 1024 : 80 * 1024)

/* A share of one producer, as most tests want it. */
struct share {
	struct producer producer;
	struct helper helper;
};

static const struct packet_open usual = {
	.codec = PACKET_CODEC_VP9, .max_fps = 60, .max_kbps = 8000, .credit = 16};

static void start_share(struct share *share, const struct rig *rig, const char *const *arguments,
	const struct packet_open *open) {
	producer_start(&share->producer, rig, arguments);
	helper_start(&share->helper);
	struct packet_open packet = *open;
	packet.node_id = share->producer.node_id;
	share->helper.auto_credit = open->credit > 0;
	helper_open(&share->helper, rig_connect(rig), &packet);
	producer_expect(&share->producer, "state streaming");
}

static void stop_share(struct share *share) {
	helper_stop(&share->helper);
	producer_stop(&share->producer);
}

/* Takes frames until the picture rests. */
static void settle(struct share *share) {
	assert_true(helper_next_frame(&share->helper, 2000));
	helper_drain(&share->helper, 300);
}

static void test_streams(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "fill %06x 0 0 160 120", RED);
	producer_send(&share.producer, "frame");
	assert_true(helper_next_frame(&share.helper, 2000));
	assert_true(share.helper.frame.key);
	assert_int_equal(share.helper.ready_packet.width, 320);
	assert_int_equal(share.helper.ready_packet.height, 240);
	helper_drain(&share.helper, 300);
	helper_expect_colour(&share.helper, 80, 60, RED);
	helper_expect_colour(&share.helper, 240, 60, BLUE);
	stop_share(&share);
}

static void test_vp8(void **state) {
	struct share share;
	struct packet_open open = usual;
	open.codec = PACKET_CODEC_VP8;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &open);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "fill %06x 96 96 64 64", WHITE);
	producer_send(&share.producer, "frame");
	settle(&share);
	helper_expect_colour(&share.helper, 20, 20, GREEN);
	helper_expect_colour(&share.helper, 128, 128, WHITE);
	stop_share(&share);
}

/* Formats, strides and offsets: the same picture must come out. */
static void check_layout(void **state, const char *const *arguments) {
	struct share share;
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_say(&share.producer, "fill %06x 0 0 101 60", RED);
	producer_say(&share.producer, "fill %06x 64 80 32 32", GREEN);
	producer_send(&share.producer, "frame");
	settle(&share);
	assert_int_equal(share.helper.frame.width, 200);
	assert_int_equal(share.helper.frame.height, 120);
	helper_expect_colour(&share.helper, 40, 20, RED);
	helper_expect_colour(&share.helper, 160, 20, BLUE);
	helper_expect_colour(&share.helper, 80, 96, GREEN);
	producer_say(&share.producer, "fill %06x 120 64 32 32", WHITE);
	producer_send(&share.producer, "frame");
	settle(&share);
	helper_expect_colour(&share.helper, 136, 80, WHITE);
	helper_expect_colour(&share.helper, 40, 20, RED);
	helper_expect_colour(&share.helper, 80, 96, GREEN);
	stop_share(&share);
}

static void test_formats(void **state) {
	const char *const formats[] = {"BGRx", "BGRA", "RGBx", "RGBA", "NV12,I420,RGBA"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *const arguments[] = {
			"--size", "200x120", "--formats", formats[i], NULL};
		check_layout(state, arguments);
	}
}

static void test_layouts(void **state) {
	const char *const odd[] = {"--size", "201x121", NULL};
	check_layout(state, odd);
	const char *const padded[] = {"--size", "200x120", "--padding", "52", NULL};
	check_layout(state, padded);
	const char *const uneven[] = {
		"--size", "201x121", "--padding", "3", "--offset", "257", NULL};
	check_layout(state, uneven);
	const char *const bottom_up[] = {
		"--size", "200x120", "--padding", "16", "--bottom-up", "--offset", "64", NULL};
	check_layout(state, bottom_up);
	const char *const bare[] = {
		"--size", "200x120", "--no-damage-meta", "--no-cursor-meta", NULL};
	check_layout(state, bare);
	const char *const memptr[] = {"--size", "200x120", "--memptr", NULL};
	check_layout(state, memptr);
}

/* After one good picture, sends `bad` over a changed canvas, then a good one again. */
static void check_bad_frame(void **state, const char *bad) {
	struct share share;
	const char *const arguments[] = {"--size", "200x120", "--no-cursor-meta", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_send(&share.producer, "frame");
	settle(&share);
	uint32_t frames = share.helper.frames;
	char command[128];
	snprintf(command, sizeof(command), "frame garbage %s", bad);
	producer_say(&share.producer, "fill %06x 0 0 64 64", RED);
	producer_send(&share.producer, command);
	assert_false(helper_next_frame(&share.helper, 300));
	assert_int_equal(share.helper.frames, frames);
	/* The lost picture's damage is unknown: the next one counts as a whole. */
	producer_say(&share.producer, "fill %06x 128 64 32 32", GREEN);
	producer_send(&share.producer, "frame");
	settle(&share);
	helper_expect_colour(&share.helper, 32, 32, RED);
	helper_expect_colour(&share.helper, 144, 80, GREEN);
	helper_expect_colour(&share.helper, 180, 20, BLUE);
	stop_share(&share);
}

static void test_corrupted_header(void **state) {
	check_bad_frame(state, "header-corrupted");
}

static void test_corrupted_chunk(void **state) {
	check_bad_frame(state, "chunk-corrupted");
}

static void test_size_0(void **state) {
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

/* A pointer-only buffer brings no picture, and what it carries is never shown. */
static void test_cursor_only(void **state) {
	const char *const dialects[] = {"cursor mutter", "cursor kwin"};
	for (size_t i = 0; i < 2; i++) {
		struct share share;
		const char *const arguments[] = {"--size", "200x120", NULL};
		start_share(&share, *state, arguments, &usual);
		producer_say(&share.producer, "fill %06x", BLUE);
		producer_send(&share.producer, "frame");
		settle(&share);
		producer_send(&share.producer, dialects[i]);
		producer_send(&share.producer, dialects[i]);
		assert_false(helper_next_frame(&share.helper, 300));
		producer_say(&share.producer, "fill %06x 0 0 32 32", RED);
		producer_send(&share.producer, "frame");
		settle(&share);
		helper_expect_colour(&share.helper, 16, 16, RED);
		helper_expect_colour(&share.helper, 100, 60, BLUE);
		stop_share(&share);
	}
}

/* What a damage list says, and what it only seems to say. */
static void test_damage(void **state) {
	const char *const kinds[] = {"frame", "frame damage-stale", "frame damage-many",
		"frame damage-empty", "frame sequence-gap", "frame old-pts", "frame no-pts"};
	struct share share;
	const char *const arguments[] = {"--size", "400x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	settle(&share);
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t colour = i % 2 == 0 ? RED : GREEN;
		uint32_t x = 16 + 48 * i;
		producer_say(&share.producer, "fill %06x %u 33 41 57", colour, x);
		producer_send(&share.producer, kinds[i]);
		settle(&share);
		helper_expect_colour(&share.helper, x + 20, 60, colour);
		helper_expect_colour(&share.helper, 8, 8, GREY);
		helper_expect_colour(&share.helper, 200, 200, GREY);
	}
	assert_int_equal(share.helper.keyframes, 1);
	stop_share(&share);
}

/* Pictures that nobody took still count for what they changed. */
static void test_damage_of_skipped_pictures(void **state) {
	struct share share;
	struct packet_open open = usual;
	open.credit = 0;
	const char *const arguments[] = {"--size", "400x240", "--pool", "2", NULL};
	start_share(&share, *state, arguments, &open);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	helper_credit(&share.helper, 1);
	assert_true(helper_next_frame(&share.helper, 2000));
	for (uint32_t i = 0; i < 8; i++) {
		producer_say(&share.producer, "fill %06x %u 100 32 32", BLUE, 16 + 48 * i);
		producer_send(&share.producer, "frame");
	}
	assert_false(helper_next_frame(&share.helper, 200));
	share.helper.auto_credit = true;
	helper_credit(&share.helper, 8);
	settle(&share);
	for (uint32_t i = 0; i < 8; i++) {
		helper_expect_colour(&share.helper, 32 + 48 * i, 116, BLUE);
	}
	helper_expect_colour(&share.helper, 200, 40, GREY);
	stop_share(&share);
}

/* A window is shared as a part of a monitor-sized buffer. */
static void test_crop(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "400x300", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", RED);
	producer_say(&share.producer, "fill %06x 101 51 161 121", GREEN);
	producer_say(&share.producer, "crop 101 51 161 121");
	producer_send(&share.producer, "frame");
	settle(&share);
	assert_int_equal(share.helper.ready_packet.width, 160);
	assert_int_equal(share.helper.ready_packet.height, 120);
	assert_int_equal(share.helper.frame.width, 160);
	const uint32_t corners[][2] = {{2, 2}, {157, 2}, {2, 117}, {157, 117}};
	for (size_t i = 0; i < 4; i++) {
		helper_expect_colour(&share.helper, corners[i][0], corners[i][1], GREEN);
	}
	/* Moved: same size, other pixels, and damage that says nothing of it. */
	producer_say(&share.producer, "fill %06x 0 0 40 40", BLUE);
	producer_say(&share.producer, "crop 0 0 161 121");
	producer_send(&share.producer, "frame");
	settle(&share);
	helper_expect_colour(&share.helper, 20, 20, BLUE);
	helper_expect_colour(&share.helper, 80, 20, RED);
	helper_expect_colour(&share.helper, 140, 100, GREEN);
	/* Half outside: only what the buffer has is shown. */
	producer_say(&share.producer, "crop 300 200 400 400");
	producer_send(&share.producer, "frame");
	settle(&share);
	assert_int_equal(share.helper.frame.width, 100);
	assert_int_equal(share.helper.frame.height, 100);
	assert_true(share.helper.keyframes >= 2);
	helper_expect_colour(&share.helper, 50, 50, RED);
	stop_share(&share);
}

/* Resizing gives a keyframe of the new size, again and again. */
static void test_resize(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "200x120", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_send(&share.producer, "frame");
	settle(&share);
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
		producer_say(&share.producer, "fill %06x", i % 2 == 0 ? RED : GREEN);
		producer_send(&share.producer, "frame");
		assert_true(helper_next_frame(&share.helper, 2000));
		assert_true(share.helper.frame.key);
		assert_int_equal(share.helper.frame.width, width & ~1u);
		assert_int_equal(share.helper.frame.height, height & ~1u);
		helper_drain(&share.helper, 200);
		assert_int_equal(share.helper.keyframes, keyframes + 1);
		helper_expect_colour(&share.helper, 30, 30, i % 2 == 0 ? RED : GREEN);
	}
	stop_share(&share);
}

/* The producer must never run dry, however slow the consumer is. */
static void test_two_buffers(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "1280x720", "--pool", "2", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	settle(&share);
	producer_say(&share.producer, "run 60 120");
	uint32_t frames = share.helper.frames;
	int64_t ran = 0;
	helper_drain(&share.helper, 500);
	const char *line = producer_expect(&share.producer, "ran ");
	ran = strtol(line + strlen("ran "), NULL, 10);
	assert_true(ran >= 110);
	assert_true(share.helper.frames - frames >= 60);
	/* And it still runs when nothing was taken for a while. */
	share.helper.auto_credit = false;
	producer_say(&share.producer, "run 60 60");
	line = producer_expect(&share.producer, "ran ");
	assert_true(strtol(line + strlen("ran "), NULL, 10) >= 55);
	stop_share(&share);
}

static void test_fps_is_bounded(void **state) {
	struct share share;
	struct packet_open open = usual;
	open.max_fps = 20;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &open);
	producer_send(&share.producer, "frame");
	settle(&share);
	uint32_t frames = share.helper.frames;
	producer_say(&share.producer, "run 100 200");
	while (helper_next_frame(&share.helper, 70)) {
		if (share.helper.frames - frames == 30) {
			break;
		}
	}
	int64_t first = share.helper.frame.pts_us;
	for (int i = 0; i < 9; i++) {
		assert_true(helper_next_frame(&share.helper, 500));
	}
	int64_t took = share.helper.frame.pts_us - first;
	assert_in_range(took, 400000, 520000);
	producer_expect(&share.producer, "ran ");
	stop_share(&share);
}

/* A still screen costs nothing once its picture is as good as it gets. */
static void test_still(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "640x480", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_say(&share.producer, "fill %06x 10 10 300 200", RED);
	producer_send(&share.producer, "frame");
	settle(&share);
	uint32_t frames = share.helper.frames;
	long cpu = process_cpu_ms(share.helper.pid);
	assert_false(helper_next_frame(&share.helper, 2000));
	assert_int_equal(share.helper.frames, frames);
	assert_true(process_cpu_ms(share.helper.pid) - cpu <= 10);
	/* And the next change comes as fast as any. */
	producer_say(&share.producer, "fill %06x 10 10 30 30", GREEN);
	producer_send(&share.producer, "frame");
	assert_true(helper_next_frame(&share.helper, 100));
	assert_false(share.helper.frame.key);
	stop_share(&share);
}

/* Without credit nothing is converted, encoded or sent; the last picture comes when there is. */
static void test_no_credit(void **state) {
	struct share share;
	struct packet_open open = usual;
	open.credit = 0;
	const char *const arguments[] = {"--size", "1280x720", NULL};
	start_share(&share, *state, arguments, &open);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_send(&share.producer, "frame");
	assert_false(helper_next_frame(&share.helper, 200));
	assert_true(share.helper.ready);
	long cpu = process_cpu_ms(share.helper.pid);
	producer_say(&share.producer, "run 60 120");
	producer_expect(&share.producer, "ran 120");
	assert_false(helper_next_frame(&share.helper, 100));
	assert_true(process_cpu_ms(share.helper.pid) - cpu <= 50);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_send(&share.producer, "frame");
	assert_false(helper_next_frame(&share.helper, 100));
	helper_credit(&share.helper, 1);
	assert_true(helper_next_frame(&share.helper, 1000));
	assert_true(share.helper.frame.key);
	helper_expect_colour(&share.helper, 600, 300, GREEN);
	assert_false(helper_next_frame(&share.helper, 200));
	stop_share(&share);
}

/* A first picture that PipeWire lost comes nevertheless, also on a still screen. */
static void test_lost_first_picture(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "lose");
	assert_true(helper_next_frame(&share.helper, 2000));
	helper_expect_colour(&share.helper, 160, 120, GREEN);
	stop_share(&share);
}

static void test_keyframe(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_send(&share.producer, "frame");
	settle(&share);
	assert_int_equal(share.helper.keyframes, 1);
	/* On a still screen too. */
	helper_send(&share.helper, &(struct packet){.type = PACKET_KEYFRAME});
	assert_true(helper_next_frame(&share.helper, 500));
	assert_true(share.helper.frame.key);
	helper_expect_colour(&share.helper, 100, 100, BLUE);
	helper_drain(&share.helper, 300);
	assert_int_equal(share.helper.keyframes, 2);
	stop_share(&share);
}

static void test_node_death(void **state) {
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_send(&share.producer, "frame");
	settle(&share);
	producer_kill(&share.producer);
	helper_expect_end(&share.helper, ERROR_SOURCE_GONE);
	stop_share(&share);
}

static void test_no_such_node(void **state) {
	struct helper helper;
	struct packet_open open = usual;
	open.node_id = 54321;
	helper_start(&helper);
	helper_open(&helper, rig_connect(*state), &open);
	helper_expect_end(&helper, ERROR_SOURCE_GONE);
	assert_non_null(strstr(helper.ended_packet.detail, "54321"));
	helper_stop(&helper);
}

static void check_unsupported(void **state, const char *const *arguments, const char *named) {
	struct producer producer;
	struct helper helper;
	struct packet_open open = usual;
	producer_start(&producer, *state, arguments);
	open.node_id = producer.node_id;
	helper_start(&helper);
	helper_open(&helper, rig_connect(*state), &open);
	helper_expect_end(&helper, ERROR_FORMAT_UNSUPPORTED);
	assert_non_null(strstr(helper.ended_packet.detail, named));
	helper_stop(&helper);
	producer_stop(&producer);
}

static void test_unsupported_formats(void **state) {
	const char *const planar[] = {"--formats", "NV12,I420", NULL};
	check_unsupported(state, planar, "NV12, I420");
	const char *const dmabuf[] = {"--formats", "BGRx", "--dmabuf-only", NULL};
	check_unsupported(state, dmabuf, "BGRx as DMA-BUF only");
}

static void expect_refused(int fd, enum error_code code) {
	struct helper helper;
	helper_start(&helper);
	helper_open(&helper, fd, &usual);
	helper_expect_end(&helper, code);
	helper_stop(&helper);
}

static void test_refused_remote(void **state) {
	(void)state;
	int pair[2];
	/* A file that is no socket. */
	assert_int_equal(pipe(pair), 0);
	close(pair[1]);
	expect_refused(pair[0], ERROR_PIPEWIRE_REFUSED);
	/* A socket whose other end is gone. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	expect_refused(pair[0], ERROR_PIPEWIRE_REFUSED);
	/* None at all. */
	expect_refused(-1, ERROR_BAD_PACKET);
}

static void test_bad_packets(void **state) {
	const uint8_t unknown[] = {99, 0};
	const uint8_t credit_first[] = {PACKET_CREDIT, 0, 1, 0};
	const uint8_t truncated[] = {PACKET_OPEN, 0, 1, 0, 5};
	uint8_t large[5000] = {PACKET_CREDIT, 0, 1, 0};
	const struct {
		const void *data;
		size_t length;
	} cases[] = {
		{unknown, sizeof(unknown)},
		{credit_first, sizeof(credit_first)},
		{truncated, sizeof(truncated)},
		{large, sizeof(large)},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct helper helper;
		helper_start(&helper);
		helper_send_bytes(&helper, cases[i].data, cases[i].length);
		helper_expect_end(&helper, ERROR_BAD_PACKET);
		helper_stop(&helper);
	}
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_send(&share.producer, "frame");
	settle(&share);
	helper_open(&share.helper, rig_connect(*state), &usual);
	helper_expect_end(&share.helper, ERROR_BAD_PACKET);
	stop_share(&share);
}

/* A peer that stops reading: one frame waits, memory stays where it is, and nothing is lost. */
static void test_full_socket(void **state) {
	struct share share;
	struct packet_open open = usual;
	open.max_kbps = 200000;
	const char *const arguments[] = {"--size", "1280x720", NULL};
	start_share(&share, *state, arguments, &open);
	share.helper.auto_credit = false;
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	for (int i = 0; i < 4; i++) {
		helper_credit(&share.helper, 16);
	}
	producer_say(&share.producer, "run 100 100");
	producer_expect(&share.producer, "ran ");
	long before = process_memory_kib(share.helper.pid, "RssAnon:");
	producer_say(&share.producer, "run 100 200");
	producer_expect(&share.producer, "ran ");
	assert_true(process_memory_kib(share.helper.pid, "RssAnon:") - before < 1024);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_send(&share.producer, "frame");
	share.helper.auto_credit = true;
	settle(&share);
	helper_expect_colour(&share.helper, 1000, 600, GREEN);
	stop_share(&share);
}

/* helper_stop() checks it: gone within a second of the socket's closing, at every stage. */
static void test_exits_with_its_socket(void **state) {
	struct helper helper;
	helper_start(&helper);
	helper_stop(&helper);
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, *state, arguments, &usual);
	producer_say(&share.producer, "run 60 60");
	assert_true(helper_next_frame(&share.helper, 1000));
	stop_share(&share);
}

/* The socket's other end lives on in the test: only the death signal can end the helper. */
static void test_dies_with_its_parent(void **state) {
	(void)state;
	int pair[2];
	int report[2];
	assert_int_equal(pipe(report), 0);
	pid_t parent = fork();
	if (parent == 0) {
		pid_t child = -1;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0) {
			child = fork();
		}
		if (child == 0) {
			dup2(pair[0], 9);
			dup2(pair[1], 3);
			execl(RIG_HELPER, RIG_HELPER, NULL);
			_exit(127);
		}
		if (write(report[1], &child, sizeof(child)) != sizeof(child)) {
			_exit(1);
		}
		pause();
		_exit(0);
	}
	pid_t child = -1;
	assert_int_equal(read(report[0], &child, sizeof(child)), sizeof(child));
	close(report[0]);
	close(report[1]);
	assert_false(process_gone(child, 500));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_true(process_gone(child, 1000));
}

static void check_memory(void **state, enum packet_codec codec) {
	struct share share;
	struct packet_open open = usual;
	open.codec = codec;
	const char *const arguments[] = {"--size", "1920x1080", NULL};
	start_share(&share, *state, arguments, &open);
	for (uint32_t i = 0; i < 400; i++) {
		producer_say(&share.producer, "fill %06x %u %u 40 20", (i * 2654435761u) & 0xffffff,
			i * 97 % 1880, i * 53 % 1060);
	}
	producer_send(&share.producer, "frame");
	assert_true(helper_next_frame(&share.helper, 2000));
	producer_say(&share.producer, "run 60 120");
	helper_drain(&share.helper, 300);
	producer_expect(&share.producer, "ran ");
	long peak = process_memory_kib(share.helper.pid, "VmHWM:");
	print_message("peak resident memory at 1920x1080, %s: %ld KiB\n",
		codec == PACKET_CODEC_VP8 ? "VP8" : "VP9", peak);
	assert_true(peak < PEAK_MAX_KIB);
	stop_share(&share);
}

static void test_memory_vp8(void **state) {
	check_memory(state, PACKET_CODEC_VP8);
}

static void test_memory_vp9(void **state) {
	check_memory(state, PACKET_CODEC_VP9);
}

/* The last one: the daemon goes away under a running share. */
static void test_daemon_death(void **state) {
	struct rig *rig = *state;
	struct share share;
	const char *const arguments[] = {"--size", "320x240", NULL};
	start_share(&share, rig, arguments, &usual);
	producer_send(&share.producer, "frame");
	settle(&share);
	kill(rig->pipewire, SIGKILL);
	helper_expect_end(&share.helper, ERROR_PIPEWIRE_LOST);
	stop_share(&share);
}

static int set_up(void **state) {
	static struct rig rig;
	rig_start(&rig);
	*state = &rig;
	return 0;
}

static int tear_down(void **state) {
	rig_stop(*state);
	return 0;
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_vp8),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_corrupted_header),
		cmocka_unit_test(test_corrupted_chunk),
		cmocka_unit_test(test_size_0),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_wild_offset),
		cmocka_unit_test(test_wild_stride),
		cmocka_unit_test(test_cursor_only),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_of_skipped_pictures),
		cmocka_unit_test(test_crop),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_two_buffers),
		cmocka_unit_test(test_fps_is_bounded),
		cmocka_unit_test(test_still),
		cmocka_unit_test(test_no_credit),
		cmocka_unit_test(test_lost_first_picture),
		cmocka_unit_test(test_keyframe),
		cmocka_unit_test(test_node_death),
		cmocka_unit_test(test_no_such_node),
		cmocka_unit_test(test_unsupported_formats),
		cmocka_unit_test(test_refused_remote),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_exits_with_its_socket),
		cmocka_unit_test(test_dies_with_its_parent),
		cmocka_unit_test(test_memory_vp8),
		cmocka_unit_test(test_memory_vp9),
		cmocka_unit_test(test_daemon_death),
	};
	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
