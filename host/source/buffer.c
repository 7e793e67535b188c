#include "source/buffer.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/pw_api.h"

#define BYTES_PER_PIXEL 4

/*
 * Finds the upper left pixel of the whole picture. The chunk's offset names the first row; rows
 * follow at `stride`. Bottom-up pictures exist in two readings: the offset names the upper row (the
 * last in memory), or the beginning of the block, whose first row is then the lowest.
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

static struct rect copy_region(const struct spa_meta_region *meta) {
	struct spa_region region;
	memcpy(&region, &meta->region, sizeof(region));
	return (struct rect){region.position.x, region.position.y,
		(int32_t)SPA_MIN(region.size.width, (uint32_t)INT32_MAX),
		(int32_t)SPA_MIN(region.size.height, (uint32_t)INT32_MAX)};
}

static bool read_crop(
	const struct spa_buffer *buffer, uint32_t width, uint32_t height, struct rect *crop) {
	const struct rect whole = {0, 0, (int32_t)width, (int32_t)height};
	const struct spa_meta_region *meta =
		spa_buffer_find_meta_data(buffer, SPA_META_VideoCrop, sizeof(*meta));
	const struct rect asked = meta != NULL ? copy_region(meta) : whole;
	*crop = rect_is_empty(&asked) ? whole : rect_intersect(&asked, &whole);
	return crop->width >= 2 && crop->height >= 2;
}

static enum orientation read_orientation(const struct spa_buffer *buffer) {
	const struct spa_meta_videotransform *meta =
		spa_buffer_find_meta_data(buffer, SPA_META_VideoTransform, sizeof(*meta));
	struct spa_meta_videotransform told = {0};
	if (meta != NULL) {
		memcpy(&told, meta, sizeof(told));
	}
	return told.transform <= ORIENTATION_MIRRORED_270 ? (enum orientation)told.transform
							  : ORIENTATION_UPRIGHT;
}

/* The list ends at its first empty region; what follows is left from earlier frames. */
static bool read_damage(
	const struct spa_buffer *buffer, const struct rect *crop, struct damage *damage) {
	damage_clear(damage);
	struct spa_meta *meta = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
	if (meta == NULL) {
		return false;
	}
	bool any = false;
	const struct spa_meta_region *region;
	spa_meta_for_each(region, meta) {
		const struct rect rect = copy_region(region);
		if (rect_is_empty(&rect)) {
			break;
		}
		/* No picture has such sides; perhaps they are negative ones. */
		if (rect.width == INT32_MAX || rect.height == INT32_MAX) {
			return false;
		}
		damage_add(damage, &rect);
		any = true;
	}
	damage_crop(damage, crop);
	/* A picture that claims to have changed nowhere is not believed; and one that claims to
	 * have changed everywhere (GNOME 48, always) says as much as one that says nothing. */
	const struct rect whole = {0, 0, crop->width, crop->height};
	return any && !damage_covers(damage, &whole);
}

/* Metadata and chunk may be shared with the producer, who can write to them at any time: what was
 * checked has to be what is used, so they are copied before either. */
enum buffer_kind buffer_read(const struct spa_buffer *buffer, uint32_t width, uint32_t height,
	struct buffer_picture *picture, uint64_t *sequence) {
	const struct spa_meta_header *meta =
		spa_buffer_find_meta_data(buffer, SPA_META_Header, sizeof(*meta));
	struct spa_meta_header header = {.pts = -1};
	if (meta != NULL) {
		memcpy(&header, meta, sizeof(header));
	}
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
		/* That is also how a moved pointer is told (Mutter: both, KWin: the flag alone). */
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
	cursor->width = 0;
	cursor->height = 0;
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
	const struct spa_meta *meta = spa_buffer_find_meta(buffer, SPA_META_Cursor);
	if (meta == NULL || meta->data == NULL || meta->size < sizeof(struct spa_meta_cursor)) {
		return false;
	}
	struct spa_meta_cursor told;
	memcpy(&told, meta->data, sizeof(told));
	/* Compositors say so of a cursor that is elsewhere. */
	cursor->visible = told.id != 0;
	if (!cursor->visible) {
		return true;
	}
	cursor->x = told.position.x;
	cursor->y = told.position.y;
	cursor->new_bitmap = read_bitmap(meta, told.bitmap_offset, side, cursor);
	if (cursor->new_bitmap) {
		cursor->hot_x = told.hotspot.x;
		cursor->hot_y = told.hotspot.y;
	}
	return true;
}

/* Files are mapped from the beginning of a page. Returns how far into it the picture begins. */
static size_t into_page(const struct spa_data *data) {
	return data->mapoffset % (size_t)sysconf(_SC_PAGESIZE);
}

bool buffer_map(struct spa_buffer *buffer) {
	if (buffer->n_datas < 1 || buffer->datas[0].chunk == NULL) {
		return false;
	}
	struct spa_data *data = &buffer->datas[0];
	if (data->type == SPA_DATA_MemPtr) {
		return data->data != NULL;
	}
	/* The sandbox permits no fstat(), which some C libraries make out of one that takes paths.
	 */
	if (data->type != SPA_DATA_MemFd ||
		lseek((int)data->fd, 0, SEEK_END) < (int64_t)data->mapoffset + data->maxsize) {
		return false;
	}
	size_t extra = into_page(data);
	uint8_t *pages = mmap(NULL, extra + data->maxsize, PROT_READ, MAP_SHARED, (int)data->fd,
		(off_t)(data->mapoffset - extra));
	if (pages == MAP_FAILED) {
		return false;
	}
	data->data = pages + extra;
	return true;
}

void buffer_unmap(struct spa_buffer *buffer) {
	struct spa_data *data = &buffer->datas[0];
	if (data->type == SPA_DATA_MemFd) {
		size_t extra = into_page(data);
		(void)munmap((uint8_t *)data->data - extra, extra + data->maxsize);
		data->data = NULL;
	}
}
