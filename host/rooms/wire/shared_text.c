#include "rooms/wire/shared_text.h"

#include <glib.h>
#include <string.h>

struct shared_text *shared_text_create(const char *bytes, size_t length) {
	struct shared_text *text = g_malloc(sizeof(*text) + length + 1);
	text->references = 1;
	text->length = (uint32_t)length;
	if (length > 0) {
		memcpy(text->bytes, bytes, length);
	}
	text->bytes[length] = '\0';
	return text;
}

struct shared_text *shared_text_hold(struct shared_text *text) {
	text->references++;
	return text;
}

void shared_text_drop(struct shared_text *text) {
	if (text != NULL && --text->references == 0) {
		g_free(text);
	}
}
