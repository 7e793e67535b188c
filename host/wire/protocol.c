#include "wire/protocol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/json_text.h"
#include "wire/text.h"

/* A field of a message, as docs/PROTOCOL.md has it. */
struct field {
	const char *name;
	/* On failure error->detail says what it must be. */
	bool (*take)(const struct field *field, struct json_object *value, void *out,
		struct protocol_error *error);
	size_t offset; /* of what is taken, in struct protocol_message */
	size_t size;
	uint32_t low; /* bounds of an integer; of words, the value of the first */
	uint32_t high;
	const char *words[3];
	bool optional;
};

#define FIELDS_MAX 10

struct message_type {
	const char *name;
	bool is_request;
	struct field fields[FIELDS_MAX]; /* beside `type`, and `id` of a request */
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

/* False unless it is an integer within the bounds. */
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

static bool take_integer(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	int64_t number = 0;
	if (!integer_in(value, field->low, field->high, &number)) {
		return refuse(
			error, ERROR_BAD_FIELD, "%" PRIu32 " to %" PRIu32, field->low, field->high);
	}
	if (field->size == sizeof(uint16_t)) {
		*(uint16_t *)out = (uint16_t)number;
	} else {
		*(uint32_t *)out = (uint32_t)number;
	}
	return true;
}

/* A bound of a picture's side. */
static bool take_side(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	int64_t number = 0;
	if (!integer_in(value, 0, PACKET_SIDE_MAX, &number) || number == 1) {
		return refuse(error, ERROR_BAD_FIELD, "0, or 2 to %u", PACKET_SIDE_MAX);
	}
	*(uint32_t *)out = (uint32_t)number;
	return true;
}

/* The region stays the whole picture where the message says null. */
static bool take_region(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	static const struct {
		const char *name;
		int64_t low;
	} sides[] = {{"x", 0}, {"y", 0}, {"width", 2}, {"height", 2}};
	if (value == NULL) {
		return true;
	}
	bool valid = json_object_is_type(value, json_type_object) &&
		     json_object_object_length(value) == 4;
	int64_t numbers[4] = {0};
	for (size_t i = 0; valid && i < 4; i++) {
		valid = integer_in(json_object_object_get(value, sides[i].name), sides[i].low,
			PACKET_SIDE_MAX, &numbers[i]);
	}
	if (!valid) {
		return refuse(error, ERROR_BAD_FIELD,
			"null, or x and y of 0 to %u with width and height of 2 "
			"to %u",
			PACKET_SIDE_MAX, PACKET_SIDE_MAX);
	}
	*(struct packet_region *)out = (struct packet_region){(uint32_t)numbers[0],
		(uint32_t)numbers[1], (uint32_t)numbers[2], (uint32_t)numbers[3]};
	return true;
}

/* An enum whose values follow each other as the words do. */
static bool take_word(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	const char *const *words = field->words;
	for (unsigned i = 0; i < 3 && words[i] != NULL; i++) {
		if (string_is(value, words[i])) {
			*(uint32_t *)out = field->low + i;
			return true;
		}
	}
	if (words[2] == NULL) {
		return refuse(error, ERROR_BAD_FIELD, "\"%s\" or \"%s\"", words[0], words[1]);
	}
	return refuse(
		error, ERROR_BAD_FIELD, "\"%s\", \"%s\" or \"%s\"", words[0], words[1], words[2]);
}

static bool take_sources(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	struct protocol_share *wish = out;
	bool valid = json_object_is_type(value, json_type_array);
	size_t count = valid ? json_object_array_length(value) : 0;
	valid = count >= 1 && count <= 2;
	for (size_t i = 0; valid && i < count; i++) {
		struct json_object *word = json_object_array_get_idx(value, i);
		bool *wanted = string_is(word, "monitor") ? &wish->monitor : &wish->window;
		valid = !*wanted && (wanted == &wish->monitor || string_is(word, "window"));
		*wanted = true;
	}
	return valid || refuse(error, ERROR_BAD_FIELD, "a list of \"monitor\", \"window\" or both");
}

static bool take_bool(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	*(bool *)out = json_object_get_boolean(value);
	return json_object_is_type(value, json_type_boolean) ||
	       refuse(error, ERROR_BAD_FIELD, "true or false");
}

static bool take_origin(const struct field *field, struct json_object *value, void *out,
	struct protocol_error *error) {
	size_t length = (size_t)json_object_get_string_len(value);
	if (!json_object_is_type(value, json_type_string) ||
		!origin_is_valid(json_object_get_string(value), length)) {
		return refuse(error, ERROR_BAD_FIELD, "that of a secure page");
	}
	memcpy(out, json_object_get_string(value), length + 1);
	return true;
}

/* Versions of clang-format disagree about braces in macros. */
/* clang-format off */
#define FIELD(name_, kind, member, ...) { \
		.name = name_, .take = take_##kind, \
		.offset = offsetof(struct protocol_message, member), \
		.size = sizeof(((struct protocol_message *)NULL)->member), __VA_ARGS__ \
	}
