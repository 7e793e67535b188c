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
