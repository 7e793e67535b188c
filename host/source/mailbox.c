#include "source/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "picture/cursor.h"
#include "source/pw_api.h"

/* A picture's time stamp is believed when it is at most this old. */
#define PTS_AGE_MAX_US 10000000

/* Buffers up to this size are read where they are mapped: 8 MiB are a picture of 1920x1080. All of
 * their pages stay resident. */
#define MAPPED_MAX ((size_t)16 * 1024 * 1024)

#define BITMAP_SIZE ((size_t)CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4)

bool mailbox_init(struct mailbox *mailbox, bool cursor_wanted,
	void (*read)(void *data, const struct source_picture *picture), void *data) {
	*mailbox = (struct mailbox){.read = read, .data = data, .cursor_wanted = cursor_wanted};
	pthread_mutex_init(&mailbox->lock, NULL);
	if (cursor_wanted) {
		mailbox->bitmap_new = malloc(BITMAP_SIZE);
		mailbox->bitmap_lent = malloc(BITMAP_SIZE);
	}
	return !cursor_wanted || (mailbox->bitmap_new != NULL && mailbox->bitmap_lent != NULL);
}

void mailbox_finish(struct mailbox *mailbox) {
	pthread_mutex_destroy(&mailbox->lock);
	pixel_file_finish(&mailbox->file);
	free(mailbox->bitmap_new);
	free(mailbox->bitmap_lent);
}

void mailbox_set_format(
	struct mailbox *mailbox, enum pixel_order order, uint32_t width, uint32_t height) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->width = width;
	mailbox->height = height;
	mailbox->order = order;
	mailbox->damage_full = true;
	/* One of the old format that comes yet is not the one that is waited for now. */
	mailbox->fresh = false;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_close(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->closed = true;
	pthread_mutex_unlock(&mailbox->lock);
}

static bool is_mapped(const struct spa_data *data) {
	return data->type != SPA_DATA_MemFd || data->maxsize <= MAPPED_MAX;
}

