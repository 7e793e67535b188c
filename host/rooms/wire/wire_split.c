#include <string.h>

#include "rooms/wire/wire.h"

/* The end of the array's element that starts at `at`: its comma or bracket; `length` if none comes.
 */
static size_t element_end(const char *text, size_t length, size_t at) {
	unsigned depth = 0;
	bool quoted = false;
	for (; at < length; at++) {
		if (quoted) {
			quoted = text[at] != '"';
			at += text[at] == '\\';
			continue;
		}
		quoted = text[at] == '"';
		if (text[at] == '{' || text[at] == '[') {
			depth++;
		} else if (depth == 0 && (text[at] == ',' || text[at] == ']')) {
			return at;
		} else if (text[at] == '}' || text[at] == ']') {
			depth -= depth > 0;
		}
	}
	return length;
}

#define SPLIT_MAX 64

bool wire_split(const char *text, size_t length,
	bool (*each)(void *context, const char *text, size_t length), void *context,
	enum rooms_error *error) {
	size_t at = 0;
	*error = ROOMS_ERROR_NONE;
	while (at < length && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0') {
		at++;
	}
	if (at == length || text[at] != '[') {
		(void)each(context, text, length);
		return true;
	}
	size_t ends[SPLIT_MAX];
	size_t count = 0;
	size_t start = at + 1;
	size_t end = at;
	do {
		end = element_end(text, length, end + 1);
		if (end == length || count == SPLIT_MAX) {
			*error = end == length ? ROOMS_ERROR_BAD_JSON : ROOMS_ERROR_TOO_LARGE;
			return false;
		}
		ends[count++] = end;
	} while (text[end] == ',');
	for (size_t i = end + 1; i < length; i++) {
		if (text[i] == '\0' || strchr(" \t\r\n", text[i]) == NULL) {
			*error = ROOMS_ERROR_BAD_JSON;
			return false;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!each(context, text + start, ends[i] - start)) {
			break;
		}
		start = ends[i] + 1;
	}
	return true;
}
