/*
 * The source's cursor as a CURSOR packet: in the encoded picture's pixels, its bitmap small enough
 * and with alpha not multiplied in. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/canvas.h"
#include "source/source.h"
#include "wire/packet.h"

/* Zero-initialise it. */
struct cursor_packet {
	bool known;        /* the source told of it */
	bool waits;        /* there is news to send */
	bool bitmap_waits; /* and a new bitmap */
	bool visible;
	int32_t x; /* of the hotspot, in the source's pixels */
	int32_t y;
	uint32_t bitmap; /* the source's count */
	uint16_t width;
	uint16_t height;
	uint16_t hot_x;
	uint16_t hot_y;
	uint8_t rgba[PACKET_CURSOR_SIDE_MAX * PACKET_CURSOR_SIDE_MAX * 4];
};

void cursor_packet_update(struct cursor_packet *cursor, const struct source_cursor *source);

/* Its place in the encoded picture is to be told again, once it is known. */
void cursor_packet_repeat(struct cursor_packet *cursor);

/* The packet to send; then nothing waits. Its bitmap is lent until the next update. */
struct packet cursor_packet_make(struct cursor_packet *cursor, const struct canvas *canvas);
