#include "wire/protocol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static bool has_field(const struct fields *fields, const char *name) {
	return fields->ok && json_object_object_get_ex(fields->object, name, NULL);
}

/* A bound of a picture's side; `absent` when the field is not there. */
static uint32_t take_side(struct fields *fields, const char *name, uint32_t absent) {
	if (!has_field(fields, name)) {
		return absent;
	}
	int64_t number = 0;
	if (!integer_in(take_field(fields, name), 0, PACKET_SIDE_MAX, &number) || number == 1) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD, "%s.%s: must be 0, or 2 to %u",
			fields->type, name, PACKET_SIDE_MAX);
	}
	return (uint32_t)number;
}

static uint32_t take_optional(
	struct fields *fields, const char *name, uint32_t low, uint32_t high) {
	return has_field(fields, name) ? take_integer(fields, name, low, high) : PROTOCOL_KEEP;
}

/* The region stays the whole picture where the message says null, or nothing. */
static void take_region(struct fields *fields, struct packet_region *region) {
	static const struct {
		const char *name;
		int64_t low;
	} sides[] = {{"x", 0}, {"y", 0}, {"width", 2}, {"height", 2}};
	struct json_object *value =
		has_field(fields, "region") ? take_field(fields, "region") : NULL;
	if (value == NULL) {
		return;
	}
	bool valid = json_object_is_type(value, json_type_object) &&
		     json_object_object_length(value) == 4;
	int64_t numbers[4] = {0};
	for (size_t i = 0; valid && i < 4; i++) {
		valid = integer_in(json_object_object_get(value, sides[i].name), sides[i].low,
			PACKET_SIDE_MAX, &numbers[i]);
	}
	if (!valid) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.region: must be null, or x and y of 0 to %u with width and height of 2 "
			"to %u",
			fields->type, PACKET_SIDE_MAX, PACKET_SIDE_MAX);
		return;
	}
	*region = (struct packet_region){(uint32_t)numbers[0], (uint32_t)numbers[1],
		(uint32_t)numbers[2], (uint32_t)numbers[3]};
}

/* One of two or three words (`third` may be NULL): its place, from 0. */
static unsigned take_word(struct fields *fields, const char *name, const char *first,
	const char *second, const char *third) {
	struct json_object *value = take_field(fields, name);
	const char *const words[] = {first, second, third};
	for (unsigned i = 0; i < 3 && words[i] != NULL; i++) {
		if (string_is(value, words[i])) {
			return i;
		}
	}
	if (fields->ok && third == NULL) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.%s: must be \"%s\" or \"%s\"", fields->type, name, first, second);
	} else if (fields->ok) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.%s: must be \"%s\", \"%s\" or \"%s\"", fields->type, name, first,
			second, third);
	}
	return 0;
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

static bool take_bool(struct fields *fields, const char *name) {
	struct json_object *value = take_field(fields, name);
	if (fields->ok && !json_object_is_type(value, json_type_boolean)) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD, "%s.%s: must be true or false",
			fields->type, name);
	}
	return fields->ok && json_object_get_boolean(value);
}

static void take_origin(struct fields *fields, char origin[ORIGIN_MAX + 1]) {
	struct json_object *value = take_field(fields, "origin");
	if (!fields->ok) {
		return;
	}
	size_t length = (size_t)json_object_get_string_len(value);
	if (!json_object_is_type(value, json_type_string) ||
		!origin_is_valid(json_object_get_string(value), length)) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.origin: must be that of a secure page", fields->type);
		return;
	}
	memcpy(origin, json_object_get_string(value), length);
	origin[length] = '\0';
}

static void take_hello(struct fields *fields, struct protocol_message *message) {
	message->hello_protocol = take_integer(fields, "protocol", 1, 1000);
}

static void take_number_of_share(struct fields *fields, struct protocol_message *message) {
	message->share = take_integer(fields, "share", 1, PROTOCOL_ID_MAX);
}

static void take_share(struct fields *fields, struct protocol_message *message) {
	take_sources(fields, &message->wish);
	static const enum protocol_cursor cursors[] = {
		PROTOCOL_CURSOR_EMBEDDED, PROTOCOL_CURSOR_HIDDEN, PROTOCOL_CURSOR_METADATA};
	message->wish.cursor =
		cursors[take_word(fields, "cursor", "embedded", "hidden", "metadata")];
	if (has_field(fields, "origin")) {
		take_origin(fields, message->wish.origin);
	}
	message->wish.remember = has_field(fields, "remember") && take_bool(fields, "remember");
	if (fields->ok && message->wish.remember && message->wish.origin[0] == '\0') {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD, "%s.remember: needs an origin",
			fields->type);
	}
	message->wish.multiple = has_field(fields, "multiple") && take_bool(fields, "multiple");
}

