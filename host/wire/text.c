#include "wire/text.h"

#include <glib.h>

bool text_is_utf8(const void *text, size_t length) {
	const char *at = text;
	const char *end = at + length;
	/* To GLib a NUL is malformed, to Unicode it is a character. */
	while (!g_utf8_validate_len(at, (gsize)(end - at), &at)) {
		if (*at++ != '\0') {
			return false;
		}
	}
	return true;
}

char *text_escape(const char *text, size_t length) {
	size_t more = 0;
	for (size_t i = 0; i < length; i++) {
		more += (unsigned char)text[i] >= 0x80;
	}
	if (more == 0) {
		return NULL;
	}
	/* Two bytes of UTF-8 become six, four twelve. */
	char *escaped = g_malloc(length + 2 * more + 1);
	char *to = escaped;
	for (const char *at = text; at < text + length; at = g_utf8_next_char(at)) {
		gunichar character = g_utf8_get_char(at);
		if (character < 0x80) {
			*to++ = *at;
		} else if (character < 0x10000) {
			to += g_snprintf(to, 7, "\\u%04x", character);
		} else {
			to += g_snprintf(to, 13, "\\u%04x\\u%04x",
				0xd800 + ((character - 0x10000) >> 10),
				0xdc00 + (character & 0x3ff));
		}
	}
	*to = '\0';
	return escaped;
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

void text_base64(const uint8_t *data, size_t length, char *out) {
	gint state = 0;
	gint save = 0;
	gsize written = g_base64_encode_step(data, length, FALSE, out, &state, &save);
	(void)g_base64_encode_close(FALSE, out + written, &state, &save);
}
