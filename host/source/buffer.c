#include "source/buffer.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/pw_api.h"

#define BYTES_PER_PIXEL 4

/*
 * Finds the upper left pixel of the whole picture. The chunk's offset points at the first row, and
 * rows follow at `stride`. In bottom-up pictures the offset points either at the upper row, which
 * is the last in memory, or at the start of the block, whose first row is then the lowest.
 */
static const uint8_t *find_top(const struct spa_data *data, const struct spa_chunk *chunk,
	uint32_t width, uint32_t height, int32_t *stride) {
	int64_t row = (int64_t)width * BYTES_PER_PIXEL;
	int64_t step = chunk->stride != 0 ? chunk->stride : row;
	int64_t offset = data->maxsize > 0 ? chunk->offset % data->maxsize : 0;
	int64_t distance = step * (height - 1);
	int64_t length = (distance < 0 ? -distance : distance) + row;
	if ((step < 0 ? -step : step) < row || (int64_t)chunk->size < length) {
		return NULL;
	}
	if (step < 0 && offset + distance < 0) {
		offset -= distance;
	}
	int64_t lowest = step < 0 ? offset + distance : offset;
	if (lowest < 0 || lowest + length > (int64_t)data->maxsize) {
		return NULL;
	}
	*stride = (int32_t)step;
	return (const uint8_t *)data->data + offset;
}

/*
 * Copies metadata, if the buffer has any of this type and size. The producer can write to metadata
 * and chunks at any time: copy first, then check and use the copy.
 */
static bool copy_meta(const struct spa_buffer *buffer, uint32_t type, void *copy, size_t size) {
	const void *meta = spa_buffer_find_meta_data(buffer, type, size);
	if (meta != NULL) {
		memcpy(copy, meta, size);
	}
	return meta != NULL;
}

static struct rect region_rect(const struct spa_region *region) {
	return (struct rect){region->position.x, region->position.y,
		(int32_t)SPA_MIN(region->size.width, (uint32_t)INT32_MAX),
		(int32_t)SPA_MIN(region->size.height, (uint32_t)INT32_MAX)};
}

static bool read_crop(
	const struct spa_buffer *buffer, uint32_t width, uint32_t height, struct rect *crop) {
	const struct rect whole = {0, 0, (int32_t)width, (int32_t)height};
	struct spa_meta_region meta = {0};
	(void)copy_meta(buffer, SPA_META_VideoCrop, &meta, sizeof(meta));
	const struct rect claimed = region_rect(&meta.region);
	*crop = rect_is_empty(&claimed) ? whole : rect_intersect(&claimed, &whole);
	return crop->width >= 2 && crop->height >= 2;
}

static enum orientation read_orientation(const struct spa_buffer *buffer) {
	struct spa_meta_videotransform meta = {0};
	(void)copy_meta(buffer, SPA_META_VideoTransform, &meta, sizeof(meta));
	return meta.transform <= ORIENTATION_MIRRORED_270 ? (enum orientation)meta.transform
							  : ORIENTATION_UPRIGHT;
}

/* The first empty region ends the list; stale ones may follow. */
static bool read_damage(
	const struct spa_buffer *buffer, const struct rect *crop, struct damage *damage) {
	damage_clear(damage);
	struct spa_meta *meta = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
	if (meta == NULL) {
		return false;
	}
	bool any = false;
	const struct spa_meta_region *next;
	spa_meta_for_each(next, meta) {
		struct spa_region region;
		memcpy(&region, &next->region, sizeof(region));
		const struct rect rect = region_rect(&region);
		if (rect_is_empty(&rect)) {
			break;
		}
		/* Wider than any picture: perhaps a negative number. */
		if (rect.width == INT32_MAX || rect.height == INT32_MAX) {
			return false;
		}
		damage_add(damage, &rect);
		any = true;
	}
	damage_crop(damage, crop);
	/* A picture without damage is not believed. Damage everywhere, which GNOME 48 always
	 * reports, says no more than no metadata. */
	const struct rect whole = {0, 0, crop->width, crop->height};
	return any && !damage_covers(damage, &whole);
}