void mailbox_add_buffer(struct mailbox *mailbox, struct pw_buffer *buffer) {
	bool usable = buffer_map(buffer->buffer);
	if (!usable) {
		log_warning("a buffer's memory is not what the producer says; it is ignored");
	}
	pthread_mutex_lock(&mailbox->lock);
	buffer->user_data = usable ? mailbox : NULL;
	mailbox->usable += usable;
	mailbox->bare += !usable;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_remove_buffer(struct mailbox *mailbox, struct pw_buffer *buffer) {
	pthread_mutex_lock(&mailbox->lock);
	bool usable = buffer->user_data != NULL;
	mailbox->usable -= usable;
	mailbox->bare -= !usable;
	/* A cycle of the data thread can still bring it. */
	buffer->user_data = NULL;
	if (mailbox->held == buffer) {
		mailbox->held = NULL;
		mailbox->damage_full = true;
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (usable) {
		buffer_unmap(buffer->buffer);
	}
}

bool mailbox_is_bare(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	bool bare = mailbox->bare > 0 && mailbox->usable == 0;
	pthread_mutex_unlock(&mailbox->lock);
	return bare;
}

/* The newest picture replaces the one that waits, and takes over what changed in that one. */
static void hold_newest(struct mailbox *mailbox, struct pw_stream *stream, struct pw_buffer *buffer,
	const struct buffer_picture *picture, bool gap) {
	if (mailbox->held != NULL) {
		pw_stream_queue_buffer(stream, mailbox->held);
	}
	mailbox->held = buffer;
	mailbox->picture = *picture;
	mailbox->picture_order = mailbox->order;
	bool moved = memcmp(&picture->crop, &mailbox->last_crop, sizeof(picture->crop)) != 0 ||
		     picture->orientation != mailbox->last_orientation;
	mailbox->last_crop = picture->crop;
	mailbox->last_orientation = picture->orientation;
	/* The cursor has another place in the picture, though it may not have moved. */
	mailbox->cursor_changed = mailbox->cursor_changed || (moved && mailbox->bitmap > 0);
	mailbox->damage_full = mailbox->damage_full || moved || gap || !picture->damage_known;
	if (!mailbox->damage_full) {
		damage_unite(&mailbox->damage, &picture->damage);
	}
}

static void copy_bitmap(struct mailbox *mailbox, const struct buffer_cursor *cursor) {
	uint8_t *to = mailbox->bitmap_new;
	size_t row = (size_t)cursor->width * 4;
	for (uint32_t y = 0; y < cursor->height; y++) {
		const uint8_t *from = cursor->pixels + (size_t)y * (size_t)cursor->stride;
		memcpy(to, from, row);
		for (size_t x = 0; cursor->bgr && x < row; x += 4) {
			uint8_t blue = to[x];
			to[x] = to[x + 2];
			to[x + 2] = blue;
		}
		to += row;
	}
	mailbox->bitmap++;
}

/* Pictures tell of the cursor too. */
static void receive_cursor(struct mailbox *mailbox, const struct pw_buffer *buffer) {
	struct buffer_cursor cursor;
	if (!mailbox->cursor_wanted || mailbox->closed || buffer->user_data == NULL ||
		!buffer_read_cursor(buffer->buffer, CURSOR_SIDE_MAX, &cursor)) {
		return;
	}
	struct buffer_cursor *known = &mailbox->cursor;
	if (cursor.new_bitmap) {
		copy_bitmap(mailbox, &cursor);
		known->width = cursor.width;
		known->height = cursor.height;
		known->hot_x = cursor.hot_x;
		known->hot_y = cursor.hot_y;
	}
	mailbox->cursor_changed = mailbox->cursor_changed || cursor.new_bitmap ||
				  known->visible != cursor.visible || known->x != cursor.x ||
				  known->y != cursor.y;
	known->visible = cursor.visible;
	known->x = cursor.x;
	known->y = cursor.y;
}

/* Returns true when the buffer is kept. */
static bool receive_buffer(
	struct mailbox *mailbox, struct pw_stream *stream, struct pw_buffer *buffer) {
	if (mailbox->closed || mailbox->width == 0 || buffer->user_data == NULL) {
		mailbox->damage_full = true;
		return false;
	}
	struct buffer_picture picture;
	uint64_t sequence = 0;
	enum buffer_kind kind =
		buffer_read(buffer->buffer, mailbox->width, mailbox->height, &picture, &sequence);
	bool gap = sequence != 0 && mailbox->last_sequence != 0 &&
		   sequence != mailbox->last_sequence + 1;
	mailbox->last_sequence = sequence;
	switch (kind) {
	case BUFFER_PICTURE:
		hold_newest(mailbox, stream, buffer, &picture, gap);
		return true;
	case BUFFER_BROKEN:
		mailbox->damage_full = true;
		return false;
	case BUFFER_CURSOR:
		mailbox->damage_full = mailbox->damage_full || gap;
		return false;
	}
	return false;
}

/* NULL: the picture is read where it is mapped. */
static struct pixel_file *open_file(struct mailbox *mailbox, const struct spa_data *data) {
	bool opened = !is_mapped(data) && pixel_file_open(&mailbox->file, (int)data->fd, data->data,
						  data->mapoffset, mailbox->picture.stride);
	return opened ? &mailbox->file : NULL;
}

/* Lends the picture that is held to the reader, and gives its buffer back. */
static void read_held(struct mailbox *mailbox, struct pw_stream *stream) {
	struct pw_buffer *buffer = mailbox->held;
	uint32_t width = (uint32_t)mailbox->picture.crop.width;
	uint32_t height = (uint32_t)mailbox->picture.crop.height;
	int64_t now = clock_us();
	int64_t pts = mailbox->picture.pts_us;
	const struct source_picture picture = {
		.pixels = {.top = mailbox->picture.top,
			.file = open_file(mailbox, &buffer->buffer->datas[0]),
			.stride = mailbox->picture.stride,
			.order = mailbox->picture_order,
			.width = width,
			.height = height},
		.orientation = mailbox->picture.orientation,
		.damage = mailbox->damage_full ? NULL : &mailbox->damage,
		.pts_us = pts <= now && pts >= now - PTS_AGE_MAX_US && pts >= 0 ? pts : now,
	};
	mailbox->read(mailbox->data, &picture);
	damage_clear(&mailbox->damage);
	mailbox->damage_full = false;
	mailbox->held = NULL;
	pw_stream_queue_buffer(stream, buffer);
}

bool mailbox_receive(struct mailbox *mailbox, struct pw_stream *stream) {
	bool fresh = false;
	pthread_mutex_lock(&mailbox->lock);
	struct pw_buffer *buffer;
	while ((buffer = pw_stream_dequeue_buffer(stream)) != NULL) {
		receive_cursor(mailbox, buffer);
		if (receive_buffer(mailbox, stream, buffer)) {
			fresh = true;
		} else {
			pw_stream_queue_buffer(stream, buffer);
		}
	}
	if (mailbox->wanted && mailbox->held != NULL) {
		read_held(mailbox, stream);
	}
	mailbox->fresh = mailbox->fresh || fresh;
	fresh = fresh || mailbox->cursor_changed;
	pthread_mutex_unlock(&mailbox->lock);
	return fresh;
}

void mailbox_want(struct mailbox *mailbox, struct pw_stream *stream, bool wanted) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->wanted = wanted;
	if (wanted && mailbox->held != NULL) {
		read_held(mailbox, stream);
	}
	pthread_mutex_unlock(&mailbox->lock);
}

bool mailbox_peek(struct mailbox *mailbox, uint32_t *width, uint32_t *height) {
	pthread_mutex_lock(&mailbox->lock);
	bool fresh = mailbox->fresh && !mailbox->closed;
	mailbox->fresh = false;
	*width = (uint32_t)mailbox->picture.crop.width;
	*height = (uint32_t)mailbox->picture.crop.height;
	orientation_size(mailbox->picture.orientation, width, height);
	pthread_mutex_unlock(&mailbox->lock);
	return fresh;
}

/* Whatever a producer claims, places stay so near that sums of them don't overflow. */
static int32_t relative(int32_t place, int32_t origin) {
	const int64_t far = 1 << 20;
	int64_t distance = (int64_t)place - origin;
	return (int32_t)(distance < -far ? -far : distance > far ? far : distance);
}

bool mailbox_cursor(struct mailbox *mailbox, struct source_cursor *cursor) {
	pthread_mutex_lock(&mailbox->lock);
	bool changed = mailbox->cursor_changed;
	const struct buffer_cursor *known = &mailbox->cursor;
	mailbox->cursor_changed = false;
	*cursor = (struct source_cursor){
		.visible = known->visible,
		.x = relative(known->x, mailbox->last_crop.x),
		.y = relative(known->y, mailbox->last_crop.y),
		.bitmap = mailbox->bitmap,
		.width = known->width,
		.height = known->height,
		.hot_x = relative(known->hot_x, 0),
		.hot_y = relative(known->hot_y, 0),
		.rgba = mailbox->bitmap_lent,
	};
	if (changed) {
		memcpy(mailbox->bitmap_lent, mailbox->bitmap_new,
			(size_t)known->width * known->height * 4);
	}
	pthread_mutex_unlock(&mailbox->lock);
	return changed;
}

bool mailbox_cursor_changed(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	bool changed = mailbox->cursor_changed && !mailbox->closed;
	pthread_mutex_unlock(&mailbox->lock);
	return changed;
}
