#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vpx/vp8dx.h>

#include "capture_rig.h"
#include "unit.h"

/* The size of the log's pipe: the helper must never wait for a test to read it. */
#define LOG_ROOM (1024 * 1024)

/* Looks for "settled" in a line of the log. Lines of others, like a sanitizer, go to stderr. */
static void note_line(struct helper *helper, const char *line) {
	uint32_t frames = 0;
	uint32_t credit = 0;
	int64_t pts_us = 0;
	const char *settled = strstr(line, "debug: settled: ");
	if (settled != NULL && sscanf(settled,
				       "debug: settled: %" SCNu32 " frames, credit for %" SCNu32
				       ", pictures until %" SCNd64,
				       &frames, &credit, &pts_us) == 3) {
		helper->settled_frames = frames;
		helper->settled_credit = credit;
		helper->settled_us = pts_us;
	}
	if (strncmp(line, "portlight-capture[", 18) != 0 ||
		getenv("PORTLIGHT_TEST_VERBOSE") != NULL) {
		fprintf(stderr, "%s\n", line);
	}
}

/* Reads what the log has, or closes it at its end. */
static void read_log(struct helper *helper) {
	char text[4096];
	ssize_t got = read(helper->log_fd, text, sizeof(text));
	if (got <= 0) {
		close(helper->log_fd);
		helper->log_fd = -1;
		return;
	}
	helper->log = realloc(helper->log, helper->log_length + (size_t)got + 1);
	assert_non_null(helper->log);
	memcpy(helper->log + helper->log_length, text, (size_t)got);
	helper->log_length += (size_t)got;
	helper->log[helper->log_length] = '\0';
	char *end;
	while ((end = strchr(helper->log + helper->log_seen, '\n')) != NULL) {
		*end = '\0';
		note_line(helper, helper->log + helper->log_seen);
		*end = '\n';
		helper->log_seen = (size_t)(end + 1 - helper->log);
	}
}

/* Prints the end of the log, which may say why a test fails. */
static void print_log(const struct helper *helper) {
	const size_t most = 2000;
	if (helper->log != NULL) {
		print_error("%s",
			helper->log + (helper->log_length > most ? helper->log_length - most : 0));
	}
}

void helper_start(struct helper *helper) {
	*helper = (struct helper){0};
	int pair[2];
	int log[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	(void)fcntl(log[1], F_SETPIPE_SZ, LOG_ROOM);
	helper->pid = fork();
	if (helper->pid == 0) {
		/* As from a browser, without the desktop's environment, */
		unsetenv("XDG_RUNTIME_DIR");
		/* and for a user who redirects sound. */
		setenv("PIPEWIRE_NODE", "4242", 1);
		setenv("PIPEWIRE_AUTOCONNECT", "0", 1);
		/* The leak check at exit uses ptrace, which the sandbox kills for. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		setenv("PORTLIGHT_LOG", "debug", 1);
		dup2(log[1], STDERR_FILENO);
		if (pair[1] == 3) {
			fcntl(3, F_SETFD, 0);
		} else {
			dup2(pair[1], 3);
		}
		execl(RIG_HELPER, RIG_HELPER, NULL);
		_exit(127);
	}
	close(pair[1]);
	close(log[1]);
	helper->socket = pair[0];
	helper->log_fd = log[0];
}

int64_t helper_stop(struct helper *helper) {
	int64_t began = time_now_ms();
	close(helper->socket);
	/* The log ends with the process. */
	struct pollfd poller = {.fd = helper->log_fd, .events = POLLIN};
	while (helper->log_fd >= 0 && poll(&poller, 1, RIG_CAP_MS) > 0) {
		read_log(helper);
	}
	int status = 0;
	if (helper->log_fd >= 0) {
		print_log(helper);
		kill(helper->pid, SIGKILL);
		fail_msg("the helper lives on after its socket closed");
	}
	assert_int_equal(waitpid(helper->pid, &status, 0), helper->pid);
	int64_t took = time_now_ms() - began;
	if (helper->decoder_open) {
		vpx_codec_destroy(&helper->decoder);
	}
	helper->saw_producer_stop = helper_logged(helper, "the producer stopped") > 0;
	free(helper->data);
	free(helper->log);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return took;
}

static void send_with_fd(int socket, const void *data, size_t length, int fd) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(socket, &message, MSG_NOSIGNAL), length);
}

void helper_open(struct helper *helper, int fd, const struct packet_open *open) {
	const struct packet packet = {.type = PACKET_OPEN, .open = *open};
	helper->granted += open->credit;
	uint8_t bytes[PACKET_SIZE_MAX];
	send_with_fd(helper->socket, bytes, packet_write(&packet, bytes), fd);
	if (fd >= 0) {
		close(fd);
	}
}

void helper_send(struct helper *helper, const struct packet *packet) {
	uint8_t bytes[PACKET_SIZE_MAX];
	helper_send_bytes(helper, bytes, packet_write(packet, bytes));
}

void helper_send_bytes(struct helper *helper, const void *data, size_t length) {
	send_with_fd(helper->socket, data, length, -1);
}

