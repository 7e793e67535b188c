#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell.h"

void *cell_grow(void *list, size_t count, size_t size) {
	/* In steps, by doubling. */
	if ((count & (count - 1)) != 0) {
		return list;
	}
	void *grown = realloc(list, (count == 0 ? 1 : 2 * count) * size);
	if (grown == NULL) {
		cell_fail("out of memory");
	}
	return grown;
}

static void take_line(struct cell *cell, const char *line) {
	uint32_t step = 0;
	long long time = 0;
	if (sscanf(line, "shown %u %lld", &step, &time) == 2) {
		cell->shown = cell_grow(cell->shown, cell->shown_count, sizeof(*cell->shown));
		cell->shown[cell->shown_count++] = (struct shown){.step = step, .pts_ns = time};
	} else if (sscanf(line, "node %u", &step) == 1) {
		cell->node_id = step;
	} else if (strncmp(line, "missed", 6) == 0) {
		cell->missed++;
	} else if (strncmp(line, "warm", 4) == 0) {
		cell->warm = true;
	} else if (strncmp(line, "ran", 3) == 0) {
		cell->ran = true;
	}
}

static void read_answers(struct cell *cell) {
	size_t room = sizeof(cell->line) - 1 - cell->line_length;
	ssize_t got = read(cell->answers, cell->line + cell->line_length, room);
	if (got <= 0) {
		cell_fail("the producer ended");
	}
	cell->line_length += (size_t)got;
	cell->line[cell->line_length] = '\0';
	char *end;
	while ((end = strchr(cell->line, '\n')) != NULL) {
		*end = '\0';
		take_line(cell, cell->line);
		cell->line_length -= (size_t)(end + 1 - cell->line);
		memmove(cell->line, end + 1, cell->line_length + 1);
	}
}

void cell_send(const struct cell *cell, const struct packet *packet, int fd) {
	uint8_t bytes[PACKET_SIZE_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = bytes, .iov_len = packet_write(packet, bytes)};
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
	sendmsg(cell->socket, &message, MSG_NOSIGNAL);
}

static void take_frame(struct cell *cell, const struct packet_frame *packet) {
	if (packet->part == 0) {
		cell->frames = cell_grow(cell->frames, cell->frame_count, sizeof(*cell->frames));
		cell->frames[cell->frame_count++] = (struct frame){.pts_us = packet->pts_us,
			.vp8 = packet->codec == PACKET_CODEC_VP8,
			.offset = cell->data.length};
	}
	struct frame *frame = &cell->frames[cell->frame_count - 1];
	bytes_append(&cell->data, packet->payload, packet->payload_length);
	frame->length += packet->payload_length;
	if (packet->part + 1 == packet->parts) {
		frame->received_us = clock_us();
		frame->last_packet = cell->packets;
		if (strcmp(cell->engine, "portlight") == 0) {
			cell_send(cell, &(struct packet){.type = PACKET_CREDIT, .credit.frames = 1},
				-1);
		}
	}
}

static void read_frames(struct cell *cell) {
	static uint8_t data[PACKET_SIZE_MAX + 1];
	ssize_t got = recv(cell->socket, data, sizeof(data), 0);
	struct packet packet;
	if (got <= 0 || !packet_parse(data, (size_t)got, &packet)) {
		cell_fail("the engine ended or sent nonsense");
	}
	if (packet.type == PACKET_ENDED) {
		fprintf(stderr, "bench-cell: %s: %s\n", error_code_string(packet.ended.code),
			packet.ended.detail);
		exit(1);
	} else if (packet.type == PACKET_FRAME) {
		take_frame(cell, &packet.frame);
	}
	cell->packets++;
}

bool cell_serve(struct cell *cell, bool (*done)(const struct cell *cell), uint32_t timeout_ms) {
	int64_t deadline = clock_us() + timeout_ms * INT64_C(1000);
	int64_t left;
	while (!done(cell) && (left = deadline - clock_us()) > 0) {
		struct pollfd polled[2] = {
			{.fd = cell->answers, .events = POLLIN},
			{.fd = cell->socket, .events = POLLIN},
		};
		if (poll(polled, 2, (int)(left / 1000) + 1) < 0) {
			cell_fail("poll failed");
		}
		if (polled[1].revents != 0) {
			read_frames(cell);
		}
		if (polled[0].revents != 0) {
			read_answers(cell);
		}
	}
	return done(cell);
}
