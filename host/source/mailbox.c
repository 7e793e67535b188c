#include "source/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "picture/cursor.h"
#include "source/pw_api.h"

/* Older time stamps are not believed. */
#define PTS_AGE_MAX_US 10000000

/* Larger buffers are not read through their mapping, whose pages would all stay resident. A picture
 * of 1920x1080 has 8 MiB. */
#define MAPPED_MAX ((size_t)16 * 1024 * 1024)

#define BITMAP_SIZE ((size_t)CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4)

bool mailbox_init(struct mailbox *mailbox, bool cursor_wanted,
	void (*read)(void *data, const struct source_picture *picture), void *data) {
	*mailbox = (struct mailbox){.read = read, .data = data};
	pthread_mutex_init(&mailbox->lock, NULL);
	if (!cursor_wanted) {
		return true;
	}
	mailbox->bitmap = malloc(BITMAP_SIZE);
	mailbox->bitmap_lent = malloc(BITMAP_SIZE);
	return mailbox->bitmap != NULL && mailbox->bitmap_lent != NULL;
}

void mailbox_finish(struct mailbox *mailbox) {
	pthread_mutex_destroy(&mailbox->lock);
	pixel_file_finish(&mailbox->file);
	free(mailbox->bitmap);
	free(mailbox->bitmap_lent);
}

void mailbox_set_format(
	struct mailbox *mailbox, enum pixel_order order, uint32_t width, uint32_t height) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->width = width;
	mailbox->height = height;
	mailbox->order = order;
	mailbox->damage_unknown = true;
	/* Whoever waits for the new format's first picture must not take an old one for it. */
	mailbox->fresh = false;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_close(struct mailbox *mailbox) {
	mailbox_set_format(mailbox, PIXEL_ORDER_BGR, 0, 0);
}

