/*
 * Any bytes as a message of a client: what is read stays within its bounds, and what is relayed of
 * it is JSON again, which reads to the same. As the body of a POST, its parts lie within it, in
 * order.
 */
#include <glib.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "rooms/wire/wire.h"
#include "wire/json_text.h"

static void check(bool good) {
	if (!good) {
		abort();
	}
}

/* What the server writes of a client's value, between its own words. */
static void check_relayed(const char *value) {
	struct wire_writer writer;
	wire_begin_object(&writer);
	wire_raw(&writer, "value", value);
	struct shared_text *text = wire_end(&writer);
	check(g_utf8_validate(text->bytes, (gssize)text->length, NULL));
	enum json_tokener_error error = json_tokener_success;
	struct json_object *again =
		json_text_parse(text->bytes, text->length, JSON_TOKENER_DEFAULT_DEPTH, &error);
	check(error == json_tokener_success);
	struct json_object *alone = value == NULL ? NULL : json_tokener_parse(value);
	check(json_object_equal(alone, json_object_object_get(again, "value")));
	json_object_put(alone);
	json_object_put(again);
	shared_text_drop(text);
}

static void check_string(const char *text, size_t high) {
	if (text != NULL) {
		check(strlen(text) <= high && g_utf8_validate(text, -1, NULL));
		struct json_object *string = json_object_new_string(text);
		struct wire_writer writer;
		wire_begin_object(&writer);
		wire_string(&writer, "text", text);
		struct shared_text *written = wire_end(&writer);
		struct json_object *again = json_tokener_parse(written->bytes);
		check(json_object_equal(string, json_object_object_get(again, "text")));
		json_object_put(again);
		json_object_put(string);
		shared_text_drop(written);
	}
}

static void check_message(const char *text, size_t length) {
	struct wire_message message;
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64];
	if (!wire_parse(text, length, &message, &error, detail)) {
		check(error != ROOMS_ERROR_NONE && memchr(detail, '\0', sizeof(detail)) != NULL);
		wire_finish(&message);
		return;
	}
	check(length <= WIRE_MESSAGE_MAX && message.type < WIRE_TYPES);
	check(message.type < WIRE_FIRST_REQUEST || message.seq > 0);
	check(message.seq <= WIRE_INTEGER_MAX && message.ack <= WIRE_INTEGER_MAX &&
		message.id <= WIRE_INTEGER_MAX && message.received <= WIRE_INTEGER_MAX);
	check(message.to_count <= WIRE_TO_MAX && message.others <= WIRE_PUBLISHER &&
		message.role <= WIRE_MODERATOR && message.kind <= WIRE_DATA);
	check_string(message.sdp, 32768);
	check_string(message.name, 1024);
	check_string(message.call, 64);
	check_string(message.stream, 64);
	check_string(message.reason, 64);
	check_string(message.token, 2048);
	check_relayed(message.body);
	check_relayed(message.candidate);
	check_relayed(message.data);
	wire_finish(&message);
}

struct parts {
	const char *at;
	const char *end;
};

static bool each(void *context, const char *text, size_t length) {
	struct parts *parts = context;
	check(text >= parts->at && length <= (size_t)(parts->end - text));
	parts->at = text + length;
	check_message(text, length);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Of exactly this size, so that the sanitizer sees every overrun. */
	char *text = malloc(size > 0 ? size : 1);
	check(text != NULL);
	if (size > 0) {
		memcpy(text, data, size);
	}
	check_message(text, size);
	struct parts parts = {text, text + size};
	enum rooms_error error = ROOMS_ERROR_NONE;
	(void)wire_split(text, size, each, &parts, &error);
	free(text);
	return 0;
}
