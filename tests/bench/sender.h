/*
 * How an engine of the benchmark hands its frames over: as FRAME packets (wire/packet.h) on
 * descriptor 3, as portlight-capture does, so that all of them pay the same for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/packet.h"

#define SENDER_FD 3

struct sender {
	uint32_t sequence;
	enum packet_codec codec;
	uint32_t width;
	uint32_t height;
};

void sender_init(struct sender *sender, enum packet_codec codec, uint32_t width, uint32_t height);

/* Sends a whole frame; blocks while the socket is full. False when the reader is gone. */
bool sender_frame(
	struct sender *sender, int64_t pts_us, bool key, const uint8_t *data, size_t length);
