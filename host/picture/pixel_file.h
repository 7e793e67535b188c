/*
 * Large pictures of a compositor, read from their file some rows at a time. Through a mapping each
 * page of a picture would have to be mapped anew each time, or 33 MiB of every buffer of 3840x2160
 * would stay resident: `docs/PERFORMANCE.md` has what either costs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pixels;

/* At least so many rows are kept: those of a row of diff tiles. */
#define PIXEL_FILE_ROWS 64

/* Zero-initialise it. */
struct pixel_file {
	int fd;
	const uint8_t *memory; /* where the file is mapped */
	int64_t offset;        /* of `memory` in the file */
	uint8_t *rows;         /* owned: the last ones that were read */
	size_t room;
	const uint8_t *first; /* which part of `memory` they are */
	size_t length;
};

/* `fd`: another picture, lent like its mapping. Rows of at most `stride` bytes can be read from
 * here on, and none of an earlier picture is left. False when memory ran out. */
bool pixel_file_open(
	struct pixel_file *file, int fd, const uint8_t *memory, int64_t offset, int32_t stride);
void pixel_file_finish(struct pixel_file *file);

/*
 * `pixels`, in a file, from row `y` on, of which `height` rows may be looked at, PIXEL_FILE_ROWS at
 * most. They are lent until the next call. What lies past the file's end is black; where the file
 * can't be read at all it is the mapping.
 */
struct pixels pixel_file_read(const struct pixels *pixels, int32_t y, int32_t height);
