/*
 * The life of portlight-capture: flow control, still screens, faults on all sides, memory, and
 * exit.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "capture_rig.h"
#include "unit.h"

/* A sanitizer needs extra memory. */
#define PEAK_MAX_KIB (WITH_ADDRESS_SANITIZER ? 512 * 1024 : 256 * 1024)

static void take_frames(struct helper *helper, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		helper_take_frame(helper);
	}
}

/* The producer never runs out of buffers, however slow the consumer is. */
static void test_two_buffers(void **state) {
	struct share share;
	share_show(&share, *state, "--size 1280x720 --pool 2", &share_usual, GREY);
	producer_say(&share.producer, "run 60 10000");
	take_frames(&share.helper, 60);
	producer_say(&share.producer, "run 60 1");
	(void)share_expect(&share, "ran ");
	share_rest(&share);
	/* Not even without credit. */
	share.helper.auto_credit = false;
	for (uint32_t i = 0; i < 60; i++) {
		producer_say(&share.producer, "fill %06x %u 16 16 16", BLUE, 16 * i);
		producer_send(&share.producer, "frame");
	}
	share_stop(&share);
}

/* Measured by the producer's clock, from the pictures' time stamps. */
static void test_fps_is_bounded(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.max_fps = 20;
	share_start(&share, *state, "--size 320x240", &open);
	share_draw(&share);
	producer_say(&share.producer, "run 100 200");
	helper_take_frame(&share.helper);
	uint32_t frames = share.helper.frames;
	int64_t first = share.helper.frame.pts_us;
	const char *line = share_expect(&share, "ran ");
	long sent = strtol(line + strlen("ran "), NULL, 10);
	int64_t passed = share.helper.frame.pts_us - first;
	frames = share.helper.frames - frames;
	print_message("%u frames of %ld pictures in %ld ms\n", frames, sent, (long)passed / 1000);
	/* One of five, or more where the producer is late. */
	assert_true(frames * 50000 < passed * 3 / 2);
	assert_true(frames * 50000 > passed / 4);
	share_stop(&share);
}

/* Once the picture has settled, a still screen costs nothing: no thread wakes up. */
static void test_still(void **state) {
	struct share share;
	share_start(&share, *state, "--size 640x480", &share_usual);
	producer_say(&share.producer, "fill %06x", GREY);
	producer_say(&share.producer, "fill %06x 10 10 300 200", RED);
	share_draw(&share);
	uint32_t frames = share.helper.frames;
	long cpu = process_cpu_ms(share.helper.pid);
	long sleeps = process_sleeps(share.helper.pid);
	helper_watch(&share.helper, 1000);
	sleeps = process_sleeps(share.helper.pid) - sleeps;
	rig_took("cpu of a still second", process_cpu_ms(share.helper.pid) - cpu);
	print_message("%ld wake-ups\n", sleeps);
	assert_int_equal(share.helper.frames, frames);
	assert_true(sleeps <= 5);
	/* And the next change comes as usual. */
	producer_say(&share.producer, "fill %06x 10 10 30 30", GREEN);
	producer_send(&share.producer, "frame");
	helper_take_frame(&share.helper);
	assert_false(share.helper.frame.key);
	share_stop(&share);
}

/* Without credit nothing is converted, encoded or sent; with credit the newest picture comes. */
static void test_no_credit(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.credit = 0;
	share_start(&share, *state, "--size 1280x720 --pool 2", &open);
	producer_say(&share.producer, "fill %06x", BLUE);
	producer_send(&share.producer, "frame");
	while (!share.helper.ready) {
		helper_await(&share.helper, "no READY");
	}
	long cpu = process_cpu_ms(share.helper.pid);
	for (uint32_t i = 0; i < 120; i++) {
		producer_say(&share.producer, "fill %06x %u 16 8 8", WHITE, 8 * i);
		producer_send(&share.producer, "frame");
	}
	rig_took("cpu of 120 pictures without credit", process_cpu_ms(share.helper.pid) - cpu);
	producer_say(&share.producer, "fill %06x", GREEN);
	/* When three were sent in two buffers, the helper has returned one. */
	for (uint32_t i = 0; i < 3; i++) {
		producer_send(&share.producer, "frame");
	}
	/* The first frame is of the newest picture. */
	helper_credit(&share.helper, 1);
	helper_take_frame(&share.helper);
	assert_true(share.helper.frame.key);
	helper_expect_colour(&share.helper, 600, 300, GREEN);
	assert_int_equal(helper_logged(&share.helper, "debug: frame "), 1);
	share_stop(&share);
}