enum buffer_kind buffer_read(const struct spa_buffer *buffer, uint32_t width, uint32_t height,
	struct buffer_picture *picture, uint64_t *sequence) {
	struct spa_meta_header header = {.pts = -1};
	(void)copy_meta(buffer, SPA_META_Header, &header, sizeof(header));
	*sequence = header.seq;
	if (buffer->n_datas < 1 || buffer->datas[0].data == NULL ||
		buffer->datas[0].chunk == NULL) {
		return BUFFER_BROKEN;
	}
	const struct spa_data *data = &buffer->datas[0];
	struct spa_chunk chunk;
	memcpy(&chunk, data->chunk, sizeof(chunk));
	if ((header.flags & SPA_META_HEADER_FLAG_CORRUPTED) != 0) {
		return BUFFER_BROKEN;
	}
	if ((chunk.flags & SPA_CHUNK_FLAG_CORRUPTED) != 0 || chunk.size == 0) {
		/* Cursor-only buffers look like this too (Mutter: both, KWin: only the flag). */
		bool cursor = spa_buffer_find_meta(buffer, SPA_META_Cursor) != NULL;
		return cursor ? BUFFER_CURSOR : BUFFER_BROKEN;
	}
	const uint8_t *top = find_top(data, &chunk, width, height, &picture->stride);
	if (top == NULL || !read_crop(buffer, width, height, &picture->crop)) {
		return BUFFER_BROKEN;
	}
	picture->top = top + (ptrdiff_t)picture->crop.y * picture->stride +
		       (ptrdiff_t)picture->crop.x * BYTES_PER_PIXEL;
	picture->orientation = read_orientation(buffer);
	picture->damage_known = read_damage(buffer, &picture->crop, &picture->damage);
	picture->pts_us = header.pts > 0 ? header.pts / 1000 : -1;
	return BUFFER_PICTURE;
}

static bool read_bitmap(
	const struct spa_meta *meta, uint32_t offset, uint32_t side, struct buffer_cursor *cursor) {
	if (offset < sizeof(struct spa_meta_cursor) || offset % sizeof(uint32_t) != 0 ||
		offset > meta->size || meta->size - offset < sizeof(struct spa_meta_bitmap)) {
		return false;
	}
	struct spa_meta_bitmap bitmap;
	memcpy(&bitmap, (const uint8_t *)meta->data + offset, sizeof(bitmap));
	if (bitmap.size.width == 0 || bitmap.size.height == 0 || bitmap.offset == 0) {
		return true;
	}
	cursor->bgr = bitmap.format == SPA_VIDEO_FORMAT_BGRA;
	uint64_t room = meta->size - offset;
	int64_t row = (int64_t)bitmap.size.width * BYTES_PER_PIXEL;
	if ((!cursor->bgr && bitmap.format != SPA_VIDEO_FORMAT_RGBA) || bitmap.size.width > side ||
		bitmap.size.height > side || bitmap.stride < row ||
		bitmap.offset < sizeof(bitmap) ||
		(uint64_t)bitmap.offset + (uint64_t)bitmap.stride * (bitmap.size.height - 1) +
				(uint64_t)row >
			room) {
		return false;
	}
	cursor->width = bitmap.size.width;
	cursor->height = bitmap.size.height;
	cursor->stride = bitmap.stride;
	cursor->pixels = (const uint8_t *)meta->data + offset + bitmap.offset;
	return true;
}

bool buffer_read_cursor(
	const struct spa_buffer *buffer, uint32_t side, struct buffer_cursor *cursor) {
	*cursor = (struct buffer_cursor){0};
	struct spa_meta_cursor claimed;
	if (!copy_meta(buffer, SPA_META_Cursor, &claimed, sizeof(claimed))) {
		return false;
	}
	/* Compositors send id 0 for a cursor that is on another screen. */
	cursor->visible = claimed.id != 0;
	if (!cursor->visible) {
		return true;
	}
	cursor->x = claimed.position.x;
	cursor->y = claimed.position.y;
	cursor->hot_x = claimed.hotspot.x;
	cursor->hot_y = claimed.hotspot.y;
	const struct spa_meta *meta = spa_buffer_find_meta(buffer, SPA_META_Cursor);
	cursor->new_bitmap = read_bitmap(meta, claimed.bitmap_offset, side, cursor);
	return true;
}

bool buffer_map(struct spa_buffer *buffer) {
	if (buffer->n_datas < 1 || buffer->datas[0].chunk == NULL) {
		return false;
	}
	struct spa_data *data = &buffer->datas[0];
	/* Not fstat(): some C libraries implement it with a system call that takes paths, which the
	 * sandbox forbids. */
	if (data->type != SPA_DATA_MemFd ||
		lseek((int)data->fd, 0, SEEK_END) < (int64_t)data->mapoffset + data->maxsize) {
		return false;
	}
	/* From the file's start, since mapoffset may lie within a page. */
	uint8_t *file = mmap(NULL, (size_t)data->mapoffset + data->maxsize, PROT_READ, MAP_SHARED,
		(int)data->fd, 0);
	if (file == MAP_FAILED) {
		return false;
	}
	data->data = file + data->mapoffset;
	return true;
}

void buffer_unmap(struct spa_buffer *buffer) {
	struct spa_data *data = &buffer->datas[0];
	(void)munmap(
		(uint8_t *)data->data - data->mapoffset, (size_t)data->mapoffset + data->maxsize);
	data->data = NULL;
}
