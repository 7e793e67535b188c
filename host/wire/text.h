/* UTF-8 and base64 for JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_is_utf8(const void *text, size_t length);

/*
 * The JSON with what isn't ASCII as \uXXXX; free() it. NULL: it is ASCII already. `text` is UTF-8
 * without a NUL.
 */
char *text_escape(const char *text, size_t length);

/* Replaces malformed UTF-8 and control characters by '?'. */
void text_clean(char *text);

/* Length of the base64 of `length` bytes, padding included. */
static inline size_t text_base64_length(size_t length) {
	return (length + 2) / 3 * 4;
}

/* Writes text_base64_length(length) characters to `out`, without a terminator. */
void text_base64(const uint8_t *data, size_t length, char *out);
