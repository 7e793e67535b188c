/*
 * The newest picture of a stream, on its way from PipeWire's data thread to the loop.
 *
 * The process callback runs on the data thread, because only there does a queued buffer return to
 * its producer in the same cycle. A producer with two buffers whose consumer queues them later
 * never gets another cycle to receive one in, and freezes. While pictures are wanted, the callback
 * lends the newest one to the reader and queues its buffer at once, so that an encode on the loop
 * never holds up a buffer. Otherwise it swaps the held buffer for the newer one. At most one buffer
 * is held.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "picture/pixel_file.h"
#include "source/buffer.h"
#include "source/source.h"

struct pw_buffer;
struct pw_stream;

struct mailbox {
	pthread_mutex_t lock;
	void (*read)(void *data, const struct source_picture *picture);
	void *data;
	uint32_t buffers;  /* in the pool */
	uint32_t readable; /* of these */
	/* The rest is guarded by `lock`. */
	enum pixel_order order; /* the negotiated format */
	uint32_t width;         /* 0: none, and every buffer goes straight back */
	uint32_t height;
	bool wanted;
	bool fresh;                    /* a picture arrived since mailbox_peek() */
	struct pw_buffer *held;        /* the newest picture's, until it is read */
	struct source_picture picture; /* the newest one */
	struct rect crop;              /* of the newest picture */
	struct pixel_file file;        /* reads large pictures */
	struct damage damage;          /* since the last picture that was read */
	bool damage_unknown;
	bool damage_ignored;
	uint64_t sequence;           /* of the last buffer; 0: unknown */
	struct source_cursor cursor; /* in the buffer's coordinates */
	bool cursor_changed;         /* since mailbox_cursor() */
	uint8_t *bitmap;             /* owned; the newest; NULL: cursors are not wanted */
	uint8_t *bitmap_lent;        /* owned; the loop's copy */
};

/* `read` is called with the lock held. False when out of memory; call mailbox_finish() even so. */
bool mailbox_init(struct mailbox *mailbox, bool cursor_wanted,
	void (*read)(void *data, const struct source_picture *picture), void *data);
void mailbox_finish(struct mailbox *mailbox);

/* The negotiated format, of all buffers from here on. */
void mailbox_set_format(
	struct mailbox *mailbox, enum pixel_order order, uint32_t width, uint32_t height);

/* The producer's damage is wrong: from here on every picture's damage is unknown. */
void mailbox_ignore_damage(struct mailbox *mailbox);

/* From here on every buffer goes straight back. */
void mailbox_close(struct mailbox *mailbox);

/* A buffer joins or leaves the pool. It is only read in between, and only if its memory can be
 * trusted. Call them directly from PipeWire's events: it loses pictures that arrive before the last
 * buffer has joined. */
void mailbox_add_buffer(struct mailbox *mailbox, struct pw_buffer *buffer);
void mailbox_remove_buffer(struct mailbox *mailbox, struct pw_buffer *buffer);
/* True when the pool has buffers, but none of them can be read. */
bool mailbox_is_unreadable(struct mailbox *mailbox);

/* On the data thread: dequeues all buffers, reads or holds the newest picture and queues the
 * others. True when there is a new picture or the cursor changed. */
bool mailbox_receive(struct mailbox *mailbox, struct pw_stream *stream);

/* The newest picture's upright size. False when none arrived since the last call. */
bool mailbox_peek(struct mailbox *mailbox, uint32_t *width, uint32_t *height);

/* See source_want(). `stream` may be NULL before the first picture. */
void mailbox_want(struct mailbox *mailbox, struct pw_stream *stream, bool wanted);

/* See source_cursor(). */
bool mailbox_cursor(struct mailbox *mailbox, struct source_cursor *cursor);
/* True when mailbox_cursor() would return true. */
bool mailbox_cursor_changed(struct mailbox *mailbox);