/* clang-format on */
#define BOUNDS(low_, high_) .low = (low_), .high = (high_)
#define REQUIRED .optional = false
#define OPTIONAL .optional = true
#define SHARE FIELD("share", integer, share, BOUNDS(1, PROTOCOL_ID_MAX))

static const struct field id_field = FIELD("id", integer, id, BOUNDS(1, PROTOCOL_ID_MAX));

/* clang-format off */
static const struct message_type message_types[] = {
	[PROTOCOL_HELLO] = {"hello", true, {
		FIELD("protocol", integer, hello_protocol, BOUNDS(1, 1000)),
	}},
	[PROTOCOL_SHARE] = {"share", true, {
		FIELD("sources", sources, wish, REQUIRED),
		FIELD("cursor", word, wish.cursor, .words = {"embedded", "hidden", "metadata"}),
		FIELD("multiple", bool, wish.multiple, OPTIONAL),
		FIELD("origin", origin, wish.origin, OPTIONAL),
		FIELD("remember", bool, wish.remember, OPTIONAL),
	}},
	[PROTOCOL_OPEN] = {"open", true, {
		SHARE,
		FIELD("codec", word, open.codec, .low = PACKET_CODEC_VP8, .words = {"vp8", "vp9", "auto"}),
		FIELD("maxFps", integer, open.max_fps, BOUNDS(1, PACKET_FPS_MAX)),
		FIELD("maxKbps", integer, open.max_kbps, BOUNDS(PACKET_KBPS_MIN, PACKET_KBPS_MAX)),
		FIELD("credit", integer, open.credit, BOUNDS(0, PACKET_CREDIT_MAX)),
		FIELD("maxWidth", side, open.max_width, OPTIONAL),
		FIELD("maxHeight", side, open.max_height, OPTIONAL),
		FIELD("fidelity", word, open.fidelity, OPTIONAL, .words = {"motion", "text"}),
		FIELD("cursor", word, open.cursor, OPTIONAL, .low = PACKET_CURSOR_BLEND, .words = {"blend", "send"}),
		FIELD("region", region, open.region, OPTIONAL),
	}},
	[PROTOCOL_CREDIT] = {"credit", false, {
		SHARE,
		FIELD("frames", integer, credit, BOUNDS(1, PACKET_CREDIT_MAX)),
	}},
	[PROTOCOL_CONFIGURE] = {"configure", false, {
		SHARE,
		FIELD("maxFps", integer, configure.max_fps, OPTIONAL, BOUNDS(1, PACKET_FPS_MAX)),
		FIELD("maxKbps", integer, configure.max_kbps, OPTIONAL, BOUNDS(PACKET_KBPS_MIN, PACKET_KBPS_MAX)),
		FIELD("maxWidth", side, configure.max_width, OPTIONAL),
		FIELD("maxHeight", side, configure.max_height, OPTIONAL),
		FIELD("region", region, configure.region, OPTIONAL),
	}},
	[PROTOCOL_KEYFRAME] = {"keyframe", false, {SHARE}},
	[PROTOCOL_STATS] = {"stats", true, {SHARE}},
	[PROTOCOL_CANCEL] = {"cancel", false, {
		FIELD("request", integer, cancel_request, BOUNDS(1, PROTOCOL_ID_MAX)),
	}},
	[PROTOCOL_STOP] = {"stop", true, {SHARE}},
	[PROTOCOL_GRANTS] = {.name = "grants", .is_request = true},
	[PROTOCOL_REVOKE] = {"revoke", true, {
		FIELD("origin", origin, revoke_origin, REQUIRED),
	}},
};
/* clang-format on */

