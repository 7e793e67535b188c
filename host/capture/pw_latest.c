#include "capture/pw_latest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/cursor.h"
#include "capture/pw_api.h"

/* A picture's time stamp is believed when it is at most this old. */
#define PTS_AGE_MAX_US 10000000

/* Buffers up to this size are read where they are mapped: 8 MiB are a picture of 1920x1080. All of
 * their pages stay resident. */
#define MAPPED_MAX ((size_t)16 * 1024 * 1024)

#define BITMAP_SIZE ((size_t)CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4)

bool pw_latest_init(struct pw_latest *latest, bool cursor_wanted,
	void (*read)(void *data, const struct source_picture *picture), void *data) {
	*latest = (struct pw_latest){.read = read, .data = data, .cursor_wanted = cursor_wanted};
	pthread_mutex_init(&latest->lock, NULL);
	if (cursor_wanted) {
		latest->bitmap_new = malloc(BITMAP_SIZE);
		latest->bitmap_lent = malloc(BITMAP_SIZE);
	}
	return !cursor_wanted || (latest->bitmap_new != NULL && latest->bitmap_lent != NULL);
}

void pw_latest_finish(struct pw_latest *latest) {
	pthread_mutex_destroy(&latest->lock);
	pixel_file_finish(&latest->file);
	free(latest->bitmap_new);
	free(latest->bitmap_lent);
}

void pw_latest_set_format(
	struct pw_latest *latest, enum pixel_order order, uint32_t width, uint32_t height) {
	pthread_mutex_lock(&latest->lock);
	latest->width = width;
	latest->height = height;
	latest->order = order;
	latest->damage_full = true;
	/* One of the old format that comes yet is not the one that is waited for now. */
	latest->fresh = false;
	pthread_mutex_unlock(&latest->lock);
}

void pw_latest_close(struct pw_latest *latest) {
	pthread_mutex_lock(&latest->lock);
	latest->closed = true;
	pthread_mutex_unlock(&latest->lock);
}

static bool is_mapped(const struct spa_data *data) {
	return data->type != SPA_DATA_MemFd || data->maxsize <= MAPPED_MAX;
}

void pw_latest_add_buffer(struct pw_latest *latest, struct pw_buffer *buffer) {
	bool usable = pw_buffer_map(buffer->buffer);
	if (!usable) {
		log_warning("a buffer's memory is not what the producer says; it is ignored");
	}
	pthread_mutex_lock(&latest->lock);
	buffer->user_data = usable ? latest : NULL;
	latest->usable += usable;
	latest->bare += !usable;
	pthread_mutex_unlock(&latest->lock);
}

void pw_latest_remove_buffer(struct pw_latest *latest, struct pw_buffer *buffer) {
	pthread_mutex_lock(&latest->lock);
	bool usable = buffer->user_data != NULL;
	latest->usable -= usable;
	latest->bare -= !usable;
	/* A cycle of the data thread can still bring it. */
	buffer->user_data = NULL;
	if (latest->held == buffer) {
		latest->held = NULL;
		latest->damage_full = true;
	}
	pthread_mutex_unlock(&latest->lock);
	if (usable) {
		pw_buffer_unmap(buffer->buffer);
	}
}

bool pw_latest_is_bare(struct pw_latest *latest) {
	pthread_mutex_lock(&latest->lock);
	bool bare = latest->bare > 0 && latest->usable == 0;
	pthread_mutex_unlock(&latest->lock);
	return bare;
}

/* The newest picture replaces the one that waits, and takes over what changed in that one. */
static void hold_newest(struct pw_latest *latest, struct pw_stream *stream,
	struct pw_buffer *buffer, const struct pw_buffer_picture *picture, bool gap) {
	if (latest->held != NULL) {
		pw_stream_queue_buffer(stream, latest->held);
	}
	latest->held = buffer;
	latest->picture = *picture;
	latest->picture_order = latest->order;
	bool moved = memcmp(&picture->crop, &latest->last_crop, sizeof(picture->crop)) != 0 ||
		     picture->orientation != latest->last_orientation;
	latest->last_crop = picture->crop;
	latest->last_orientation = picture->orientation;
	/* The cursor has another place in the picture, though it may not have moved. */
	latest->cursor_changed = latest->cursor_changed || (moved && latest->bitmap > 0);
	latest->damage_full = latest->damage_full || moved || gap || !picture->damage_known;
	if (!latest->damage_full) {
		damage_unite(&latest->damage, &picture->damage);
	}
}

static void copy_bitmap(struct pw_latest *latest, const struct pw_buffer_cursor *cursor) {
	uint8_t *to = latest->bitmap_new;
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
	latest->bitmap++;
}

/* Pictures tell of the cursor too. */
static void receive_cursor(struct pw_latest *latest, const struct pw_buffer *buffer) {
	struct pw_buffer_cursor cursor;
	if (!latest->cursor_wanted || latest->closed || buffer->user_data == NULL ||
		!pw_buffer_read_cursor(buffer->buffer, CURSOR_SIDE_MAX, &cursor)) {
		return;
	}
	struct pw_buffer_cursor *known = &latest->cursor;
	if (cursor.new_bitmap) {
		copy_bitmap(latest, &cursor);
		known->width = cursor.width;
		known->height = cursor.height;
		known->hot_x = cursor.hot_x;
		known->hot_y = cursor.hot_y;
	}
	latest->cursor_changed = latest->cursor_changed || cursor.new_bitmap ||
				 known->visible != cursor.visible || known->x != cursor.x ||
				 known->y != cursor.y;
	known->visible = cursor.visible;
	known->x = cursor.x;
	known->y = cursor.y;
}

