#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/channel.h"

struct pair {
	struct channel channel;
	int peer;
};

static int set_up(void **state) {
	struct pair *pair = calloc(1, sizeof(*pair));
	int fds[2];
	assert_non_null(pair);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(channel_init(&pair->channel, fds[0]));
	pair->peer = fds[1];
	*state = pair;
	return 0;
}

static int tear_down(void **state) {
	struct pair *pair = *state;
	channel_finish(&pair->channel);
	if (pair->peer >= 0) {
		close(pair->peer);
	}
	free(pair);
	return 0;
}

static void peer_send(
	struct pair *pair, const void *data, size_t length, const int *fds, size_t count) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(pair->peer, &message, 0), length);
}

static void peer_send_packet(
	struct pair *pair, const struct packet *packet, const int *fds, size_t count) {
	uint8_t bytes[PACKET_SIZE_MAX];
	peer_send(pair, bytes, packet_write(packet, bytes), fds, count);
}

static const struct packet open_packet = {
	.type = PACKET_OPEN,
	.open = {.node_id = 7,
		.codec = PACKET_CODEC_VP9,
		.max_fps = 30,
		.max_kbps = 500,
		.credit = 2},
};

static int open_descriptors(void) {
	int count = 0;
	for (int fd = 0; fd < 64; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

static void test_receives(void **state) {
	struct pair *pair = *state;
	struct packet packet;
	int fd = 99;
	assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_EMPTY);
	assert_int_equal(fd, -1);
	int file = open("/dev/null", O_RDONLY);
	peer_send_packet(pair, &open_packet, &file, 1);
	close(file);
	peer_send_packet(
		pair, &(struct packet){.type = PACKET_CREDIT, .credit.frames = 3}, NULL, 0);
	assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_PACKET);
	assert_int_equal(packet.type, PACKET_OPEN);
	assert_int_equal(packet.open.node_id, 7);
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_PACKET);
	assert_int_equal(packet.credit.frames, 3);
	assert_int_equal(fd, -1);
	close(pair->peer);
	pair->peer = -1;
	assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_CLOSED);
}

/* Every bad packet is taken off the socket and leaves no descriptor open. */
static void test_bad_packets(void **state) {
	struct pair *pair = *state;
	struct packet packet;
	int fd;
	int before = open_descriptors();
	const int files[] = {
		STDIN_FILENO, STDERR_FILENO, STDIN_FILENO, STDERR_FILENO, STDIN_FILENO};
	const struct packet credit = {.type = PACKET_CREDIT, .credit.frames = 1};
	const struct packet ready = {.type = PACKET_READY,
		.ready = {PACKET_CODEC_VP8, 640, 480, 640, 480, PACKET_CHROMA_420}};
	uint8_t large[4096] = {PACKET_KEYFRAME, 0};
	peer_send_packet(pair, &open_packet, NULL, 0);
	peer_send_packet(pair, &open_packet, files, 2);
	peer_send_packet(pair, &open_packet, files, 5);
	peer_send_packet(pair, &credit, files, 1);
	peer_send_packet(pair, &ready, NULL, 0);
	peer_send(pair, large, sizeof(large), NULL, 0);
	peer_send(pair, "\377", 1, NULL, 0);
	peer_send(pair, "\1\0\1", 3, files, 1);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_BAD);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_EMPTY);
	assert_int_equal(open_descriptors(), before);
}

static void test_random_bytes(void **state) {
	struct pair *pair = *state;
	srand(4);
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[32];
		size_t length = 1 + (size_t)rand() % sizeof(bytes);
		for (size_t i = 0; i < length; i++) {
			bytes[i] = (uint8_t)(rand() % 5 == 0 ? rand() : rand() % 4);
		}
		struct packet packet;
		int fd;
		peer_send(pair, bytes, length, NULL, 0);
		enum channel_result result = channel_receive(&pair->channel, &packet, &fd);
		assert_true(result == CHANNEL_PACKET || result == CHANNEL_BAD);
		assert_int_equal(channel_receive(&pair->channel, &packet, &fd), CHANNEL_EMPTY);
	}
}

static const struct packet_frame header = {.codec = PACKET_CODEC_VP8,
	.sequence = 5,
	.key = true,
	.width = 640,
	.height = 480,
	.pts_us = 123456};

static uint8_t byte_at(size_t offset) {
	return (uint8_t)(offset * 31 + offset / 65536 * 7);
}

/* Receives one packet. False when there is none. */
static bool peer_receive(struct pair *pair, uint8_t *data, struct packet *packet) {
	ssize_t got = recv(pair->peer, data, PACKET_SIZE_MAX, MSG_DONTWAIT);
	if (got <= 0) {
		return false;
	}
	assert_true(packet_parse(data, (size_t)got, packet));
	return true;
}

