#include "capture/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"

/* Longer than any packet to the helper. */
#define RECEIVE_SIZE 64u
/* An empty queue keeps at most this much memory. */
#define QUEUE_KEPT ((size_t)1024 * 1024)

bool channel_init(struct channel *channel, int fd) {
	int type = 0;
	socklen_t length = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
		return false;
	}
	*channel = (struct channel){.fd = fd};
	return true;
}

void channel_finish(struct channel *channel) {
	/* Closing with unread packets would reset the connection, and the peer would get an error
	 * instead of the last packets. After the shutdown nothing new can arrive. */
	shutdown(channel->fd, SHUT_RDWR);
	uint8_t dropped[RECEIVE_SIZE];
	while (recv(channel->fd, dropped, sizeof(dropped), MSG_DONTWAIT) > 0) {
	}
	close(channel->fd);
	channel->fd = -1;
	bytes_finish(&channel->queue);
}

enum channel_result channel_receive(struct channel *channel, struct packet *packet, int *fd) {
	uint8_t data[RECEIVE_SIZE];
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		/* Room for one descriptor: the kernel closes others and sets MSG_CTRUNC. */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	cleanup_fd int received = -1;
	*fd = -1;
	ssize_t length = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (length < 0) {
		return errno == EAGAIN || errno == EINTR ? CHANNEL_EMPTY : CHANNEL_CLOSED;
	}
	if (CMSG_FIRSTHDR(&message) != NULL && control.header.cmsg_type == SCM_RIGHTS) {
		memcpy(&received, CMSG_DATA(&control.header), sizeof(received));
	}
	if (length == 0 && received < 0) {
		return CHANNEL_CLOSED;
	}
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
		!packet_parse(data, (size_t)length, packet) || packet->type >= PACKET_READY ||
		(received >= 0) != (packet->type == PACKET_OPEN)) {
		return CHANNEL_BAD;
	}
	*fd = steal_fd(&received);
	return CHANNEL_PACKET;
}

/* Returns 1: sent, 0: the socket is full, -1: the peer is gone. */
static int send_now(struct channel *channel, const struct iovec *vectors, size_t count) {
	struct msghdr message = {.msg_iov = (struct iovec *)vectors, .msg_iovlen = count};
	if (sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		return 1;
	}
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -1;
}

static bool queue_packet(struct channel *channel, const uint8_t *head, size_t head_length,
	const struct iovec *body) {
	uint8_t prefix[4];
	bytes_put(prefix, head_length + body->iov_len, 4);
	/* All or nothing: never send half a packet. */
	return bytes_reserve(&channel->queue, sizeof(prefix) + head_length + body->iov_len) &&
	       bytes_append(&channel->queue, prefix, sizeof(prefix)) &&
	       bytes_append(&channel->queue, head, head_length) &&
	       bytes_append(&channel->queue, body->iov_base, body->iov_len);
}

static bool send_or_queue(
	struct channel *channel, uint8_t *head, size_t head_length, const struct iovec *body) {
	if (channel->broken) {
		return false;
	}
	int sent = 0;
	if (channel_idle(channel)) {
		const struct iovec vectors[] = {{.iov_base = head, .iov_len = head_length}, *body};
		sent = send_now(channel, vectors, body->iov_len > 0 ? 2 : 1);
	}
	channel->broken =
		sent < 0 || (sent == 0 && !queue_packet(channel, head, head_length, body));
	return !channel->broken;
}

bool channel_send(struct channel *channel, const struct packet *packet) {
	uint8_t head[PACKET_DETAIL_MAX + 64];
	struct iovec body = {0};
	if (packet->type == PACKET_CURSOR) {
		body.iov_base = (uint8_t *)packet->cursor.rgba;
		body.iov_len = packet_cursor_length(&packet->cursor);
	}
	return send_or_queue(channel, head, packet_write(packet, head), &body);
}

bool channel_send_frame(struct channel *channel, const struct packet_frame *frame,
	const uint8_t *data, size_t length) {
	if (length == 0 || length > CHANNEL_FRAME_MAX) {
		return false;
	}
	struct packet packet = {.type = PACKET_FRAME, .frame = *frame};
	packet.frame.parts = (uint16_t)((length + PACKET_PAYLOAD_MAX - 1) / PACKET_PAYLOAD_MAX);
	for (uint16_t part = 0; part < packet.frame.parts; part++) {
		size_t offset = (size_t)part * PACKET_PAYLOAD_MAX;
		packet.frame.part = part;
		packet.frame.payload_length = (uint32_t)MIN(length - offset, PACKET_PAYLOAD_MAX);
		uint8_t head[64];
		struct iovec body = {.iov_base = (uint8_t *)data + offset,
			.iov_len = packet.frame.payload_length};
		if (!send_or_queue(channel, head, packet_write(&packet, head), &body)) {
			return false;
		}
	}
	return true;
}

bool channel_flush(struct channel *channel) {
	while (!channel->broken && !channel_idle(channel)) {
		uint8_t *at = channel->queue.data + channel->sent;
		struct reader reader;
		reader_init(&reader, at, channel->queue.length - channel->sent);
		struct iovec vector = {.iov_len = reader_integer(&reader, 4)};
		vector.iov_base = at + reader.offset;
		int sent = send_now(channel, &vector, 1);
		if (sent == 0) {
			return true;
		}
		channel->broken = sent < 0;
		channel->sent += reader.offset + vector.iov_len;
	}
	if (channel_idle(channel)) {
		channel->queue.length = 0;
		channel->sent = 0;
		if (channel->queue.capacity > QUEUE_KEPT) {
			bytes_finish(&channel->queue);
		}
	}
	return !channel->broken;
}

bool channel_idle(const struct channel *channel) {
	return channel->sent == channel->queue.length;
}
