#include "wire/protocol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "wire/text.h"

/* A message's object while its fields are read: the first complaint stays. */
struct fields {
	struct json_object *object;
	const char *type;
	struct protocol_error *error;
	bool ok;
};

__attribute__((format(printf, 3, 4))) static bool refuse(
	struct protocol_error *error, enum error_code code, const char *format, ...) {
	error->code = code;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(error->detail, sizeof(error->detail), format, args);
	va_end(args);
	text_clean(error->detail);
	return false;
}

/* False when it is no integer within the bounds. */
static bool integer_in(struct json_object *value, int64_t low, int64_t high, int64_t *out) {
	if (!json_object_is_type(value, json_type_int)) {
		return false;
	}
	*out = json_object_get_int64(value);
	return *out >= low && *out <= high;
}

static bool string_is(struct json_object *value, const char *wanted) {
	return json_object_is_type(value, json_type_string) &&
	       (size_t)json_object_get_string_len(value) == strlen(wanted) &&
	       memcmp(json_object_get_string(value), wanted, strlen(wanted)) == 0;
}

static struct json_object *take_field(struct fields *fields, const char *name) {
	struct json_object *value = NULL;
	if (fields->ok && !json_object_object_get_ex(fields->object, name, &value)) {
		fields->ok = refuse(
			fields->error, ERROR_BAD_FIELD, "%s.%s: is missing", fields->type, name);
	}
	return fields->ok ? value : NULL;
}

static uint32_t take_integer(struct fields *fields, const char *name, uint32_t low, uint32_t high) {
	struct json_object *value = take_field(fields, name);
	int64_t number = 0;
	if (fields->ok && !integer_in(value, low, high, &number)) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.%s: must be %" PRIu32 " to %" PRIu32, fields->type, name, low, high);
	}
	return fields->ok ? (uint32_t)number : 0;
}

/* One of two words; true for the first. */
static bool take_word(
	struct fields *fields, const char *name, const char *first, const char *second) {
	struct json_object *value = take_field(fields, name);
	bool is_first = string_is(value, first);
	if (fields->ok && !is_first && !string_is(value, second)) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.%s: must be \"%s\" or \"%s\"", fields->type, name, first, second);
	}
	return is_first;
}

static void take_sources(struct fields *fields, struct protocol_share *share) {
	struct json_object *value = take_field(fields, "sources");
	if (!fields->ok) {
		return;
	}
	bool valid = json_object_is_type(value, json_type_array);
	size_t count = valid ? json_object_array_length(value) : 0;
	valid = count >= 1 && count <= 2;
	for (size_t i = 0; valid && i < count; i++) {
		struct json_object *word = json_object_array_get_idx(value, i);
		bool *wanted = string_is(word, "monitor") ? &share->monitor : &share->window;
		valid = !*wanted && (wanted == &share->monitor || string_is(word, "window"));
		*wanted = true;
	}
	if (!valid) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.sources: must be a list of \"monitor\", \"window\" or both",
			fields->type);
	}
}

static void take_hello(struct fields *fields, struct protocol_message *message) {
	message->hello.protocol = take_integer(fields, "protocol", 1, 1000);
}

static void take_share(struct fields *fields, struct protocol_message *message) {
	take_sources(fields, &message->share);
	message->share.cursor = take_word(fields, "cursor", "embedded", "hidden");
}

static void take_open(struct fields *fields, struct protocol_message *message) {
	struct protocol_open *open = &message->open;
	open->share = take_integer(fields, "share", 1, PROTOCOL_ID_MAX);
	open->codec =
		take_word(fields, "codec", "vp8", "vp9") ? PACKET_CODEC_VP8 : PACKET_CODEC_VP9;
	open->max_fps = (uint16_t)take_integer(fields, "maxFps", 1, PACKET_FPS_MAX);
	open->max_kbps = take_integer(fields, "maxKbps", PACKET_KBPS_MIN, PACKET_KBPS_MAX);
	open->credit = (uint16_t)take_integer(fields, "credit", 0, PACKET_CREDIT_MAX);
}

