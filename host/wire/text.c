#include "wire/text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

bool text_is_utf8(const void *text, size_t length) {
	const char *at = text;
	const char *end = at + length;
	/* To GLib a NUL is malformed; to Unicode it is a character like others. */
	while (!g_utf8_validate_len(at, (gsize)(end - at), &at)) {
		if (*at != '\0') {
			return false;
		}
		at++;
	}
	return true;
}

void text_clean(char *text) {
	const char *bad = text;
	while (!g_utf8_validate(bad, -1, &bad)) {
		text[bad - text] = '?';
	}
	for (char *at = text; *at != '\0'; at++) {
		if (g_ascii_iscntrl(*at)) {
			*at = '?';
		}
	}
}

bool text_json_to_ascii(const char *json, size_t length, struct bytes *out) {
	const char *end = json + length;
	bool escaped = false;
	bool ok = bytes_reserve(out, length);
	for (const char *at = json; ok && at < end; at = g_utf8_next_char(at)) {
		gunichar character = g_utf8_get_char(at);
		char units[16];
		int count = 0;
		/* What is no escape stays as it is, and is refused. */
		if (character >= 0x80 && !escaped) {
			unsigned beyond = character - 0x10000;
			count = character < 0x10000
					? snprintf(units, sizeof(units), "\\u%04x", character)
					: snprintf(units, sizeof(units), "\\u%04x\\u%04x",
						  0xd800 + (beyond >> 10),
						  0xdc00 + (beyond & 0x3ff));
		}
		ok = count > 0 ? bytes_append(out, units, (size_t)count)
			       : bytes_append(out, at, (size_t)(g_utf8_next_char(at) - at));
		escaped = !escaped && character == '\\';
	}
	return ok;
}

void text_base64(const uint8_t *data, size_t length, char *out) {
	gint state = 0;
	gint save = 0;
	gsize written = g_base64_encode_step(data, length, FALSE, out, &state, &save);
	(void)g_base64_encode_close(FALSE, out + written, &state, &save);
}