/* When PipeWire loses the first picture of a still screen, it comes all the same. */
static void test_lost_first_picture(void **state) {
	struct share share;
	share_start(&share, *state, "--size 320x240", &share_usual);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_say(&share.producer, "lose");
	helper_take_frame(&share.helper);
	helper_expect_colour(&share.helper, 160, 120, GREEN);
	share_stop(&share);
}

/* sway sends its picture of a still screen once, 3 ms after the stream starts, and a restart brings
 * no other. It is rarely lost here; tests/integration/long/sway.test.js tests the real sway. */
static void test_only_picture(void **state) {
	struct share share;
	share_start(&share, *state, "--size 1920x1080 --at-once", &share_usual);
	helper_take_frame(&share.helper);
	helper_expect_colour(&share.helper, 960, 540, 0x000000);
	assert_int_equal(helper_logged(&share.helper, "restarting the stream"), 0);
	share_stop(&share);
}

static void test_keyframe(void **state) {
	struct share share;
	share_show(&share, *state, "--size 320x240", &share_usual, BLUE);
	assert_int_equal(share.helper.keyframes, 1);
	/* On a still screen. */
	helper_send(&share.helper, &(struct packet){.type = PACKET_KEYFRAME});
	helper_take_frame(&share.helper);
	assert_true(share.helper.frame.key);
	helper_expect_colour(&share.helper, 100, 100, BLUE);
	share_rest(&share);
	assert_int_equal(share.helper.keyframes, 2);
	share_stop(&share);
}

static void test_node_death(void **state) {
	struct share share;
	share_start(&share, *state, "--size 320x240", &share_usual);
	share_draw(&share);
	producer_kill(&share.producer);
	helper_expect_end(&share.helper, ERROR_SOURCE_GONE);
	share_stop(&share);
}

/* A screen that never sends anything. */
static void test_no_picture(void **state) {
	struct share share;
	share_start(&share, *state, "--size 320x240", &share_usual);
	/* The helper retries first. */
	helper_await_logged(&share.helper, "restarting the stream", 4);
	assert_false(share.helper.ended);
	helper_expect_end(&share.helper, ERROR_NO_PICTURE);
	assert_false(share.helper.ready);
	share_stop(&share);
}

static void test_no_such_node(void **state) {
	struct helper helper;
	struct packet_open open = share_usual;
	open.node_id = 54321;
	helper_start(&helper);
	helper_open(&helper, rig_connect(*state), &open);
	helper_expect_end(&helper, ERROR_SOURCE_GONE);
	assert_non_null(strstr(helper.ended_packet.detail, "54321"));
	helper_stop(&helper);
}

static void check_unsupported(void **state, const char *arguments, const char *named) {
	struct share share;
	share_begin(&share, *state, arguments, &share_usual);
	helper_expect_end(&share.helper, ERROR_FORMAT_UNSUPPORTED);
	assert_non_null(strstr(share.helper.ended_packet.detail, named));
	share_stop(&share);
}

static void test_unsupported_formats(void **state) {
	check_unsupported(state, "--formats NV12,I420", "NV12, I420");
	check_unsupported(state, "--formats BGRx --dmabuf-only", "BGRx as DMA-BUF only");
}

static void expect_refused(int fd, enum error_code code) {
	struct helper helper;
	helper_start(&helper);
	helper_open(&helper, fd, &share_usual);
	helper_expect_end(&helper, code);
	helper_stop(&helper);
}

static void test_refused_remote(void **state) {
	(void)state;
	int pair[2];
	/* Not a socket. */
	assert_int_equal(pipe(pair), 0);
	close(pair[1]);
	expect_refused(pair[0], ERROR_PIPEWIRE_REFUSED);
	/* A socket whose other end is gone. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	expect_refused(pair[0], ERROR_PIPEWIRE_REFUSED);
	/* No descriptor. */
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
	share_start(&share, *state, "--size 320x240", &share_usual);
	share_draw(&share);
	helper_open(&share.helper, rig_connect(*state), &share_usual);
	helper_expect_end(&share.helper, ERROR_BAD_PACKET);
	share_stop(&share);
}