static void take_credit(struct fields *fields, struct protocol_message *message) {
	message->credit.share = take_integer(fields, "share", 1, PROTOCOL_ID_MAX);
	message->credit.frames = (uint16_t)take_integer(fields, "frames", 1, PACKET_CREDIT_MAX);
}

static void take_keyframe(struct fields *fields, struct protocol_message *message) {
	message->keyframe_share = take_integer(fields, "share", 1, PROTOCOL_ID_MAX);
}

static void take_cancel(struct fields *fields, struct protocol_message *message) {
	message->cancel_request = take_integer(fields, "request", 1, PROTOCOL_ID_MAX);
}

static void take_stop(struct fields *fields, struct protocol_message *message) {
	message->stop_share = take_integer(fields, "share", 1, PROTOCOL_ID_MAX);
}

#define FIELDS_MAX 6

struct message_type {
	const char *name;
	bool is_request;
	void (*take)(struct fields *fields, struct protocol_message *message);
	const char *fields[FIELDS_MAX]; /* beside `type`, and `id` of a request */
};

static const struct message_type message_types[] = {
	[PROTOCOL_HELLO] = {"hello", true, take_hello, {"protocol"}},
	[PROTOCOL_SHARE] = {"share", true, take_share, {"sources", "cursor"}},
	[PROTOCOL_OPEN] = {"open", true, take_open,
		{"share", "codec", "maxFps", "maxKbps", "credit"}},
	[PROTOCOL_CREDIT] = {"credit", false, take_credit, {"share", "frames"}},
	[PROTOCOL_KEYFRAME] = {"keyframe", false, take_keyframe, {"share"}},
	[PROTOCOL_CANCEL] = {"cancel", false, take_cancel, {"request"}},
	[PROTOCOL_STOP] = {"stop", true, take_stop, {"share"}},
};

#define TYPE_COUNT (sizeof(message_types) / sizeof(message_types[0]))

