/*
 * The source's cursor as a CURSOR packet: in the encoded picture's pixels, with a bitmap that is
 * small enough and has straight alpha. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/canvas.h"
#include "source/source.h"
#include "wire/packet.h"

/* Zero-initialise it. */
struct cursor_packet {
	bool known;                  /* the source has reported one */
	bool waits;                  /* there is something new to send */
	bool bitmap_waits;           /* including a new bitmap */
	uint32_t bitmap;             /* the source's count */
	struct packet_cursor cursor; /* x and y are in the source's pixels */
	uint8_t rgba[PACKET_CURSOR_SIDE_MAX * PACKET_CURSOR_SIDE_MAX * 4];
};

void cursor_packet_update(struct cursor_packet *cursor, const struct source_cursor *source);

/* Its position in the encoded picture has to be sent again, if a cursor is known. */
void cursor_packet_repeat(struct cursor_packet *cursor);

/* The packet to send: the position, and the new bitmap if one waits and `bitmap` allows it. The
 * bitmap is lent until the next update. */
struct packet cursor_packet_make(
	struct cursor_packet *cursor, const struct canvas *canvas, bool bitmap);
