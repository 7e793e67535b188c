#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "rooms/wire/wire.h"

#define TEXT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
/* Most messages fit. */
#define ROOM_FIRST 480u

static void append(struct wire_writer *writer, const char *bytes, size_t length) {
	if (writer->room - writer->length < length) {
		writer->room = MAX(2 * writer->room, writer->length + length + ROOM_FIRST);
		writer->text = g_realloc(writer->text, sizeof(*writer->text) + writer->room + 1);
	}
	memcpy(writer->text->bytes + writer->length, bytes, length);
	writer->length += length;
}

static void append_text(struct wire_writer *writer, const char *text) {
	append(writer, text, strlen(text));
}

static void append_quoted(struct wire_writer *writer, const char *text) {
	append(writer, "\"", 1);
	while (*text != '\0') {
		size_t plain = 0;
		while ((unsigned char)text[plain] >= ' ' && text[plain] != '"' &&
			text[plain] != '\\') {
			plain++;
		}
		append(writer, text, plain);
		text += plain;
		if (*text != '\0') {
			char escape[8];
			int length = *text == '\n'   ? snprintf(escape, sizeof(escape), "\\n")
				     : *text == '\r' ? snprintf(escape, sizeof(escape), "\\r")
				     : *text >= ' '
					     ? snprintf(escape, sizeof(escape), "\\%c", *text)
					     : snprintf(escape, sizeof(escape), "\\u%04x",
						       (unsigned)*text);
			append(writer, escape, (size_t)length);
			text++;
		}
	}
	append(writer, "\"", 1);
}

static void append_key(struct wire_writer *writer, const char *key) {
	if (writer->comma) {
		append(writer, ",", 1);
	}
	writer->comma = true;
	if (key != NULL) {
		append(writer, "\"", 1);
		append_text(writer, key);
		append(writer, "\":", 2);
	}
}

void wire_begin(struct wire_writer *writer, const char *type) {
	*writer = (struct wire_writer){0};
	wire_string(writer, "type", type);
}

void wire_begin_object(struct wire_writer *writer) {
	*writer = (struct wire_writer){0};
	append(writer, "{", 1);
}

void wire_string(struct wire_writer *writer, const char *key, const char *value) {
	append_key(writer, key);
	append_quoted(writer, value);
}

size_t wire_number(int64_t value, char out[static WIRE_NUMBER_MAX]) {
	char digits[WIRE_NUMBER_MAX];
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0) {
		digits[--at] = '-';
	}
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

void wire_integer(struct wire_writer *writer, const char *key, int64_t value) {
	char text[WIRE_NUMBER_MAX];
	size_t length = wire_number(value, text);
	append_key(writer, key);
	append(writer, text, length);
}

void wire_bool(struct wire_writer *writer, const char *key, bool value) {
	append_key(writer, key);
	append_text(writer, value ? "true" : "false");
}

void wire_json(struct wire_writer *writer, const char *key, struct json_object *value) {
	wire_raw(writer, key,
		value == NULL ? NULL : json_object_to_json_string_ext(value, TEXT_FLAGS));
}

void wire_raw(struct wire_writer *writer, const char *key, const char *json) {
	append_key(writer, key);
	append_text(writer, json == NULL ? "null" : json);
}

void wire_open(struct wire_writer *writer, const char *key, char bracket) {
	append_key(writer, key);
	append(writer, &bracket, 1);
	writer->comma = false;
}

void wire_close(struct wire_writer *writer, char bracket) {
	append(writer, &bracket, 1);
	writer->comma = true;
}

struct shared_text *wire_end(struct wire_writer *writer) {
	append(writer, "}", 1);
	struct shared_text *text = writer->text;
	/* It may wait long in an outbox. */
	if (writer->room > writer->length + ROOM_FIRST / 4) {
		text = g_realloc(text, sizeof(*text) + writer->length + 1);
	}
	text->references = 1;
	text->length = (uint32_t)writer->length;
	text->bytes[writer->length] = '\0';
	*writer = (struct wire_writer){0};
	return text;
}

static void write_error(
	struct wire_writer *writer, enum rooms_error error, const char *detail, int64_t retry_ms) {
	wire_string(writer, "code", rooms_error_code(error));
	wire_string(writer, "message", rooms_error_message(error));
	wire_string(writer, "remedy", rooms_error_remedy(error));
	if (detail != NULL && *detail != '\0') {
		wire_string(writer, "detail", detail);
	}
	if (retry_ms > 0) {
		wire_integer(writer, "retryMs", retry_ms);
	}
}

struct shared_text *wire_error(
	uint64_t id, enum rooms_error error, const char *detail, int64_t retry_ms) {
	struct wire_writer writer;
	wire_begin(&writer, "error");
	if (id > 0) {
		wire_integer(&writer, "id", (int64_t)id);
	}
	write_error(&writer, error, detail, retry_ms);
	return wire_end(&writer);
}

struct shared_text *wire_bye(enum rooms_error error, int64_t retry_ms) {
	struct wire_writer writer;
	wire_begin(&writer, "bye");
	write_error(&writer, error, NULL, retry_ms);
	return wire_end(&writer);
}
