#include "rooms/wire/base64url.h"

#include <glib.h>
#include <string.h>

static char *encode(const uint8_t *bytes, size_t length) {
	char *encoded = g_base64_encode(bytes, length);
	encoded[strcspn(encoded, "=")] = '\0';
	return g_strdelimit(g_strdelimit(encoded, "+", '-'), "/", '_');
}

void base64url_write(const uint8_t *bytes, size_t length, char *text) {
	g_autofree char *encoded = encode(bytes, length);
	memcpy(text, encoded, strlen(encoded) + 1);
}

bool base64url_read(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *count) {
	*count = 0;
	if (length > BASE64URL_LENGTH(room)) {
		return false;
	}
	g_autofree char *padded = g_strdup_printf("%.*s==", (int)length, text);
	g_strdelimit(padded, "-", '+');
	g_strdelimit(padded, "_", '/');
	gsize decoded = 0;
	g_autofree guchar *read = g_base64_decode(padded, &decoded);
	/* GLib passes over what is not base64, so what was read is written and compared. */
	g_autofree char *again = encode(read, decoded);
	if (decoded > room || strlen(again) != length || memcmp(again, text, length) != 0) {
		return false;
	}
	memcpy(bytes, read, decoded);
	*count = decoded;
	return true;
}
