#include "wire/text.h"

#include <string.h>

/* Length of the well-formed sequence at `at`; 0 when there is none. Table 3-7 of the Unicode
 * standard. */
static size_t sequence_length(const uint8_t *at, size_t left) {
	if (at[0] < 0x80) {
		return 1;
	}
	size_t length = 0;
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		length = 2;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		length = 3;
		low = at[0] == 0xe0 ? 0xa0 : 0x80;
		high = at[0] == 0xed ? 0x9f : 0xbf;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		length = 4;
		low = at[0] == 0xf0 ? 0x90 : 0x80;
		high = at[0] == 0xf4 ? 0x8f : 0xbf;
	}
	if (length == 0 || length > left || at[1] < low || at[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < length; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf) {
			return 0;
		}
	}
	return length;
}

bool text_is_utf8(const void *text, size_t length) {
	const uint8_t *at = text;
	while (length > 0) {
		size_t step = sequence_length(at, length);
		if (step == 0) {
			return false;
		}
		at += step;
		length -= step;
	}
	return true;
}

void text_clean(char *text) {
	uint8_t *at = (uint8_t *)text;
	size_t left = strlen(text);
	while (left > 0) {
		size_t step = sequence_length(at, left);
		if (step == 0 || at[0] < 0x20 || at[0] == 0x7f) {
			*at = '?';
			step = 1;
		}
		at += step;
		left -= step;
	}
}

void text_base64(const uint8_t *data, size_t length, char *out) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (; length >= 3; data += 3, length -= 3, out += 4) {
		uint32_t bits = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
		out[0] = digits[bits >> 18];
		out[1] = digits[bits >> 12 & 63];
		out[2] = digits[bits >> 6 & 63];
		out[3] = digits[bits & 63];
	}
	if (length > 0) {
		uint32_t second = length == 2 ? data[1] : 0;
		uint32_t bits = (uint32_t)data[0] << 16 | second << 8;
		out[0] = digits[bits >> 18];
		out[1] = digits[bits >> 12 & 63];
		out[2] = '=';
		out[3] = '=';
		if (length == 2) {
			out[2] = digits[bits >> 6 & 63];
		}
	}
}