/* When the peer stops reading, one frame waits, memory doesn't grow, and nothing is lost. */
static void test_full_socket(void **state) {
	struct share share;
	struct packet_open open = share_usual;
	open.max_kbps = 200000;
	share_start(&share, *state, "--size 1280x720", &open);
	share.helper.auto_credit = false;
	producer_say(&share.producer, "fill %06x", GREY);
	producer_send(&share.producer, "frame");
	helper_credit(&share.helper, 16);
	helper_credit(&share.helper, 16);
	producer_say(&share.producer, "run 100 100");
	producer_expect(&share.producer, "ran ");
	long before = process_status(share.helper.pid, "RssAnon");
	producer_say(&share.producer, "run 200 200");
	producer_expect(&share.producer, "ran ");
	assert_true(process_status(share.helper.pid, "RssAnon") - before < 1024);
	producer_say(&share.producer, "fill %06x", GREEN);
	producer_send(&share.producer, "frame");
	share.helper.auto_credit = true;
	share_settle(&share);
	helper_expect_colour(&share.helper, 1000, 600, GREEN);
	share_stop(&share);
}

/* helper_stop() checks that it exits once the socket is closed. */
static void test_exits_with_its_socket(void **state) {
	struct helper helper;
	helper_start(&helper);
	rig_took("exit with the socket, at the start", helper_stop(&helper));
	struct share share;
	share_start(&share, *state, "--size 320x240", &share_usual);
	producer_say(&share.producer, "run 60 60");
	helper_take_frame(&share.helper);
	rig_took("exit with the socket, of a running share", helper_stop(&share.helper));
	/* xdg-desktop-portal-wlr crashes if its stream still runs when the session closes. */
	assert_non_null(producer_look(&share.producer, "state paused"));
	assert_true(share.helper.saw_producer_stop);
	producer_stop(&share.producer);
}

/* The helper itself holds the socket's other end, so only the death signal can end it. */
static void test_dies_with_its_parent(void **state) {
	(void)state;
	int pair[2];
	int report[2];
	assert_int_equal(pipe(report), 0);
	pid_t parent = fork();
	if (parent == 0) {
		/* If a check below fails, the test ends first. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
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
	/* 2: the system call filter is on, so set-up is done. */
	int64_t began = time_now_ms();
	while (process_status(child, "Seccomp") != 2) {
		assert_true(time_now_ms() - began < RIG_CAP_MS);
		time_sleep_ms(5);
	}
	assert_false(process_gone(child));
	int64_t killed = time_now_ms();
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	while (!process_gone(child)) {
		assert_true(time_now_ms() - killed < RIG_CAP_MS);
		time_sleep_ms(5);
	}
	rig_took("exit with the parent", time_now_ms() - killed);
}

static void check_memory(void **state, enum packet_codec codec) {
	struct share share;
	struct packet_open open = share_usual;
	open.codec = codec;
	share_start(&share, *state, "--size 1920x1080", &open);
	for (uint32_t i = 0; i < 400; i++) {
		producer_say(&share.producer, "fill %06x %u %u 40 20", (i * 2654435761u) & 0xffffff,
			i * 97 % 1880, i * 53 % 1060);
	}
	producer_send(&share.producer, "frame");
	helper_take_frame(&share.helper);
	producer_say(&share.producer, "run 60 120");
	(void)share_expect(&share, "ran ");
	share_rest(&share);
	long peak = process_status(share.helper.pid, "VmHWM");
	print_message("peak resident memory at 1920x1080, %s: %ld KiB\n",
		codec == PACKET_CODEC_VP8 ? "VP8" : "VP9", peak);
	assert_true(peak < PEAK_MAX_KIB);
	share_stop(&share);
}

static void test_memory_vp8(void **state) {
	check_memory(state, PACKET_CODEC_VP8);
}

static void test_memory_vp9(void **state) {
	check_memory(state, PACKET_CODEC_VP9);
}

/* The last test, since it kills the daemon. */
static void test_daemon_death(void **state) {
	struct rig *rig = *state;
	struct share share;
	share_start(&share, rig, "--size 320x240", &share_usual);
	share_draw(&share);
	kill(rig->pipewire, SIGKILL);
	helper_expect_end(&share.helper, ERROR_PIPEWIRE_LOST);
	share_stop(&share);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_buffers),
		cmocka_unit_test(test_fps_is_bounded),
		cmocka_unit_test(test_still),
		cmocka_unit_test(test_no_credit),
		cmocka_unit_test(test_lost_first_picture),
		cmocka_unit_test(test_only_picture),
		cmocka_unit_test(test_keyframe),
		cmocka_unit_test(test_node_death),
		cmocka_unit_test(test_no_picture),
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
	return rig_run(tests, sizeof(tests) / sizeof(tests[0]));
}
