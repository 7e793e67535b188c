#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

void bytes_finish(struct bytes *bytes) {
	free(bytes->data);
	*bytes = (struct bytes){0};
}

bool bytes_reserve(struct bytes *bytes, size_t more) {
	if (more > SIZE_MAX / 2 - bytes->length) {
		return false;
	}
	size_t wanted = bytes->length + more;
	if (wanted <= bytes->capacity) {
		return true;
	}
	size_t capacity = bytes->capacity > 0 ? bytes->capacity : 256;
	while (capacity < wanted) {
		capacity *= 2;
	}
	uint8_t *data = realloc(bytes->data, capacity);
	if (data == NULL) {
		return false;
	}
	bytes->data = data;
	bytes->capacity = capacity;
	return true;
}

bool bytes_append(struct bytes *bytes, const void *data, size_t length) {
	if (!bytes_reserve(bytes, length)) {
		return false;
	}
	if (length > 0) {
		memcpy(bytes->data + bytes->length, data, length);
		bytes->length += length;
	}
	return true;
}

void bytes_consume(struct bytes *bytes, size_t count) {
	if (count >= bytes->length) {
		bytes->length = 0;
		return;
	}
	if (count > 0) {
		memmove(bytes->data, bytes->data + count, bytes->length - count);
		bytes->length -= count;
	}
}

void reader_init(struct reader *reader, const void *data, size_t length) {
	*reader = (struct reader){.data = data, .length = length, .ok = true};
}

size_t reader_left(const struct reader *reader) {
	return reader->ok ? reader->length - reader->offset : 0;
}

const uint8_t *reader_bytes(struct reader *reader, size_t length) {
	if (length > reader_left(reader)) {
		reader->ok = false;
		return NULL;
	}
	const uint8_t *at = reader->data + reader->offset;
	reader->offset += length;
	return at;
}

uint64_t reader_integer(struct reader *reader, size_t size) {
	const uint8_t *at = reader_bytes(reader, size);
	uint64_t value = 0;
	for (size_t i = 0; at != NULL && i < size; i++) {
		value |= (uint64_t)at[i] << (8 * i);
	}
	return value;
}

void bytes_put(uint8_t *at, uint64_t value, size_t size) {
	for (size_t i = 0; i < size; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}
