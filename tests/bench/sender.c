#include "sender.h"

#include <sys/socket.h>
#include <sys/uio.h>

void sender_init(struct sender *sender, enum packet_codec codec, uint32_t width, uint32_t height) {
	*sender = (struct sender){.codec = codec, .width = width, .height = height};
}

bool sender_frame(
	struct sender *sender, int64_t pts_us, bool key, const uint8_t *data, size_t length) {
	struct packet packet = {.type = PACKET_FRAME,
		.frame = {.sequence = sender->sequence++,
			.parts = (uint16_t)((length + PACKET_PAYLOAD_MAX - 1) / PACKET_PAYLOAD_MAX),
			.key = key,
			.codec = sender->codec,
			.width = sender->width,
			.height = sender->height,
			.pts_us = pts_us}};
	for (uint16_t part = 0; part < packet.frame.parts; part++) {
		size_t offset = (size_t)part * PACKET_PAYLOAD_MAX;
		size_t left = length - offset;
		packet.frame.part = part;
		packet.frame.payload_length =
			(uint32_t)(left < PACKET_PAYLOAD_MAX ? left : PACKET_PAYLOAD_MAX);
		uint8_t head[64];
		struct iovec vectors[2] = {
			{.iov_base = head, .iov_len = packet_write(&packet, head)},
			{.iov_base = (void *)(data + offset),
				.iov_len = packet.frame.payload_length},
		};
		struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
		if (sendmsg(SENDER_FD, &message, MSG_NOSIGNAL) < 0) {
			return false;
		}
	}
	return true;
}
