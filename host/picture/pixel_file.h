/*
 * Reads large pictures of a compositor from their file, a few rows at a time. A mapping would have
 * to be set up again for every picture, page by page, or keep 33 MiB resident for each buffer of
 * 3840x2160: `docs/PERFORMANCE.md` says what either costs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pixels;

/* How many rows are read at once: what fits the second-level cache, in few system calls. */
#define PIXEL_FILE_ROWS 16

/* Zero-initialise it. */
struct pixel_file {
	int fd;
	const uint8_t *memory; /* where the file is mapped */
	int64_t offset;        /* of `memory` in the file */
	uint8_t *rows;         /* owned: what was read last */
	size_t room;
	const uint8_t *first; /* where in `memory` it comes from */
	size_t length;
};

/* Starts a new picture in `fd`, mapped at `memory` (both lent), whose rows have at most `stride`
 * bytes. False when out of memory. */
bool pixel_file_open(
	struct pixel_file *file, int fd, const uint8_t *memory, int64_t offset, int32_t stride);
void pixel_file_finish(struct pixel_file *file);

/*
 * Reads `height` rows (at most PIXEL_FILE_ROWS) of `pixels`, which have a file, from row `y` on.
 * They are lent until the next call. What is past the end of the file is black; if the file can't
 * be read, the rows are those of the mapping.
 */
struct pixels pixel_file_read(const struct pixels *pixels, int32_t y, int32_t height);
