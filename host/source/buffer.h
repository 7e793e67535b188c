/*
 * Reads PipeWire video buffers from an untrusted producer: nothing returned here points outside
 * the buffer's memory. Pure, except for the mapping.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/damage.h"
#include "picture/orientation.h"

struct spa_buffer;

enum buffer_kind {
	BUFFER_PICTURE,
	BUFFER_CURSOR, /* only the cursor changed; its pixels and damage are stale */
	BUFFER_BROKEN, /* corrupted, empty or invalid: its damage is unknown */
};

struct buffer_picture {
	const uint8_t *top; /* leftmost pixel of the cropped picture's upper row */
	int32_t stride;     /* negative: bottom-up */
	struct rect crop;   /* within the format's size; at least 2x2 */
	enum orientation orientation;
	bool damage_known;
	struct damage damage; /* relative to the crop */
	int64_t pts_us;       /* -1: unknown */
};

/*
 * Reads a mapped buffer of 4-byte pixels. width, height: the negotiated format's, up to 16384.
 * *picture is only set for BUFFER_PICTURE; *sequence always, 0 if unknown.
 */
enum buffer_kind buffer_read(const struct spa_buffer *buffer, uint32_t width, uint32_t height,
	struct buffer_picture *picture, uint64_t *sequence);

struct buffer_cursor {
	bool visible;
	int32_t x; /* of the hotspot, in the buffer's pixels */
	int32_t y;
	bool new_bitmap;
	/* The rest is only set with a new bitmap. */
	uint32_t width; /* up to `side`; 0: it shows nothing */
	uint32_t height;
	int32_t hot_x;
	int32_t hot_y;
	bool bgr;              /* blue comes first, not red */
	const uint8_t *pixels; /* lent with the buffer; 4 bytes each, premultiplied alpha */
	int32_t stride;
};

/* False when the buffer has no cursor metadata. Bitmaps that are invalid or larger than side x side
 * are ignored. */
bool buffer_read_cursor(
	const struct spa_buffer *buffer, uint32_t side, struct buffer_cursor *cursor);

/*
 * Maps the buffer's MemFd read-only; its `data` is set until buffer_unmap(). False when the file is
 * shorter than the producer claims, or for any other type of memory, whose length is unknown.
 * PipeWire would map it with the flags that the producer chose: writable, or since 1.6 not at all.
 */
bool buffer_map(struct spa_buffer *buffer);
/* Undoes a buffer_map() that returned true. */
void buffer_unmap(struct spa_buffer *buffer);
