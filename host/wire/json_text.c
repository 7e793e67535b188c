#include "wire/json_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

static bool is_space(char character) {
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static enum json_tokener_error parse(
	const char *text, size_t length, int depth, struct json_object **value) {
	struct json_tokener *tokener = json_tokener_new_ex(depth);
	if (tokener == NULL) {
		return json_tokener_error_size;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	*value = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	while (error == json_tokener_success && end < length) {
		if (!is_space(text[end++])) {
			error = json_tokener_error_parse_unexpected;
		}
	}
	return error;
}

struct json_object *json_text_parse(
	const char *text, size_t length, int depth, enum json_tokener_error *error) {
	/* json-c would stop there. */
	if (memchr(text, '\0', length) != NULL) {
		*error = json_tokener_error_parse_unexpected;
		return NULL;
	}
	/* In strict mode json-c 0.18 rejects anything beyond ASCII (json-c#875). */
	char *escaped = text_escape(text, length);
	struct json_object *value = NULL;
	*error = escaped == NULL ? parse(text, length, depth, &value)
				 : parse(escaped, strlen(escaped), depth, &value);
	free(escaped);
	if (*error != json_tokener_success) {
		json_object_put(value);
		value = NULL;
	}
	return value;
}
