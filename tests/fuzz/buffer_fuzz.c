/*
 * A buffer with any chunk and metadata: the picture and the cursor read from it lie within its
 * memory. The input is a struct of numbers, followed by the cursor's metadata.
 */
#include <stdlib.h>
#include <string.h>

#include "source/buffer.h"
#include "source/pw_api.h"

#define DAMAGES 3u
#define CURSOR_SIDE 64u

struct numbers {
	uint16_t width;
	uint16_t height;
	uint16_t room;  /* bytes of the picture's memory */
	uint16_t metas; /* a bit for each that is present */
	struct spa_chunk chunk;
	struct spa_meta_header header;
	struct spa_meta_region crop;
	struct spa_meta_videotransform transform;
	struct spa_meta_region damage[DAMAGES];
};

/* An allocation of exactly this size, so that the sanitizer sees every overrun. */
static void *copy(const void *data, size_t size) {
	void *made = malloc(size > 0 ? size : 1);
	if (made == NULL) {
		abort();
	}
	memcpy(made, data, size);
	return made;
}

static void touch(const uint8_t *top, int64_t stride, uint32_t width, uint32_t height) {
	volatile uint8_t seen = 0;
	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *row = top + (ptrdiff_t)y * stride;
		seen = (uint8_t)(seen + row[0] + row[4 * (size_t)width - 1]);
	}
}

static void check_picture(const struct buffer_picture *picture) {
	const struct rect *crop = &picture->crop;
	touch(picture->top, picture->stride, (uint32_t)crop->width, (uint32_t)crop->height);
	for (uint32_t i = 0; picture->damage_known && i < picture->damage.count; i++) {
		const struct rect *rect = &picture->damage.rects[i];
		if (rect->x < 0 || rect->y < 0 || rect->width < 1 || rect->height < 1 ||
			rect->x + rect->width > crop->width ||
			rect->y + rect->height > crop->height) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct numbers numbers;
	if (size < sizeof(numbers)) {
		return 0;
	}
	memcpy(&numbers, data, sizeof(numbers));
	size_t cursor_size = size - sizeof(numbers);
	static uint8_t blank[UINT16_MAX];
	uint8_t *memory = copy(blank, numbers.room);
	struct spa_meta all[] = {
		{SPA_META_Header, sizeof(numbers.header), &numbers.header},
		{SPA_META_VideoCrop, sizeof(numbers.crop), &numbers.crop},
		{SPA_META_VideoTransform, sizeof(numbers.transform), &numbers.transform},
		{SPA_META_VideoDamage, sizeof(numbers.damage), numbers.damage},
		{SPA_META_Cursor, (uint32_t)cursor_size, copy(data + sizeof(numbers), cursor_size)},
	};
	struct spa_meta metas[5];
	uint32_t count = 0;
	for (uint32_t i = 0; i < 5; i++) {
		if ((numbers.metas >> i & 1) != 0) {
			metas[count++] = all[i];
		}
	}
	struct spa_data plane = {.type = SPA_DATA_MemFd,
		.maxsize = numbers.room,
		.data = memory,
		.chunk = &numbers.chunk};
	struct spa_buffer buffer = {
		.n_metas = count, .n_datas = 1, .metas = metas, .datas = &plane};
	struct buffer_picture picture;
	uint64_t sequence = 0;
	if (numbers.width > 0 && numbers.height > 0 &&
		buffer_read(&buffer, numbers.width, numbers.height, &picture, &sequence) ==
			BUFFER_PICTURE) {
		check_picture(&picture);
	}
	struct buffer_cursor cursor;
	if (buffer_read_cursor(&buffer, CURSOR_SIDE, &cursor) && cursor.new_bitmap &&
		cursor.width > 0) {
		if (cursor.width > CURSOR_SIDE || cursor.height > CURSOR_SIDE) {
			abort();
		}
		touch(cursor.pixels, cursor.stride, cursor.width, cursor.height);
	}
	free(all[4].data);
	free(memory);
	return 0;
}
