#include "picture/pixel_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture/convert.h"

bool pixel_file_open(
	struct pixel_file *file, int fd, const uint8_t *memory, int64_t offset, int32_t stride) {
	size_t room = PIXEL_FILE_ROWS * (size_t)llabs(stride);
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

/* False if the file can't be read. */
static bool load(struct pixel_file *file, const uint8_t *first, size_t length) {
	int64_t offset = file->offset + (first - file->memory);
	file->first = first;
	file->length = 0;
	for (size_t done = 0; done < length;) {
		ssize_t count =
			pread(file->fd, file->rows + done, length - done, offset + (int64_t)done);
		if (count < 0) {
			return false;
		}
		if (count == 0) {
			memset(file->rows + done, 0, length - done);
			break;
		}
		done += (size_t)count;
	}
	file->length = length;
	return true;
}

struct pixels pixel_file_read(const struct pixels *pixels, int32_t y, int32_t height) {
	struct pixel_file *file = pixels->file;
	struct pixels part = *pixels;
	part.top += (ptrdiff_t)y * part.stride;
	part.file = NULL;
	ptrdiff_t below = (ptrdiff_t)(height - 1) * part.stride;
	const uint8_t *first = below < 0 ? part.top + below : part.top;
	size_t length = (size_t)llabs(below) + (size_t)part.width * 4;
	bool has = file->length >= length && first >= file->first &&
		   first + length <= file->first + file->length;
	if (has || load(file, first, length)) {
		part.top = file->rows + (part.top - file->first);
	}
	return part;
}
