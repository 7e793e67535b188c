/*
 * What a PipeWire video buffer says about itself, judged without trust: nothing here leads outside
 * of the buffer's memory. Pure, but for the mapping of that memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/damage.h"
#include "picture/orientation.h"

struct spa_buffer;

enum buffer_kind {
	BUFFER_PICTURE,
	BUFFER_CURSOR, /* only the pointer changed; its picture and its damage are stale */
	BUFFER_BROKEN, /* corrupted, empty or senseless: what it changed is unknown */
};

struct buffer_picture {
	const uint8_t *top; /* leftmost pixel of the upper row of the cropped picture */
	int32_t stride;
	struct rect crop; /* within the format's size; its size is the picture's */
	enum orientation orientation;
	bool damage_known;
	struct damage damage; /* relative to the crop */
	int64_t pts_us;       /* -1: unknown */
};

/*
 * Reads a mapped buffer of 4-byte pixels. width, height: the negotiated format's size, at most
 * 16384. *picture is set for BUFFER_PICTURE only; *sequence always, 0 where it is unknown.
 */
enum buffer_kind buffer_read(const struct spa_buffer *buffer, uint32_t width, uint32_t height,
	struct buffer_picture *picture, uint64_t *sequence);

/* A cursor as the buffer's metadata tells of it. */
struct buffer_cursor {
	bool visible;
	int32_t x; /* of the hotspot, in the buffer's pixels */
	int32_t y;
	bool new_bitmap;
	/* Of the new bitmap; 0: it shows nothing. At most `side` of buffer_read_cursor(). */
	uint32_t width;
	uint32_t height;
	int32_t hot_x;
	int32_t hot_y;
	bool bgr;              /* blue comes first, not red */
	const uint8_t *pixels; /* lent with the buffer; 4 bytes each, alpha multiplied in */
	int32_t stride;
};

/* False when the buffer says nothing of a cursor. A bitmap larger than side x side, or one that
 * makes no sense, counts as none. */
bool buffer_read_cursor(
	const struct spa_buffer *buffer, uint32_t side, struct buffer_cursor *cursor);

/*
 * Makes the memory behind a buffer readable, or returns false: it is not what it claims to be. A
 * MemFd is mapped here, for reading alone, when its file is as long as the mapping: PipeWire would
 * map it as its producer says, which may be for writing, and from 1.6 on, where that says nothing,
 * not at all. A MemPtr is there already. Its `data` is set until buffer_unmap().
 */
bool buffer_map(struct spa_buffer *buffer);
/* Undoes a buffer_map() that returned true. */
void buffer_unmap(struct spa_buffer *buffer);