void mailbox_ignore_damage(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->damage_ignored = true;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_add_buffer(struct mailbox *mailbox, struct pw_buffer *buffer) {
	bool readable = buffer_map(buffer->buffer);
	if (!readable) {
		log_warning("ignoring a buffer: its memory is not what the producer claims");
	}
	mailbox->readable += readable;
	mailbox->buffers++;
	pthread_mutex_lock(&mailbox->lock);
	buffer->user_data = readable ? mailbox : NULL;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_remove_buffer(struct mailbox *mailbox, struct pw_buffer *buffer) {
	bool readable = buffer->user_data != NULL;
	mailbox->readable -= readable;
	mailbox->buffers--;
	pthread_mutex_lock(&mailbox->lock);
	/* The data thread may still dequeue it. */
	buffer->user_data = NULL;
	if (mailbox->held == buffer) {
		mailbox->held = NULL;
		mailbox->damage_unknown = true;
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (readable) {
		buffer_unmap(buffer->buffer);
	}
}

bool mailbox_is_unreadable(struct mailbox *mailbox) {
	return mailbox->buffers > 0 && mailbox->readable == 0;
}

/* Replaces the held buffer; its damage is kept. */
static void hold(struct mailbox *mailbox, struct pw_stream *stream, struct pw_buffer *buffer,
	const struct buffer_picture *picture) {
	if (mailbox->held != NULL) {
		pw_stream_queue_buffer(stream, mailbox->held);
	}
	bool moved = memcmp(&picture->crop, &mailbox->crop, sizeof(picture->crop)) != 0 ||
		     picture->orientation != mailbox->picture.orientation;
	mailbox->held = buffer;
	mailbox->crop = picture->crop;
	mailbox->picture = (struct source_picture){
		.pixels = {.top = picture->top,
			.stride = picture->stride,
			.order = mailbox->order,
			.width = (uint32_t)picture->crop.width,
			.height = (uint32_t)picture->crop.height},
		.orientation = picture->orientation,
		.pts_us = picture->pts_us,
	};
	/* The picture moved beneath the cursor. */
	mailbox->cursor_changed |= moved && mailbox->cursor.bitmap > 0;
	mailbox->damage_unknown |= moved || !picture->damage_known || mailbox->damage_ignored;
	if (!mailbox->damage_unknown) {
		damage_unite(&mailbox->damage, &picture->damage);
	}
}

/* Cursor metadata comes with pictures as well as in cursor-only buffers. */
static void receive_cursor(struct mailbox *mailbox, const struct spa_buffer *buffer) {
	struct buffer_cursor now;
	if (mailbox->bitmap == NULL || !buffer_read_cursor(buffer, CURSOR_SIDE_MAX, &now)) {
		return;
	}
	struct source_cursor *cursor = &mailbox->cursor;
	mailbox->cursor_changed |= now.new_bitmap || now.visible != cursor->visible ||
				   now.x != cursor->x || now.y != cursor->y;
	cursor->visible = now.visible;
	cursor->x = now.x;
	cursor->y = now.y;
	if (now.new_bitmap) {
		cursor_copy_bitmap(
			now.pixels, now.stride, now.bgr, now.width, now.height, mailbox->bitmap);
		cursor->bitmap++;
		cursor->width = now.width;
		cursor->height = now.height;
		cursor->hot_x = now.hot_x;
		cursor->hot_y = now.hot_y;
	}
}

/* Returns true when the buffer is held. */
static bool receive_buffer(
	struct mailbox *mailbox, struct pw_stream *stream, struct pw_buffer *buffer) {
	if (mailbox->width == 0 || buffer->user_data == NULL) {
		mailbox->damage_unknown = true;
		return false;
	}
	receive_cursor(mailbox, buffer->buffer);
	struct buffer_picture picture;
	uint64_t sequence = 0;
	enum buffer_kind kind =
		buffer_read(buffer->buffer, mailbox->width, mailbox->height, &picture, &sequence);
	bool gap = sequence != 0 && mailbox->sequence != 0 && sequence != mailbox->sequence + 1;
	mailbox->sequence = sequence;
	mailbox->damage_unknown |= gap || kind == BUFFER_BROKEN;
	if (kind != BUFFER_PICTURE) {
		return false;
	}
	hold(mailbox, stream, buffer, &picture);
	return true;
}

/* Lends the held picture to the reader, if it wants one, and queues its buffer. */
static void read_held(struct mailbox *mailbox, struct pw_stream *stream) {
	struct pw_buffer *buffer = mailbox->held;
	if (!mailbox->wanted || buffer == NULL) {
		return;
	}
	const struct spa_data *data = &buffer->buffer->datas[0];
	struct source_picture *picture = &mailbox->picture;
	if (data->maxsize > MAPPED_MAX && pixel_file_open(&mailbox->file, (int)data->fd, data->data,
						  data->mapoffset, picture->pixels.stride)) {
		picture->pixels.file = &mailbox->file;
	}
	int64_t now = clock_us();
	int64_t pts = picture->pts_us;
	picture->pts_us = pts >= 0 && pts <= now && pts >= now - PTS_AGE_MAX_US ? pts : now;
	picture->damage = mailbox->damage_unknown ? NULL : &mailbox->damage;
	mailbox->read(mailbox->data, picture);
	damage_clear(&mailbox->damage);
	mailbox->damage_unknown = false;
	mailbox->held = NULL;
	pw_stream_queue_buffer(stream, buffer);
}

bool mailbox_receive(struct mailbox *mailbox, struct pw_stream *stream) {
	bool fresh = false;
	pthread_mutex_lock(&mailbox->lock);
	struct pw_buffer *buffer;
	while ((buffer = pw_stream_dequeue_buffer(stream)) != NULL) {
		if (receive_buffer(mailbox, stream, buffer)) {
			fresh = true;
		} else {
			pw_stream_queue_buffer(stream, buffer);
		}
	}
	read_held(mailbox, stream);
	mailbox->fresh |= fresh;
	fresh |= mailbox->cursor_changed;
	pthread_mutex_unlock(&mailbox->lock);
	return fresh;
}

void mailbox_want(struct mailbox *mailbox, struct pw_stream *stream, bool wanted) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->wanted = wanted;
	read_held(mailbox, stream);
	pthread_mutex_unlock(&mailbox->lock);
}

bool mailbox_peek(struct mailbox *mailbox, uint32_t *width, uint32_t *height) {
	pthread_mutex_lock(&mailbox->lock);
	bool fresh = mailbox->fresh;
	mailbox->fresh = false;
	*width = mailbox->picture.pixels.width;
	*height = mailbox->picture.pixels.height;
	orientation_size(mailbox->picture.orientation, width, height);
	pthread_mutex_unlock(&mailbox->lock);
	return fresh;
}

/* A producer may claim any position. This keeps sums of positions from overflowing. */
static int32_t relative(int32_t position, int32_t origin) {
	const int64_t far = 1 << 20;
	int64_t distance = (int64_t)position - origin;
	return (int32_t)SPA_CLAMP(distance, -far, far);
}

bool mailbox_cursor(struct mailbox *mailbox, struct source_cursor *cursor) {
	pthread_mutex_lock(&mailbox->lock);
	bool changed = mailbox->cursor_changed;
	mailbox->cursor_changed = false;
	*cursor = mailbox->cursor;
	cursor->x = relative(cursor->x, mailbox->crop.x);
	cursor->y = relative(cursor->y, mailbox->crop.y);
	cursor->hot_x = relative(cursor->hot_x, 0);
	cursor->hot_y = relative(cursor->hot_y, 0);
	cursor->rgba = mailbox->bitmap_lent;
	if (changed) {
		memcpy(mailbox->bitmap_lent, mailbox->bitmap,
			(size_t)cursor->width * cursor->height * 4);
	}
	pthread_mutex_unlock(&mailbox->lock);
	return changed;
}

bool mailbox_cursor_changed(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	bool changed = mailbox->cursor_changed;
	pthread_mutex_unlock(&mailbox->lock);
	return changed;
}
