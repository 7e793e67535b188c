#include "screen.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than any consumer takes. */
#define SIDE_MAX 32768

bool screen_resize(struct screen *screen, uint32_t width, uint32_t height) {
	if (width < 1 || width > SIDE_MAX || height < 1 || height > SIDE_MAX) {
		return false;
	}
	free(screen->canvas);
	screen->canvas = calloc((size_t)width * height, sizeof(*screen->canvas));
	screen->width = width;
	screen->height = height;
	screen->crop = SPA_REGION(0, 0, 0, 0);
	screen->damage = SPA_REGION(0, 0, 0, 0);
	screen->shown = false;
	return screen->canvas != NULL;
}

uint32_t screen_row_size(const struct screen *screen) {
	return screen->width * 4 + (uint32_t)screen->padding;
}

uint32_t screen_buffer_size(const struct screen *screen) {
	return screen->offset + screen_row_size(screen) * screen->height;
}

static bool is_rgb(const struct screen *screen) {
	return screen->format == SPA_VIDEO_FORMAT_RGBx || screen->format == SPA_VIDEO_FORMAT_RGBA;
}

void screen_paint(struct screen *screen, uint32_t colour, const struct spa_region *where) {
	for (uint32_t y = 0; y < where->size.height; y++) {
		for (uint32_t x = 0; x < where->size.width; x++) {
			uint32_t column = (uint32_t)where->position.x + x;
			uint32_t row = (uint32_t)where->position.y + y;
			if (column < screen->width && row < screen->height) {
				screen->canvas[row * screen->width + column] = colour;
			}
		}
	}
	struct spa_region *damage = &screen->damage;
	if (damage->size.width == 0) {
		*damage = *where;
		return;
	}
	int32_t left = SPA_MIN(damage->position.x, where->position.x);
	int32_t top = SPA_MIN(damage->position.y, where->position.y);
	int32_t right = SPA_MAX(damage->position.x + (int32_t)damage->size.width,
		where->position.x + (int32_t)where->size.width);
	int32_t bottom = SPA_MAX(damage->position.y + (int32_t)damage->size.height,
		where->position.y + (int32_t)where->size.height);
	*damage = SPA_REGION(left, top, (uint32_t)(right - left), (uint32_t)(bottom - top));
}

void screen_grain(struct screen *screen, uint32_t seed) {
	uint32_t noise = seed;
	for (uint32_t i = 0; i < screen->width * screen->height; i++) {
		noise = noise * 1103515245 + 12345;
		uint32_t shade = 40 + (i / screen->width + 4 * seed) % 128 + (noise >> 16) % 32;
		screen->canvas[i] = shade * 0x010101;
	}
	screen->damage = SPA_REGION(0, 0, screen->width, screen->height);
}

static void copy_canvas(const struct screen *screen, uint8_t *memory) {
	bool rgb = is_rgb(screen);
	for (uint32_t y = 0; y < screen->height; y++) {
		uint32_t row = screen->bottom_up ? screen->height - 1 - y : y;
		uint8_t *out = memory + screen->offset + (size_t)row * screen_row_size(screen);
		const uint32_t *in = screen->canvas + (size_t)y * screen->width;
		for (uint32_t x = 0; x < screen->width; x++) {
			uint8_t red = (uint8_t)(in[x] >> 16);
			uint8_t blue = (uint8_t)in[x];
			out[4 * x] = rgb ? red : blue;
			out[4 * x + 1] = (uint8_t)(in[x] >> 8);
			out[4 * x + 2] = rgb ? blue : red;
			out[4 * x + 3] = (uint8_t)(x * 7);
		}
		memset(out + 4 * (size_t)screen->width, 0xa5, (size_t)screen->padding);
	}
}

static bool has(const char *faults, const char *fault) {
	return strstr(faults, fault) != NULL;
}

static void write_damage(const struct screen *screen, struct spa_meta *meta, const char *faults) {
	struct spa_meta_region *regions = spa_meta_first(meta);
	uint32_t room = meta->size / (uint32_t)sizeof(*regions);
	memset(regions, 0, meta->size);
	if (has(faults, "damage-empty")) {
		return;
	}
	if (has(faults, "damage-lie") || has(faults, "sequence-gap")) {
		regions[0].region = SPA_REGION(0, 0, 8, 8);
		return;
	}
	const struct spa_region *damage = &screen->damage;
	uint32_t used = 0;
	if (has(faults, "damage-many") && damage->size.width >= room) {
		uint32_t slice = damage->size.width / room;
		for (; used < room; used++) {
			uint32_t width =
				used + 1 < room ? slice : damage->size.width - slice * (room - 1);
			regions[used].region =
				SPA_REGION(damage->position.x + (int32_t)(used * slice),
					damage->position.y, width, damage->size.height);
		}
		return;
	}
	regions[used++].region = *damage;
	if (has(faults, "damage-stale") && room >= 3) {
		/* An empty one ends the list; these are from some earlier frame. */
		regions[used + 1].region = SPA_REGION(0, 0, 8, 8);
	}
}