static void check_frame(struct pair *pair, size_t length) {
	cleanup_free uint8_t *data = malloc(length);
	cleanup_free uint8_t *packet_data = malloc(PACKET_SIZE_MAX);
	assert_non_null(data);
	assert_non_null(packet_data);
	for (size_t i = 0; i < length; i++) {
		data[i] = byte_at(i);
	}
	assert_true(channel_send_frame(&pair->channel, &header, data, length));
	memset(data, 0, length);
	size_t parts = (length + PACKET_PAYLOAD_MAX - 1) / PACKET_PAYLOAD_MAX;
	size_t offset = 0;
	for (size_t part = 0; part < parts; part++) {
		struct packet packet;
		while (!peer_receive(pair, packet_data, &packet)) {
			assert_true(channel_flush(&pair->channel));
		}
		assert_int_equal(packet.type, PACKET_FRAME);
		assert_int_equal(packet.frame.sequence, 5);
		assert_int_equal(packet.frame.part, part);
		assert_int_equal(packet.frame.parts, parts);
		assert_true(packet.frame.key);
		assert_int_equal(packet.frame.pts_us, 123456);
		for (uint32_t i = 0; i < packet.frame.payload_length; i++) {
			if (packet.frame.payload[i] != byte_at(offset + i)) {
				fail_msg("byte %zu is wrong", offset + i);
			}
		}
		offset += packet.frame.payload_length;
	}
	assert_int_equal(offset, length);
	assert_true(channel_flush(&pair->channel));
	assert_true(channel_idle(&pair->channel));
	struct packet packet;
	assert_false(peer_receive(pair, packet_data, &packet));
}

static void test_fragments(void **state) {
	struct pair *pair = *state;
	const size_t lengths[] = {1, 100, PACKET_PAYLOAD_MAX - 1, PACKET_PAYLOAD_MAX,
		PACKET_PAYLOAD_MAX + 1, 3 * PACKET_PAYLOAD_MAX, 5000000, CHANNEL_FRAME_MAX};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		check_frame(pair, lengths[i]);
	}
	/* The memory for a large frame is not kept. */
	assert_true(pair->channel.queue.capacity <= 1024 * 1024);
	uint8_t byte = 0;
	assert_false(channel_send_frame(&pair->channel, &header, &byte, 0));
	assert_false(channel_send_frame(&pair->channel, &header, &byte, CHANNEL_FRAME_MAX + 1));
}

/* Small packets stay in order behind a frame. */
static void test_order_behind_a_full_socket(void **state) {
	struct pair *pair = *state;
	cleanup_free uint8_t *data = calloc(1, 2000000);
	cleanup_free uint8_t *packet_data = malloc(PACKET_SIZE_MAX);
	struct packet packet = {.type = PACKET_ENDED, .ended = {ERROR_SOURCE_GONE, "gone"}};
	assert_true(channel_send_frame(&pair->channel, &header, data, 2000000));
	assert_false(channel_idle(&pair->channel));
	assert_true(channel_send(&pair->channel, &packet));
	int frames = 0;
	for (;;) {
		while (!peer_receive(pair, packet_data, &packet)) {
			assert_true(channel_flush(&pair->channel));
		}
		if (packet.type != PACKET_FRAME) {
			break;
		}
		frames++;
	}
	assert_int_equal(frames, 31);
	assert_int_equal(packet.type, PACKET_ENDED);
	assert_string_equal(packet.ended.detail, "gone");
}

static void test_peer_gone(void **state) {
	struct pair *pair = *state;
	close(pair->peer);
	pair->peer = -1;
	const struct packet packet = {
		.type = PACKET_READY, .ready = {PACKET_CODEC_VP8, 2, 2, 2, 2, PACKET_CHROMA_420}};
	assert_false(channel_send(&pair->channel, &packet));
	assert_true(pair->channel.broken);
	uint8_t byte = 1;
	assert_false(channel_send_frame(&pair->channel, &header, &byte, 1));
	assert_false(channel_flush(&pair->channel));
}

/* The last packets arrive even if the peer's packets were never read. */
static void test_finish_over_unread_packets(void **state) {
	(void)state;
	int fds[2];
	struct channel channel;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(channel_init(&channel, fds[0]));
	assert_int_equal(send(fds[1], "\3", 2, 0), 2);
	const struct packet packet = {.type = PACKET_ENDED, .ended = {ERROR_SOURCE_GONE, "x"}};
	assert_true(channel_send(&channel, &packet));
	channel_finish(&channel);
	uint8_t data[64];
	assert_true(recv(fds[1], data, sizeof(data), 0) > 0);
	assert_int_equal(recv(fds[1], data, sizeof(data), 0), 0);
	close(fds[1]);
}

static void test_wrong_descriptors(void **state) {
	(void)state;
	struct channel channel;
	int fds[2];
	assert_false(channel_init(&channel, -1));
	assert_false(channel_init(&channel, 63));
	assert_int_equal(pipe(fds), 0);
	assert_false(channel_init(&channel, fds[0]));
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_false(channel_init(&channel, fds[0]));
	close(fds[0]);
	close(fds[1]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_receives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_packets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fragments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_behind_a_full_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_gone, set_up, tear_down),
		cmocka_unit_test(test_finish_over_unread_packets),
		cmocka_unit_test(test_wrong_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