void helper_set(struct helper *helper, struct packet_set set) {
	helper_send(helper, &(struct packet){.type = PACKET_SET, .set = set});
}

void helper_credit(struct helper *helper, uint16_t frames) {
	helper->granted += frames;
	helper_send(helper, &(struct packet){.type = PACKET_CREDIT, .credit.frames = frames});
}

static void decode(struct helper *helper) {
	if (helper->decoder_open && helper->codec != helper->frame.codec) {
		assert_true(helper->frame.key);
		vpx_codec_destroy(&helper->decoder);
		helper->decoder_open = false;
	}
	if (!helper->decoder_open) {
		helper->codec = helper->frame.codec;
		vpx_codec_iface_t *interface =
			helper->codec == PACKET_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
		assert_int_equal(vpx_codec_dec_init(&helper->decoder, interface, NULL, 0), 0);
		helper->decoder_open = true;
	}
	assert_int_equal(vpx_codec_decode(&helper->decoder, helper->data,
				 (unsigned int)helper->frame_length, NULL, 0),
		VPX_CODEC_OK);
	vpx_codec_iter_t iterator = NULL;
	helper->image = vpx_codec_get_frame(&helper->decoder, &iterator);
	assert_non_null(helper->image);
	assert_int_equal(helper->image->d_w, helper->frame.width);
	assert_int_equal(helper->image->d_h, helper->frame.height);
}

/* True when the fragment completes its frame. */
static bool take_fragment(struct helper *helper, const struct packet_frame *frame) {
	assert_true(helper->ready);
	assert_int_equal(frame->sequence, helper->frames);
	if (frame->part == 0) {
		helper->frame_length = 0;
		if (helper->frames > 0) {
			assert_true(frame->pts_us > helper->frame.pts_us);
		}
		helper->frame = *frame;
	}
	assert_true(frame->parts == helper->frame.parts);
	size_t needed = helper->frame_length + frame->payload_length;
	if (needed > helper->capacity) {
		helper->data = realloc(helper->data, needed);
		assert_non_null(helper->data);
		helper->capacity = needed;
	}
	memcpy(helper->data + helper->frame_length, frame->payload, frame->payload_length);
	helper->frame_length = needed;
	if (frame->part + 1 < frame->parts) {
		return false;
	}
	helper->frames++;
	assert_true(helper->frames <= helper->granted);
	helper->keyframes += frame->key;
	return true;
}

/* Takes one packet. True when it completed a frame. */
static bool take_packet(struct helper *helper, const uint8_t *data, size_t length) {
	struct packet packet;
	assert_true(packet_parse(data, length, &packet));
	assert_false(helper->ended);
	switch (packet.type) {
	case PACKET_READY:
		assert_false(helper->ready);
		helper->ready = true;
		helper->ready_packet = packet.ready;
		return false;
	case PACKET_ENDED:
		helper->ended = true;
		helper->ended_packet = packet.ended;
		return false;
	case PACKET_CURSOR:
		assert_true(helper->ready);
		helper->cursor = packet.cursor;
		helper->cursors++;
		helper->bitmaps += packet.cursor.width > 0;
		if (helper->auto_credit && packet.cursor.width > 0) {
			helper_credit(helper, 1);
		}
		return false;
	case PACKET_FRAME:
		return take_fragment(helper, &packet.frame);
	default:
		fail_msg("a packet of type %d from the helper", packet.type);
		return false;
	}
}

/* Receives at most one packet, or a piece of the log. False at the deadline, or when nothing more
 * will come. */
static bool receive(struct helper *helper, int64_t deadline, bool *whole) {
	static uint8_t data[PACKET_SIZE_MAX + 1];
	struct pollfd pollers[] = {
		{.fd = helper->socket, .events = POLLIN}, {.fd = helper->log_fd, .events = POLLIN}};
	int64_t left = deadline - time_now_ms();
	*whole = false;
	if (helper->closed || poll(pollers, 2, left > 0 ? (int)left : 0) <= 0) {
		return false;
	}
	if (pollers[1].revents != 0) {
		read_log(helper);
	}
	if (pollers[0].revents == 0) {
		return true;
	}
	ssize_t got = recv(helper->socket, data, sizeof(data), 0);
	if (got <= 0) {
		helper->closed = true;
		return false;
	}
	*whole = take_packet(helper, data, (size_t)got);
	if (*whole) {
		decode(helper);
		if (helper->auto_credit) {
			helper_credit(helper, 1);
		}
	}
	return true;
}

void helper_await(struct helper *helper, const char *what) {
	bool whole = false;
	if (!receive(helper, time_now_ms() + RIG_CAP_MS, &whole)) {
		print_log(helper);
		fail_msg("%s %s", helper->closed ? "the helper is gone:" : "nothing comes:", what);
	}
}

void helper_take_frame(struct helper *helper) {
	uint32_t frames = helper->frames;
	while (helper->frames == frames) {
		helper_await(helper, "no frame");
	}
}

void helper_watch(struct helper *helper, int ms) {
	int64_t deadline = time_now_ms() + ms;
	bool whole = false;
	while (receive(helper, deadline, &whole)) {
	}
}

