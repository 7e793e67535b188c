/* UTF-8 and base64: what JSON on the wire needs beside JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Well-formed UTF-8 (no overlong forms, surrogates, or code points past U+10FFFF)? */
bool text_is_utf8(const void *text, size_t length);

/* Overwrites what is not well-formed UTF-8, and every control character, by '?'. */
void text_clean(char *text);

/*
 * Appends JSON, in well-formed UTF-8, as the same JSON in ASCII. A strict json-c 0.18 (Debian 13)
 * takes other characters of a string for control characters (json-c#875). False when memory ran
 * out.
 */
bool text_json_to_ascii(const char *json, size_t length, struct bytes *out);

/* Length of the base64 of `length` bytes, padding included. */
static inline size_t text_base64_length(size_t length) {
	return (length + 2) / 3 * 4;
}

/* Writes text_base64_length(length) characters to `out`, without a terminator. */
void text_base64(const uint8_t *data, size_t length, char *out);