static void take_open(struct fields *fields, struct protocol_message *message) {
	struct protocol_open *open = &message->open;
	take_number_of_share(fields, message);
	static const enum packet_codec codecs[] = {
		PACKET_CODEC_VP8, PACKET_CODEC_VP9, PACKET_CODEC_AUTO};
	open->codec = codecs[take_word(fields, "codec", "vp8", "vp9", "auto")];
	open->max_fps = (uint16_t)take_integer(fields, "maxFps", 1, PACKET_FPS_MAX);
	open->max_kbps = take_integer(fields, "maxKbps", PACKET_KBPS_MIN, PACKET_KBPS_MAX);
	open->credit = (uint16_t)take_integer(fields, "credit", 0, PACKET_CREDIT_MAX);
	open->max_width = take_side(fields, "maxWidth", 0);
	open->max_height = take_side(fields, "maxHeight", 0);
	take_region(fields, &open->region);
	if (has_field(fields, "fidelity") &&
		take_word(fields, "fidelity", "motion", "text", NULL) == 1) {
		open->fidelity = PACKET_FIDELITY_TEXT;
	}
	if (has_field(fields, "cursor")) {
		open->cursor = take_word(fields, "cursor", "blend", "send", NULL) == 0
				       ? PACKET_CURSOR_BLEND
				       : PACKET_CURSOR_SEND;
	}
	if (fields->ok && open->fidelity == PACKET_FIDELITY_TEXT &&
		open->codec != PACKET_CODEC_VP9) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s.fidelity: \"text\" needs the codec \"vp9\"", fields->type);
	}
}

static void take_configure(struct fields *fields, struct protocol_message *message) {
	struct protocol_configure *configure = &message->configure;
	take_number_of_share(fields, message);
	configure->max_fps = take_optional(fields, "maxFps", 1, PACKET_FPS_MAX);
	configure->max_kbps = take_optional(fields, "maxKbps", PACKET_KBPS_MIN, PACKET_KBPS_MAX);
	configure->max_width = take_side(fields, "maxWidth", PROTOCOL_KEEP);
	configure->max_height = take_side(fields, "maxHeight", PROTOCOL_KEEP);
	configure->region_keeps = !has_field(fields, "region");
	take_region(fields, &configure->region);
	if (fields->ok && configure->region_keeps && configure->max_fps == PROTOCOL_KEEP &&
		configure->max_kbps == PROTOCOL_KEEP && configure->max_width == PROTOCOL_KEEP &&
		configure->max_height == PROTOCOL_KEEP) {
		fields->ok = refuse(fields->error, ERROR_BAD_FIELD,
			"%s: must name something to change", fields->type);
	}
}

static void take_credit(struct fields *fields, struct protocol_message *message) {
	take_number_of_share(fields, message);
	message->credit = (uint16_t)take_integer(fields, "frames", 1, PACKET_CREDIT_MAX);
}

static void take_cancel(struct fields *fields, struct protocol_message *message) {
	message->cancel_request = take_integer(fields, "request", 1, PROTOCOL_ID_MAX);
}

static void take_nothing(struct fields *fields, struct protocol_message *message) {
}

static void take_revoke(struct fields *fields, struct protocol_message *message) {
	take_origin(fields, message->revoke_origin);
}

#define FIELDS_MAX 10

struct message_type {
	const char *name;
	bool is_request;
	void (*take)(struct fields *fields, struct protocol_message *message);
	const char *fields[FIELDS_MAX]; /* beside `type`, and `id` of a request */
};

static const struct message_type message_types[] = {
	[PROTOCOL_HELLO] = {"hello", true, take_hello, {"protocol"}},
	[PROTOCOL_SHARE] = {"share", true, take_share,
		{"sources", "cursor", "multiple", "origin", "remember"}},
	[PROTOCOL_OPEN] = {"open", true, take_open,
		{"share", "codec", "maxFps", "maxKbps", "credit", "maxWidth", "maxHeight",
			"fidelity", "cursor", "region"}},
	[PROTOCOL_CREDIT] = {"credit", false, take_credit, {"share", "frames"}},
	[PROTOCOL_CONFIGURE] = {"configure", false, take_configure,
		{"share", "maxFps", "maxKbps", "maxWidth", "maxHeight", "region"}},
	[PROTOCOL_KEYFRAME] = {"keyframe", false, take_number_of_share, {"share"}},
	[PROTOCOL_STATS] = {"stats", true, take_number_of_share, {"share"}},
	[PROTOCOL_CANCEL] = {"cancel", false, take_cancel, {"request"}},
	[PROTOCOL_STOP] = {"stop", true, take_number_of_share, {"share"}},
	[PROTOCOL_GRANTS] = {"grants", true, take_nothing, {NULL}},
	[PROTOCOL_REVOKE] = {"revoke", true, take_revoke, {"origin"}},
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

/* The message's JSON, or NULL with *error filled in. */
static struct json_object *parse_json(
	const char *text, size_t length, struct protocol_error *error) {
	struct json_tokener *tokener = json_tokener_new_ex(PROTOCOL_DEPTH_MAX);
	if (tokener == NULL) {
		refuse(error, ERROR_OUT_OF_MEMORY, "%s", "");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error result = json_tokener_get_error(tokener);
	if (result == json_tokener_success && json_tokener_get_parse_end(tokener) != length) {
		result = json_tokener_error_parse_unexpected; /* a NUL */
	}
	json_tokener_free(tokener);
	if (result == json_tokener_success) {
		return object;
	}
	json_object_put(object);
	refuse(error,
		result == json_tokener_error_parse_utf8_string ? ERROR_BAD_UTF8 : ERROR_BAD_JSON,
		"%s",
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