static bool field_is_known(const struct message_type *type, const char *name) {
	if (strcmp(name, "type") == 0 || (type->is_request && strcmp(name, "id") == 0)) {
		return true;
	}
	for (size_t i = 0; i < FIELDS_MAX && type->fields[i] != NULL; i++) {
		if (strcmp(name, type->fields[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool refuse_unknown_fields(struct fields *fields, const struct message_type *type) {
	json_object_object_foreach(fields->object, name, value) {
		(void)value;
		if (!field_is_known(type, name)) {
			return refuse(fields->error, ERROR_BAD_FIELD, "%s.%.32s: is not known",
				type->name, name);
		}
	}
	return true;
}

static const struct message_type *find_type(struct json_object *name) {
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (string_is(name, message_types[i].name)) {
			return &message_types[i];
		}
	}
	return NULL;
}

/* What json-c lets pass: raw control characters in strings; and its own count of levels depends on
 * what the innermost brackets hold. NULL, or the complaint. */
static const char *find_excess(const char *text, size_t length) {
	bool in_string = false;
	int depth = 0;
	for (size_t i = 0; i < length; i++) {
		if (in_string && (unsigned char)text[i] < 0x20) {
			return "a control character in a string";
		}
		if (in_string && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && (text[i] == '{' || text[i] == '[')) {
			depth++;
		} else if (!in_string && (text[i] == '}' || text[i] == ']')) {
			depth--;
		}
		if (depth > PROTOCOL_DEPTH_MAX) {
			return "nested too deeply";
		}
	}
	return NULL;
}

/* The message's JSON, or NULL with *error filled in. */
static struct json_object *parse_json(
	const char *text, size_t length, struct protocol_error *error) {
	if (!text_is_utf8(text, length)) {
		refuse(error, ERROR_BAD_UTF8, "%s", "");
		return NULL;
	}
	const char *excess = find_excess(text, length);
	if (excess != NULL) {
		refuse(error, ERROR_BAD_JSON, "%s", excess);
		return NULL;
	}
	struct json_tokener *tokener = json_tokener_new_ex(PROTOCOL_DEPTH_MAX + 1);
	if (tokener == NULL) {
		refuse(error, ERROR_OUT_OF_MEMORY, "%s", "");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error result = json_tokener_get_error(tokener);
	if (result == json_tokener_continue) {
		/* A bare number could go on; something has to end it. */
		object = json_tokener_parse_ex(tokener, " ", 1);
		result = json_tokener_get_error(tokener);
	} else if (result == json_tokener_success &&
		   json_tokener_get_parse_end(tokener) != length) {
		result = json_tokener_error_parse_unexpected;
	}
	json_tokener_free(tokener);
	if (result == json_tokener_success) {
		return object;
	}
	json_object_put(object);
	refuse(error, ERROR_BAD_JSON, "%s",
		result == json_tokener_continue ? "the text ends too early"
						: json_tokener_error_desc(result));
	return NULL;
}

static bool parse_object(struct json_object *object, struct protocol_message *message,
	struct protocol_error *error) {
	if (!json_object_is_type(object, json_type_object)) {
		return refuse(error, ERROR_BAD_MESSAGE, "%s", "not an object");
	}
	int64_t id = 0;
	bool has_id = integer_in(json_object_object_get(object, "id"), 1, PROTOCOL_ID_MAX, &id);
	error->id = has_id ? (uint32_t)id : 0;
	struct json_object *name = json_object_object_get(object, "type");
	if (!json_object_is_type(name, json_type_string)) {
		return refuse(error, ERROR_BAD_MESSAGE, "%s", "type: must be a string");
	}
	const struct message_type *type = find_type(name);
	if (type == NULL) {
		return refuse(error, ERROR_UNKNOWN_TYPE, "%.32s", json_object_get_string(name));
	}
	struct fields fields = {object, type->name, error, true};
	message->type = (enum protocol_type)(type - message_types);
	message->id = type->is_request ? take_integer(&fields, "id", 1, PROTOCOL_ID_MAX) : 0;
	type->take(&fields, message);
	return fields.ok && refuse_unknown_fields(&fields, type);
}

bool protocol_parse(const void *text, size_t length, struct protocol_message *message,
	struct protocol_error *error) {
	*message = (struct protocol_message){0};
	*error = (struct protocol_error){0};
	if (length == 0 || length > INT32_MAX) {
		return refuse(error, ERROR_BAD_JSON, "%s", "");
	}
	struct json_object *object = parse_json(text, length, error);
	bool ok = error->code == ERROR_NONE && parse_object(object, message, error);
	json_object_put(object);
	return ok;
}

bool protocol_is_request(enum protocol_type type) {
	return message_types[type].is_request;
}

/* ---- writers ---- */

/* Adds a member, which is taken; false when memory ran out for either. */
static bool add(struct json_object *object, const char *name, struct json_object *value) {
	if (object == NULL || value == NULL || json_object_object_add(object, name, value) != 0) {
		json_object_put(value);
		return false;
	}
	return true;
}

static bool add_string(struct json_object *object, const char *name, const char *text) {
	return add(object, name, json_object_new_string(text));
}

static bool add_integer(struct json_object *object, const char *name, uint32_t number) {
	return add(object, name, json_object_new_int64(number));
}

/* Appends the object's text when `ok`, and drops the object. */
static bool append_object(struct bytes *out, struct json_object *object, bool ok) {
	size_t length = 0;
	const char *text = NULL;
	if (ok) {
		text = json_object_to_json_string_length(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	}
	ok = text != NULL && bytes_append(out, text, length);
	json_object_put(object);
	return ok;
}

static struct json_object *new_result(uint32_t id, bool *ok) {
	struct json_object *object = json_object_new_object();
	*ok = add_string(object, "type", "result") && add_integer(object, "id", id);
	return object;
}

static bool add_supports(struct json_object *object, const struct protocol_hello_result *result) {
	const struct {
		bool has;
		const char *name;
	} features[] = {
		{true, "vp8"},
		{true, "vp9"},
		{result->window, "window"},
		{result->monitor, "monitor"},
		{result->cursor_hidden, "cursor-hidden"},
		{result->cursor_embedded, "cursor-embedded"},
		{result->cursor_metadata, "cursor-metadata"},
	};
	struct json_object *list = json_object_new_array();
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < sizeof(features) / sizeof(features[0]); i++) {
		ok = !features[i].has ||
		     json_object_array_add(list, json_object_new_string(features[i].name)) == 0;
	}
	if (!ok) {
		json_object_put(list);
		return false;
	}
	return add(object, "supports", list);
}

bool protocol_write_hello_result(
	struct bytes *out, uint32_t id, const struct protocol_hello_result *result) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_integer(object, "protocol", PROTOCOL_VERSION) &&
	     add_string(object, "version", PORTLIGHT_VERSION) && add_supports(object, result) &&
	     add_integer(object, "portal", result->portal);
	return append_object(out, object, ok);
}

bool protocol_write_share_result(
	struct bytes *out, uint32_t id, const struct protocol_share_result *result) {
	static const char *const surfaces[] = {
		[PROTOCOL_SURFACE_UNKNOWN] = "unknown",
		[PROTOCOL_SURFACE_MONITOR] = "monitor",
		[PROTOCOL_SURFACE_WINDOW] = "window",
		[PROTOCOL_SURFACE_VIRTUAL] = "virtual",
	};
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_integer(object, "share", result->share) &&
	     add_string(object, "surface", surfaces[result->surface]) &&
	     add_integer(object, "width", result->width) &&
	     add_integer(object, "height", result->height);
	return append_object(out, object, ok);
}

bool protocol_write_open_result(struct bytes *out, uint32_t id, const struct packet_ready *ready) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_string(object, "codec", ready->codec == PACKET_CODEC_VP8 ? "vp8" : "vp9") &&
	     add_integer(object, "width", ready->width) &&
	     add_integer(object, "height", ready->height);
	return append_object(out, object, ok);
}

bool protocol_write_stop_result(struct bytes *out, uint32_t id) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	return append_object(out, object, ok);
}

static bool add_error(struct json_object *object, enum error_code code, const char *detail) {
	bool ok = add_string(object, "code", error_code_string(code)) &&
		  add_string(object, "message", error_message(code)) &&
		  add_string(object, "remedy", error_remedy(code));
	if (ok && detail != NULL && detail[0] != '\0') {
		char clean[PACKET_DETAIL_MAX + 1];
		(void)snprintf(clean, sizeof(clean), "%s", detail);
		text_clean(clean);
		ok = add_string(object, "detail", clean);
	}
	return ok;
}

bool protocol_write_error(
	struct bytes *out, uint32_t id, enum error_code code, const char *detail) {
	struct json_object *object = json_object_new_object();
	bool ok = add_string(object, "type", "error");
	if (ok && id == 0) {
		ok = json_object_object_add(object, "id", NULL) == 0;
	} else {
		ok = ok && add_integer(object, "id", id);
	}
	return append_object(out, object, ok && add_error(object, code, detail));
}

bool protocol_write_ended(
	struct bytes *out, uint32_t share, enum error_code code, const char *detail) {
	struct json_object *object = json_object_new_object();
	bool ok = add_string(object, "type", "ended") && add_integer(object, "share", share) &&
		  add_error(object, code, detail);
	return append_object(out, object, ok);
}

bool protocol_write_frame(struct bytes *out, uint32_t share, const struct packet_frame *frame) {
	/* Written by hand: this runs for every fragment, and the payload is not to be copied. */
	char head[256];
	int length = snprintf(head, sizeof(head),
		"{\"type\":\"frame\",\"share\":%" PRIu32 ",\"seq\":%" PRIu32
		",\"part\":%u,\"parts\":%u",
		share, frame->sequence, frame->part, frame->parts);
	if (frame->part == 0) {
		length += snprintf(head + length, sizeof(head) - (size_t)length,
			",\"key\":%s,\"width\":%" PRIu32 ",\"height\":%" PRIu32 ",\"pts\":%" PRId64,
			frame->key ? "true" : "false", frame->width, frame->height, frame->pts_us);
	}
	length += snprintf(head + length, sizeof(head) - (size_t)length, ",\"data\":\"");
	size_t text_length = text_base64_length(frame->payload_length);
	if (!bytes_reserve(out, (size_t)length + text_length + 2)) {
		return false;
	}
	(void)bytes_append(out, head, (size_t)length);
	text_base64(frame->payload, frame->payload_length, (char *)out->data + out->length);
	out->length += text_length;
	return bytes_append(out, "\"}", 2);
}