#define TYPE_COUNT (sizeof(message_types) / sizeof(message_types[0]))

static bool take(const struct message_type *type, const struct field *field,
	struct json_object *object, struct protocol_message *message,
	struct protocol_error *error) {
	struct json_object *value = NULL;
	if (!json_object_object_get_ex(object, field->name, &value)) {
		return field->optional ||
		       refuse(error, ERROR_BAD_FIELD, "%s.%s: is missing", type->name, field->name);
	}
	if (field->take(field, value, (uint8_t *)message + field->offset, error)) {
		return true;
	}
	char bounds[sizeof(error->detail)];
	(void)snprintf(bounds, sizeof(bounds), "%s", error->detail);
	return refuse(error, ERROR_BAD_FIELD, "%s.%s: must be %s", type->name, field->name, bounds);
}

static bool field_is_known(const struct message_type *type, const char *name) {
	if (strcmp(name, "type") == 0 || (type->is_request && strcmp(name, "id") == 0)) {
		return true;
	}
	for (size_t i = 0; i < FIELDS_MAX && type->fields[i].name != NULL; i++) {
		if (strcmp(name, type->fields[i].name) == 0) {
			return true;
		}
	}
	return false;
}

static bool take_fields(const struct message_type *type, struct json_object *object,
	struct protocol_message *message, struct protocol_error *error) {
	if (type->is_request && !take(type, &id_field, object, message, error)) {
		return false;
	}
	for (size_t i = 0; i < FIELDS_MAX && type->fields[i].name != NULL; i++) {
		if (!take(type, &type->fields[i], object, message, error)) {
			return false;
		}
	}
	json_object_object_foreach(object, name, value) {
		(void)value;
		if (!field_is_known(type, name)) {
			return refuse(
				error, ERROR_BAD_FIELD, "%s.%.32s: is not known", type->name, name);
		}
	}
	return true;
}

/* What holds between fields. */
static bool check_fields(const struct protocol_message *message, struct json_object *object,
	struct protocol_error *error) {
	if (message->type == PROTOCOL_SHARE && message->wish.remember &&
		message->wish.origin[0] == '\0') {
		return refuse(error, ERROR_BAD_FIELD, "share.remember: needs an origin");
	}
	if (message->type == PROTOCOL_OPEN && message->open.fidelity == PACKET_FIDELITY_TEXT &&
		message->open.codec != PACKET_CODEC_VP9) {
		return refuse(
			error, ERROR_BAD_FIELD, "open.fidelity: \"text\" needs the codec \"vp9\"");
	}
	/* It has its type and its share. */
	if (message->type == PROTOCOL_CONFIGURE && json_object_object_length(object) == 2) {
		return refuse(error, ERROR_BAD_FIELD, "configure: must name something to change");
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
	if (!text_is_utf8(text, length)) {
		refuse(error, ERROR_BAD_UTF8, "%s", "");
		return NULL;
	}
	enum json_tokener_error result = json_tokener_success;
	struct json_object *object = json_text_parse(text, length, PROTOCOL_DEPTH_MAX, &result);
	if (result == json_tokener_success) {
		return object;
	}
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
	message->type = (enum protocol_type)(type - message_types);
	if (message->type == PROTOCOL_CONFIGURE) {
		message->configure = (struct protocol_configure){PROTOCOL_KEEP, PROTOCOL_KEEP,
			PROTOCOL_KEEP, PROTOCOL_KEEP,
			!json_object_object_get_ex(object, "region", NULL), {0}};
	}
	return take_fields(type, object, message, error) && check_fields(message, object, error);
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
