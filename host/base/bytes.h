/* A growable byte buffer, and a reader that stays within its bounds. Integers are little-endian. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. `data` is owned by the buffer. */
struct bytes {
	uint8_t *data;
	size_t length;
	size_t capacity;
};

void bytes_finish(struct bytes *bytes);

/* Makes room for `more` bytes past `length`. False when memory ran out or the size overflows;
 * nothing changes then. */
bool bytes_reserve(struct bytes *bytes, size_t more);

/* Appends a copy of `length` bytes at `data`. False as for bytes_reserve(). */
bool bytes_append(struct bytes *bytes, const void *data, size_t length);

/* Drops the first `count` (at most `length`) bytes and moves the rest to the front. */
void bytes_consume(struct bytes *bytes, size_t count);

/* A reader lends `data` from the caller. Once a read did not fit, `ok` is false and every later
 * read gives zero. */
struct reader {
	const uint8_t *data;
	size_t length;
	size_t offset;
	bool ok;
};

void reader_init(struct reader *reader, const void *data, size_t length);
size_t reader_left(const struct reader *reader);
/* `size`: 1 to 8 bytes. */
uint64_t reader_integer(struct reader *reader, size_t size);
/* Lends `length` bytes of the reader's data; NULL when fewer are left. */
const uint8_t *reader_bytes(struct reader *reader, size_t length);

/* Writes an integer of `size` bytes. */
void bytes_put(uint8_t *at, uint64_t value, size_t size);
