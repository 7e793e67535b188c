#include "picture/pixel_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture/convert.h"

static size_t row_step(int32_t stride) {
	return (size_t)(stride < 0 ? -(int64_t)stride : stride);
}

bool pixel_file_open(
	struct pixel_file *file, int fd, const uint8_t *memory, int64_t offset, int32_t stride) {
	size_t room = PIXEL_FILE_ROWS * row_step(stride);
	file->fd = fd;
	file->memory = memory;
	file->offset = offset;
	file->length = 0;
	if (room > file->room) {
		free(file->rows);
		file->rows = malloc(room);
		file->room = file->rows != NULL ? room : 0;
	}
	return file->rows != NULL;
}

void pixel_file_finish(struct pixel_file *file) {
	free(file->rows);
	*file = (struct pixel_file){0};
}

/* False when the file can't be read. A file that ended early has nothing to show there. */
static bool load(struct pixel_file *file, const uint8_t *first, size_t length) {
	size_t done = 0;
	while (done < length) {
		ssize_t count = pread(file->fd, file->rows + done, length - done,
			file->offset + (first - file->memory) + (int64_t)done);
		if (count < 0) {
			file->length = 0;
			return false;
		}
		if (count == 0) {
			memset(file->rows + done, 0, length - done);
			break;
		}
		done += (size_t)count;
	}
	file->first = first;
	file->length = length;
	return true;
}

static bool has(const struct pixel_file *file, const uint8_t *first, size_t length) {
	return file->length >= length && first >= file->first &&
	       first + length <= file->first + file->length;
}

struct pixels pixel_file_read(const struct pixels *pixels, int32_t y, int32_t height) {
	struct pixel_file *file = pixels->file;
	struct pixels part = *pixels;
	part.top += (ptrdiff_t)y * part.stride;
	part.file = NULL;
	/* The lowest row is the first in memory where pictures are upside down. */
	size_t up = part.stride < 0 ? (size_t)(height - 1) * row_step(part.stride) : 0;
	const uint8_t *first = part.top - up;
	size_t length = (size_t)(height - 1) * row_step(part.stride) + (size_t)part.width * 4;
	if (has(file, first, length) || load(file, first, length)) {
		part.top = file->rows + (first - file->first) + up;
	}
	return part;
}
