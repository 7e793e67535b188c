/*
 * The newest picture of a stream, between PipeWire's data thread and the loop.
 *
 * The stream's process callback runs on the data thread, because only there a buffer that is given
 * back returns to its producer in the same cycle. A producer with two buffers whose consumer gives
 * back later never gets another cycle to receive it in, and freezes. While pictures are wanted the
 * callback lends the newest one to the reader and gives its buffer back at once; an encode on the
 * loop holds no buffer up. Otherwise it only swaps the waiting buffer for the newer one. `lock`
 * guards that, and with it all that the reader touches. At most one buffer is held.
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
	void (*read)(
		void *data, const struct source_picture *picture); /* as source_events has it */
	void *data;
	/* Guarded by `lock`. */
	uint32_t width; /* of the negotiated format; 0 before it */
	uint32_t height;
	enum pixel_order order;
	uint32_t usable;        /* buffers in the pool that can be read */
	uint32_t bare;          /* and those that can't */
	bool closed;            /* nothing is held any more */
	bool wanted;            /* pictures are read as they come */
	bool fresh;             /* one came since mailbox_peek() */
	struct pw_buffer *held; /* the newest picture's, until it is read */
	struct buffer_picture picture;
	enum pixel_order picture_order;
	struct pixel_file file; /* through which large pictures are read */
	struct rect last_crop;
	struct damage damage; /* since the last picture that was read */
	bool damage_full;     /* or there is no telling */
	enum orientation last_orientation;
	uint64_t last_sequence;
	bool cursor_wanted;
	bool cursor_changed;         /* since mailbox_cursor() */
	struct buffer_cursor cursor; /* without its lent pixels */
	uint32_t bitmap;             /* counts bitmaps */
	uint8_t *bitmap_new;         /* owned; the newest one, rows without gaps */
	uint8_t *bitmap_lent;        /* owned; the loop's copy */
};

/* `read` is called with the lock held; `cursor_wanted`: whether cursors are of interest. False when
 * memory ran out. */
bool mailbox_init(struct mailbox *mailbox, bool cursor_wanted,
	void (*read)(void *data, const struct source_picture *picture), void *data);
void mailbox_finish(struct mailbox *mailbox);

/* A format was negotiated; buffers that come from here on have it. */
void mailbox_set_format(
	struct mailbox *mailbox, enum pixel_order order, uint32_t width, uint32_t height);

/* From here on every buffer goes straight back. */
void mailbox_close(struct mailbox *mailbox);

/* A buffer joins or leaves the pool. Outside of it, or with untrusted memory, it is never read. At
 * once: PipeWire loses every picture that comes before the last buffer has joined. */
void mailbox_add_buffer(struct mailbox *mailbox, struct pw_buffer *buffer);
void mailbox_remove_buffer(struct mailbox *mailbox, struct pw_buffer *buffer);
/* True when there are buffers, and none of them can be read. */
bool mailbox_is_bare(struct mailbox *mailbox);

/* On the data thread: takes all buffers that wait, reads or keeps the newest picture's and gives
 * the others back. True when there is a new picture, or news of the cursor. */
bool mailbox_receive(struct mailbox *mailbox, struct pw_stream *stream);

/* The newest picture's upright size. False when none came since the last call. */
bool mailbox_peek(struct mailbox *mailbox, uint32_t *width, uint32_t *height);

/* As source_want(). `stream` may be NULL before the first picture. */
void mailbox_want(struct mailbox *mailbox, struct pw_stream *stream, bool wanted);

/* As source_cursor(). */
bool mailbox_cursor(struct mailbox *mailbox, struct source_cursor *cursor);
/* True when mailbox_cursor() has news. */
bool mailbox_cursor_changed(struct mailbox *mailbox);