/* Returns true when the buffer is kept. */
static bool receive_buffer(
	struct pw_latest *latest, struct pw_stream *stream, struct pw_buffer *buffer) {
	if (latest->closed || latest->width == 0 || buffer->user_data == NULL) {
		latest->damage_full = true;
		return false;
	}
	struct pw_buffer_picture picture;
	uint64_t sequence = 0;
	enum pw_buffer_kind kind =
		pw_buffer_read(buffer->buffer, latest->width, latest->height, &picture, &sequence);
	bool gap = sequence != 0 && latest->last_sequence != 0 &&
		   sequence != latest->last_sequence + 1;
	latest->last_sequence = sequence;
	switch (kind) {
	case PW_BUFFER_PICTURE:
		hold_newest(latest, stream, buffer, &picture, gap);
		return true;
	case PW_BUFFER_BROKEN:
		latest->damage_full = true;
		return false;
	case PW_BUFFER_CURSOR:
		latest->damage_full = latest->damage_full || gap;
		return false;
	}
	return false;
}

/* NULL: the picture is read where it is mapped. */
static struct pixel_file *open_file(struct pw_latest *latest, const struct spa_data *data) {
	bool opened = !is_mapped(data) && pixel_file_open(&latest->file, (int)data->fd, data->data,
						  data->mapoffset, latest->picture.stride);
	return opened ? &latest->file : NULL;
}

/* Lends the picture that is held to the reader, and gives its buffer back. */
static void read_held(struct pw_latest *latest, struct pw_stream *stream) {
	struct pw_buffer *buffer = latest->held;
	uint32_t width = (uint32_t)latest->picture.crop.width;
	uint32_t height = (uint32_t)latest->picture.crop.height;
	int64_t now = clock_us();
	int64_t pts = latest->picture.pts_us;
	const struct source_picture picture = {
		.pixels = {.top = latest->picture.top,
			.file = open_file(latest, &buffer->buffer->datas[0]),
			.stride = latest->picture.stride,
			.order = latest->picture_order,
			.width = width,
			.height = height},
		.orientation = latest->picture.orientation,
		.damage = latest->damage_full ? NULL : &latest->damage,
		.pts_us = pts <= now && pts >= now - PTS_AGE_MAX_US && pts >= 0 ? pts : now,
	};
	latest->read(latest->data, &picture);
	damage_clear(&latest->damage);
	latest->damage_full = false;
	latest->held = NULL;
	pw_stream_queue_buffer(stream, buffer);
}

bool pw_latest_receive(struct pw_latest *latest, struct pw_stream *stream) {
	bool fresh = false;
	pthread_mutex_lock(&latest->lock);
	struct pw_buffer *buffer;
	while ((buffer = pw_stream_dequeue_buffer(stream)) != NULL) {
		receive_cursor(latest, buffer);
		if (receive_buffer(latest, stream, buffer)) {
			fresh = true;
		} else {
			pw_stream_queue_buffer(stream, buffer);
		}
	}
	if (latest->wanted && latest->held != NULL) {
		read_held(latest, stream);
	}
	latest->fresh = latest->fresh || fresh;
	fresh = fresh || latest->cursor_changed;
	pthread_mutex_unlock(&latest->lock);
	return fresh;
}

void pw_latest_want(struct pw_latest *latest, struct pw_stream *stream, bool wanted) {
	pthread_mutex_lock(&latest->lock);
	latest->wanted = wanted;
	if (wanted && latest->held != NULL) {
		read_held(latest, stream);
	}
	pthread_mutex_unlock(&latest->lock);
}

bool pw_latest_peek(struct pw_latest *latest, uint32_t *width, uint32_t *height) {
	pthread_mutex_lock(&latest->lock);
	bool fresh = latest->fresh && !latest->closed;
	latest->fresh = false;
	*width = (uint32_t)latest->picture.crop.width;
	*height = (uint32_t)latest->picture.crop.height;
	orientation_size(latest->picture.orientation, width, height);
	pthread_mutex_unlock(&latest->lock);
	return fresh;
}

/* Whatever a producer claims, places stay so near that sums of them don't overflow. */
static int32_t relative(int32_t place, int32_t origin) {
	const int64_t far = 1 << 20;
	int64_t distance = (int64_t)place - origin;
	return (int32_t)(distance < -far ? -far : distance > far ? far : distance);
}

bool pw_latest_cursor(struct pw_latest *latest, struct source_cursor *cursor) {
	pthread_mutex_lock(&latest->lock);
	bool changed = latest->cursor_changed;
	const struct pw_buffer_cursor *known = &latest->cursor;
	latest->cursor_changed = false;
	*cursor = (struct source_cursor){
		.visible = known->visible,
		.x = relative(known->x, latest->last_crop.x),
		.y = relative(known->y, latest->last_crop.y),
		.bitmap = latest->bitmap,
		.width = known->width,
		.height = known->height,
		.hot_x = relative(known->hot_x, 0),
		.hot_y = relative(known->hot_y, 0),
		.rgba = latest->bitmap_lent,
	};
	if (changed) {
		memcpy(latest->bitmap_lent, latest->bitmap_new,
			(size_t)known->width * known->height * 4);
	}
	pthread_mutex_unlock(&latest->lock);
	return changed;
}

bool pw_latest_cursor_changed(struct pw_latest *latest) {
	pthread_mutex_lock(&latest->lock);
	bool changed = latest->cursor_changed && !latest->closed;
	pthread_mutex_unlock(&latest->lock);
	return changed;
}
