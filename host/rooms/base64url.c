#include "rooms/base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_write(const uint8_t *bytes, size_t length, char *text) {
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | bytes[i];
		for (count += 8; count >= 6; count -= 6) {
			*text++ = digits[bits >> (count - 6) & 63];
		}
	}
	if (count > 0) {
		*text++ = digits[bits << (6 - count) & 63];
	}
	*text = '\0';
}

static int digit_value(char digit) {
	return digit >= 'A' && digit <= 'Z'   ? digit - 'A'
	       : digit >= 'a' && digit <= 'z' ? digit - 'a' + 26
	       : digit >= '0' && digit <= '9' ? digit - '0' + 52
	       : digit == '-'                 ? 62
	       : digit == '_'                 ? 63
					      : -1;
}

bool base64url_read(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *count) {
	uint32_t bits = 0;
	unsigned held = 0;
	*count = 0;
	for (size_t i = 0; i < length; i++) {
		int value = digit_value(text[i]);
		if (value < 0) {
			return false;
		}
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			if (*count == room) {
				return false;
			}
			bytes[(*count)++] = (uint8_t)(bits >> held);
		}
	}
	return held < 6 && (bits & ((1u << held) - 1)) == 0;
}