void helper_rest(struct helper *helper, int64_t sent_us) {
	while (helper->settled_frames != helper->frames ||
		helper->settled_credit != helper->granted - helper->frames - helper->bitmaps ||
		helper->settled_us < sent_us || !helper->ready) {
		helper_await(helper, "it does not settle");
	}
}

void helper_echo(struct helper *helper) {
	helper_credit(helper, 1);
	helper_rest(helper, 0);
}

void helper_await_cursor(struct helper *helper, int32_t x, int32_t y) {
	while (helper->cursors == 0 || helper->cursor.x != x || helper->cursor.y != y) {
		helper_await(helper, "the cursor does not move");
	}
}

uint32_t helper_logged(const struct helper *helper, const char *text) {
	uint32_t times = 0;
	const char *at = helper->log;
	while (at != NULL && (at = strstr(at, text)) != NULL) {
		times++;
		at++;
	}
	return times;
}

void helper_await_logged(struct helper *helper, const char *text, uint32_t times) {
	while (helper_logged(helper, text) < times) {
		helper_await(helper, text);
	}
}

void helper_expect_end(struct helper *helper, enum error_code code) {
	while (!helper->ended) {
		helper_await(helper, "no end");
	}
	assert_string_equal(error_code_string(helper->ended_packet.code), error_code_string(code));
	bool whole = false;
	while (receive(helper, time_now_ms() + RIG_CAP_MS, &whole)) {
	}
	assert_true(helper->closed);
}

/* Returns the plane that differs, with its value and the right one; -1: none does. */
static int other_plane(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour,
	int *got, double *should) {
	assert_non_null(helper->image);
	const vpx_image_t *image = helper->image;
	assert_true(x < image->d_w && y < image->d_h);
	double red = (double)(colour >> 16 & 255);
	double green = (double)(colour >> 8 & 255);
	double blue = (double)(colour & 255);
	/* BT.601, limited range. */
	const double wanted[3] = {
		16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255,
		128 + (-37.797 * red - 74.203 * green + 112.0 * blue) / 255,
		128 + (112.0 * red - 93.786 * green - 18.214 * blue) / 255,
	};
	for (int plane = 0; plane < 3; plane++) {
		uint32_t column = plane == 0 ? x : x / 2;
		uint32_t row = plane == 0 ? y : y / 2;
		*got = image->planes[plane][(int)row * image->stride[plane] + (int)column];
		*should = wanted[plane];
		if (*got - *should > 6 || *got - *should < -6) {
			return plane;
		}
	}
	return -1;
}

void helper_expect_colour(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour) {
	int got = 0;
	double should = 0;
	int plane = other_plane(helper, x, y, colour, &got, &should);
	if (plane >= 0) {
		fail_msg("at %u,%u plane %d: %d instead of %.0f (%06x)", x, y, plane, got, should,
			colour);
	}
}

bool helper_shows(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour) {
	int got = 0;
	double should = 0;
	return other_plane(helper, x, y, colour, &got, &should) < 0;
}

void helper_await_colour(struct helper *helper, uint32_t x, uint32_t y, uint32_t colour) {
	int64_t deadline = time_now_ms() + RIG_CAP_MS;
	bool whole = false;
	while (!helper_shows(helper, x, y, colour) && receive(helper, deadline, &whole)) {
	}
	helper_expect_colour(helper, x, y, colour);
}

const struct packet_open share_usual = {
	.codec = PACKET_CODEC_VP9, .max_fps = 60, .max_kbps = 8000, .credit = 16};

void share_begin(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open) {
	producer_start(&share->producer, rig, arguments);
	helper_start(&share->helper);
	struct packet_open packet = *open;
	packet.node_id = share->producer.node_id;
	share->helper.auto_credit = open->credit > 0;
	helper_open(&share->helper, rig_connect(rig), &packet);
}

void share_start(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open) {
	share_begin(share, rig, arguments, open);
	producer_expect(&share->producer, "state streaming");
	helper_await_logged(&share->helper, "stream: streaming", 1);
	/* Both ends report streaming before PipeWire schedules them together, and what is sent in
	 * between is lost. test_lost_first_picture() is about that. */
	time_sleep_ms(100);
}

void share_stop(struct share *share) {
	helper_stop(&share->helper);
	producer_stop(&share->producer);
}

void share_rest(struct share *share) {
	helper_rest(&share->helper, share->producer.sent_us);
}

void share_settle(struct share *share) {
	helper_take_frame(&share->helper);
	share_rest(share);
}

const char *share_expect(struct share *share, const char *wanted) {
	int64_t deadline = time_now_ms() + RIG_CAP_MS;
	const char *line;
	while ((line = producer_look(&share->producer, wanted)) == NULL) {
		if (time_now_ms() > deadline) {
			fail_msg("the producer does not say %s", wanted);
			break;
		}
		helper_watch(&share->helper, 5);
	}
	return line;
}

void share_draw(struct share *share) {
	producer_send(&share->producer, "frame");
	share_settle(share);
}

void share_show(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open, uint32_t colour) {
	share_start(share, rig, arguments, open);
	producer_say(&share->producer, "fill %06x", colour);
	share_draw(share);
}