static void write_pointer(struct screen *screen, struct spa_meta *meta) {
	struct spa_meta_cursor *cursor = meta->data;
	const size_t pixels = (size_t)SCREEN_POINTER * SCREEN_POINTER * 4;
	memset(cursor, 0, sizeof(*cursor));
	if (!screen->pointer ||
		meta->size < sizeof(*cursor) + sizeof(struct spa_meta_bitmap) + pixels) {
		return;
	}
	cursor->id = 1;
	cursor->position = SPA_POINT(screen->pointer_x, screen->pointer_y);
	/* As compositors do, it does not tell for ever what never changes. */
	if (screen->pointer_told++ >= SCREEN_POINTER_TOLD) {
		return;
	}
	cursor->bitmap_offset = sizeof(*cursor);
	struct spa_meta_bitmap *bitmap =
		SPA_PTROFF(cursor, sizeof(*cursor), struct spa_meta_bitmap);
	*bitmap = (struct spa_meta_bitmap){
		.format = SPA_VIDEO_FORMAT_RGBA,
		.size = SPA_RECTANGLE(SCREEN_POINTER, SCREEN_POINTER),
		.stride = SCREEN_POINTER * 4,
		.offset = sizeof(*bitmap),
	};
	memset(SPA_PTROFF(bitmap, sizeof(*bitmap), void), 0xff, pixels);
}

static void write_metadata(struct screen *screen, struct spa_buffer *buffer, const char *faults) {
	struct spa_meta_header *header =
		spa_buffer_find_meta_data(buffer, SPA_META_Header, sizeof(*header));
	if (header != NULL) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		screen->sequence += has(faults, "sequence-gap") ? 2 : 1;
		header->seq = screen->sequence;
		header->pts = has(faults, "no-pts") ? -1 : (int64_t)SPA_TIMESPEC_TO_NSEC(&now);
		header->pts -= has(faults, "old-pts") ? INT64_C(5000000000) : 0;
		screen->pts_us = header->pts / 1000;
		header->flags =
			has(faults, "header-corrupted") ? SPA_META_HEADER_FLAG_CORRUPTED : 0;
	}
	struct spa_meta_region *crop =
		spa_buffer_find_meta_data(buffer, SPA_META_VideoCrop, sizeof(*crop));
	if (crop != NULL) {
		crop->region = screen->crop;
	}
	struct spa_meta_videotransform *transform =
		spa_buffer_find_meta_data(buffer, SPA_META_VideoTransform, sizeof(*transform));
	if (transform != NULL) {
		transform->transform = screen->transform;
	}
	struct spa_meta *cursor = spa_buffer_find_meta(buffer, SPA_META_Cursor);
	if (cursor != NULL) {
		write_pointer(screen, cursor);
	}
	struct spa_meta *damage = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
	if (damage != NULL) {
		write_damage(screen, damage, faults);
	}
}

static void write_chunk(const struct screen *screen, struct spa_data *data, const char *faults) {
	struct spa_chunk *chunk = data->chunk;
	uint32_t row = screen_row_size(screen);
	chunk->size = has(faults, "size-0") ? 0 : row * screen->height;
	chunk->offset = screen->offset;
	chunk->stride = (int32_t)row;
	chunk->flags = has(faults, "chunk-corrupted") ? SPA_CHUNK_FLAG_CORRUPTED : 0;
	if (screen->bottom_up) {
		chunk->stride = -chunk->stride;
		chunk->offset += row * (screen->height - 1);
	}
	if (has(faults, "truncated")) {
		chunk->size /= 2;
	}
	if (has(faults, "wild-offset")) {
		chunk->offset = data->maxsize - 16;
	}
	if (has(faults, "wild-stride")) {
		chunk->stride = INT32_MAX;
	}
}

/* Nothing of the canvas's: what a consumer must never show. */
static void write_garbage(const struct screen *screen, uint8_t *memory) {
	memset(memory, 0x5a, screen_buffer_size(screen));
}

void screen_write(struct screen *screen, struct spa_buffer *buffer, const char *faults) {
	struct spa_data *data = &buffer->datas[0];
	if (has(faults, "garbage")) {
		write_garbage(screen, data->data);
	} else {
		copy_canvas(screen, data->data);
	}
	write_metadata(screen, buffer, faults);
	write_chunk(screen, data, faults);
	/* What goes wrong on the way is not sent again. */
	screen->damage = SPA_REGION(0, 0, 0, 0);
	screen->shown = true;
}
