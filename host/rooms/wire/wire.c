#include "rooms/wire/wire.h"

#include <glib.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wire/json_text.h"

#define SDP_MAX 32768u
#define CANDIDATE_MAX 4096u
#define DATA_MAX 2048u
#define TEXT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* A field of a message, as docs/ROOMS.md has it. */
struct field {
	const char *name;
	enum rooms_error (*take)(
		const struct field *field, struct json_object *value, struct wire_message *message);
	size_t offset;
	uint32_t low; /* of an integer; of a string or an object, in bytes */
	uint32_t high;
	bool optional;
};

#define FIELDS_MAX 8

struct wire_format {
	const char *name;
	struct field fields[FIELDS_MAX]; /* beside type, seq, ack, id */
};

static void *place(struct wire_message *message, const struct field *field) {
	return (char *)message + field->offset;
}

static bool integer_in(struct json_object *value, int64_t low, int64_t high, int64_t *out) {
	if (!json_object_is_type(value, json_type_int)) {
		return false;
	}
	*out = json_object_get_int64(value);
	return *out >= low && *out <= high;
}

static enum rooms_error take_integer(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	int64_t number = 0;
	if (!integer_in(value, field->low, field->high, &number)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	*(uint32_t *)place(message, field) = (uint32_t)number;
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_string(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	if (!json_object_is_type(value, json_type_string)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	size_t length = (size_t)json_object_get_string_len(value);
	if (length > field->high) {
		return ROOMS_ERROR_TOO_LARGE;
	}
	if (length < field->low) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	*(const char **)place(message, field) = json_object_get_string(value);
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_bool(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	if (!json_object_is_type(value, json_type_boolean)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	*(bool *)place(message, field) = json_object_get_boolean(value);
	return ROOMS_ERROR_NONE;
}

/* Any JSON, as text: it is written once, checked by its length, and relayed as it stands. */
static enum rooms_error take_any(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	size_t length = 0;
	const char *text = value == NULL
				   ? NULL
				   : json_object_to_json_string_length(value, TEXT_FLAGS, &length);
	if (length > field->high) {
		return ROOMS_ERROR_TOO_LARGE;
	}
	*(const char **)place(message, field) = text;
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_object(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	return json_object_is_type(value, json_type_object) ? take_any(field, value, message)
							    : ROOMS_ERROR_BAD_FIELD;
}

static enum rooms_error take_object_or_null(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	return value == NULL ? ROOMS_ERROR_NONE : take_object(field, value, message);
}

static const char *const role_names[] = {"viewer", "publisher", "moderator"};
static const char *const kind_names[] = {"camera", "screen", "data"};

/* Index of the word, or -1. */
static int word(const char *text, const char *const *words, size_t count) {
	for (size_t i = 0; text != NULL && i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static enum rooms_error take_role(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	if (!json_object_is_type(value, json_type_string) ||
		!wire_role_parse(json_object_get_string(value), place(message, field)) ||
		*(enum wire_role *)place(message, field) > (enum wire_role)field->high) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_kind(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	int kind =
		json_object_is_type(value, json_type_string)
			? word(json_object_get_string(value), kind_names, G_N_ELEMENTS(kind_names))
			: -1;
	if (kind < 0) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	message->kind = (enum wire_kind)kind;
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_to(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	if (!json_object_is_type(value, json_type_array)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	size_t count = json_object_array_length(value);
	if (count < 1 || count > WIRE_TO_MAX) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t number = 0;
		if (!integer_in(json_object_array_get_idx(value, i), 1, UINT32_MAX, &number)) {
			return ROOMS_ERROR_BAD_FIELD;
		}
		for (size_t j = 0; j < i; j++) {
			if (message->to[j] == (uint32_t)number) {
				return ROOMS_ERROR_BAD_FIELD;
			}
		}
		message->to[i] = (uint32_t)number;
	}
	message->to_count = (uint32_t)count;
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_version(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	int64_t version = 0;
	if (!integer_in(value, 1, UINT32_MAX, &version)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	return version == 1 ? ROOMS_ERROR_NONE : ROOMS_ERROR_VERSION_MISMATCH;
}

static enum rooms_error take_received(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	int64_t received = 0;
	if (!integer_in(value, 0, WIRE_INTEGER_MAX, &received)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	message->received = (uint64_t)received;
	return ROOMS_ERROR_NONE;
}

static enum rooms_error take_fields(const struct field *fields, struct json_object *object,
	struct wire_message *message, const char **which);

static enum rooms_error take_part(
	const struct field *fields, struct json_object *value, struct wire_message *message) {
	const char *which = NULL;
	return json_object_is_type(value, json_type_object)
		       ? take_fields(fields, value, message, &which)
		       : ROOMS_ERROR_BAD_FIELD;
}

#define AT(member) offsetof(struct wire_message, member)
/* Versions of clang-format disagree about braces in macros. */
/* clang-format off */
#define NAME(json, member) {json, take_string, AT(member), 0, 1024, false}
#define WORD(json, member) {json, take_string, AT(member), 1, 64, false}
#define NUMBER(json, member, optional) {json, take_integer, AT(member), 1, UINT32_MAX, optional}
#define FLAG(json, member, optional) {json, take_bool, AT(member), 0, 0, optional}
#define EXTRA {"data", take_object, AT(data), 0, DATA_MAX, true}
/* clang-format on */
#define ROOM NAME("room", room)
#define AS NUMBER("as", as, true)

static const struct field resume_fields[] = {WORD("session", session), WORD("secret", secret),
	{"received", take_received, 0, 0, 0, false}, {NULL, NULL, 0, 0, 0, false}};

static enum rooms_error take_resume(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	return take_part(resume_fields, value, message);
}

static const struct field options_fields[] = {FLAG("admit", admit, true),
	FLAG("closes", closes, true), {"role", take_role, AT(others), 0, WIRE_PUBLISHER, true},
	{NULL, NULL, 0, 0, 0, false}};

static enum rooms_error take_options(
	const struct field *field, struct json_object *value, struct wire_message *message) {
	message->has_options = true;
	return take_part(options_fields, value, message);
}

static const struct wire_format formats[WIRE_TYPES] = {
	[WIRE_HELLO] = {"hello", {{"version", take_version, 0, 0, 0, false},
					 {"resume", take_resume, 0, 0, 0, true}}},
	[WIRE_ACK] = {"ack", {{0}}},
	[WIRE_BYE] = {"bye", {{0}}},
	[WIRE_LOGIN] = {"login", {NAME("name", name)}},
	[WIRE_LOGOUT] = {"logout", {{0}}},
	[WIRE_OFFER] = {"offer", {NAME("to", peer), WORD("call", call),
					 {"sdp", take_string, AT(sdp), 0, SDP_MAX, false}}},
	[WIRE_ANSWER] = {"answer", {NAME("to", peer), WORD("call", call),
					   {"sdp", take_string, AT(sdp), 0, SDP_MAX, false}}},
	[WIRE_CANDIDATE] = {"candidate", {NAME("to", peer), WORD("call", call),
						 {"candidate", take_object_or_null, AT(candidate),
							 0, CANDIDATE_MAX, false}}},
	[WIRE_CLOSE] = {"close", {NAME("to", peer), WORD("call", call),
					 {"reason", take_string, AT(reason), 1, 64, true}}},
	[WIRE_JOIN] = {"join",
		{ROOM, NAME("nickname", nickname), {"kind", take_kind, 0, 0, 0, false},
			{"token", take_string, AT(token), 0, 2048, true}, EXTRA,
			{"options", take_options, 0, 0, 0, true}}},
	[WIRE_KNOCK] = {"knock",
		{ROOM, NAME("nickname", nickname), {"kind", take_kind, 0, 0, 0, false}, EXTRA}},
	[WIRE_LEAVE] = {"leave", {ROOM, AS}},
	[WIRE_PUBLISH] = {"publish", {ROOM, AS, WORD("stream", stream), FLAG("audio", audio, false),
					     FLAG("video", video, false), EXTRA}},
	[WIRE_CHANGE] = {"change", {ROOM, AS, WORD("stream", stream), FLAG("audio", audio, false),
					   FLAG("video", video, false), EXTRA}},
	[WIRE_UNPUBLISH] = {"unpublish", {ROOM, AS, WORD("stream", stream)}},
	[WIRE_SEND] = {"send", {ROOM, AS, {"to", take_to, 0, 0, 0, true},
				       {"body", take_any, AT(body), 0, SDP_MAX, false}}},
	[WIRE_KICK] = {"kick", {ROOM, AS, NUMBER("connection", connection, false)}},
	[WIRE_STOP] = {"stop",
		{ROOM, AS, NUMBER("connection", connection, false), WORD("stream", stream)}},
	[WIRE_MUTE] = {"mute", {ROOM, AS, NUMBER("connection", connection, false)}},
	[WIRE_LOCK] = {"lock", {ROOM, AS, FLAG("locked", locked, false)}},
	[WIRE_ADMIT] = {"admit",
		{ROOM, AS, NUMBER("knock", knock, false), FLAG("allowed", allowed, false),
			{"role", take_role, AT(role), 0, WIRE_MODERATOR, true}}},
};

/* `which` names the field that is wrong. */
static enum rooms_error take_fields(const struct field *fields, struct json_object *object,
	struct wire_message *message, const char **which) {
	size_t taken = 0;
	for (const struct field *field = fields; field->name != NULL; field++) {
		struct json_object *value = NULL;
		*which = field->name;
		if (!json_object_object_get_ex(object, field->name, &value)) {
			if (!field->optional) {
				return ROOMS_ERROR_BAD_FIELD;
			}
			continue;
		}
		enum rooms_error error = field->take(field, value, message);
		if (error != ROOMS_ERROR_NONE) {
			return error;
		}
		taken++;
	}
	*which = "unexpected";
	return taken == (size_t)json_object_object_length(object) ? ROOMS_ERROR_NONE
								  : ROOMS_ERROR_BAD_FIELD;
}

/* The keys that the text has, or -1 if a string has U+0000, which C would cut. */
static long count_keys(const char *text, size_t length) {
	long keys = 0;
	bool quoted = false;
	for (size_t i = 0; i < length; i++) {
		if (!quoted) {
			keys += text[i] == ':';
			quoted = text[i] == '"';
		} else if (text[i] == '\\') {
			if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) {
				return -1;
			}
			i++;
		} else {
			quoted = text[i] != '"';
		}
	}
	return keys;
}

/*
 * Checks numbers and keys of a parsed value, and counts its keys: fewer than the text has means
 * that one was there twice, since json-c keeps the last. Its depth is bounded by the parser.
 */
static enum rooms_error check_value(
	struct json_object *value, long *keys) { // NOLINT(misc-no-recursion)
	enum rooms_error error = ROOMS_ERROR_NONE;
	switch (json_object_get_type(value)) {
	case json_type_object: {
		json_object_object_foreach(value, key, member) {
			(*keys)++;
			error = strcmp(key, "__proto__") == 0 ? ROOMS_ERROR_BAD_FIELD
							      : check_value(member, keys);
			if (error != ROOMS_ERROR_NONE) {
				return error;
			}
		}
		return error;
	}
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			error = check_value(json_object_array_get_idx(value, i), keys);
			if (error != ROOMS_ERROR_NONE) {
				return error;
			}
		}
		return error;
	case json_type_int: {
		int64_t number = json_object_get_int64(value);
		return number < -WIRE_INTEGER_MAX || number > WIRE_INTEGER_MAX
			       ? ROOMS_ERROR_BAD_NUMBER
			       : error;
	}
	case json_type_double:
		/* json-c would write the number as it was sent, which need not be JSON. */
		json_object_set_serializer(value, NULL, NULL, NULL);
		return isfinite(json_object_get_double(value)) ? error : ROOMS_ERROR_BAD_NUMBER;
	default:
		return error;
	}
}

enum rooms_error wire_parse_json(const char *text, size_t length, struct json_object **root) {
	if (length > WIRE_MESSAGE_MAX) {
		return ROOMS_ERROR_TOO_LARGE;
	}
	if (!g_utf8_validate(text, (gssize)length, NULL)) {
		return ROOMS_ERROR_BAD_UTF8;
	}
	long keys = count_keys(text, length);
	if (keys < 0) {
		return ROOMS_ERROR_BAD_JSON;
	}
	enum json_tokener_error problem = json_tokener_success;
	*root = json_text_parse(text, length, WIRE_DEPTH_MAX + 1, &problem);
	if (problem != json_tokener_success) {
		return ROOMS_ERROR_BAD_JSON;
	}
	long kept = 0;
	enum rooms_error error = check_value(*root, &kept);
	return error == ROOMS_ERROR_NONE && kept != keys ? ROOMS_ERROR_BAD_JSON : error;
}

/* Takes a number of the envelope out of the object. False: it is there and wrong. */
static bool take_number(struct json_object *root, const char *key, int64_t low, bool *there,
	uint64_t *out, const char **which) {
	struct json_object *value = NULL;
	int64_t number = 0;
	*there = json_object_object_get_ex(root, key, &value);
	if (!*there) {
		return true;
	}
	if (!integer_in(value, low, WIRE_INTEGER_MAX, &number)) {
		*which = key;
		*there = false;
		return false;
	}
	*out = (uint64_t)number;
	json_object_object_del(root, key);
	return true;
}

static enum rooms_error read_message(struct wire_message *message, const char **which) {
	struct json_object *root = message->root;
	struct json_object *value = NULL;
	if (!json_object_is_type(root, json_type_object) ||
		!json_object_object_get_ex(root, "type", &value) ||
		!json_object_is_type(value, json_type_string)) {
		return ROOMS_ERROR_BAD_MESSAGE;
	}
	bool there = false;
	bool has_seq = false;
	bool good = take_number(root, "seq", 1, &has_seq, &message->seq, which);
	good = take_number(root, "ack", 0, &message->has_ack, &message->ack, which) && good;
	const char *type = json_object_get_string(value);
	unsigned at = 0;
	while (at < WIRE_TYPES && strcmp(type, formats[at].name) != 0) {
		at++;
	}
	message->type = (enum wire_type)at;
	bool request = at >= WIRE_FIRST_REQUEST;
	if (request) {
		good = take_number(root, "id", 1, &there, &message->id, which) && good;
	}
	if (at == WIRE_TYPES) {
		return ROOMS_ERROR_UNKNOWN_TYPE;
	}
	if (request && !has_seq) {
		*which = "seq";
		return ROOMS_ERROR_BAD_SEQUENCE;
	}
	if (!good) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	if (request == !has_seq || (at == WIRE_ACK && !message->has_ack)) {
		*which = at == WIRE_ACK ? "ack" : "seq";
		return ROOMS_ERROR_BAD_FIELD;
	}
	json_object_object_del(root, "type");
	return take_fields(formats[at].fields, root, message, which);
}

bool wire_parse(const char *text, size_t length, struct wire_message *message,
	enum rooms_error *error, char detail[static 64]) {
	*message = (struct wire_message){.type = WIRE_TYPES, .others = WIRE_PUBLISHER};
	const char *which = "";
	*error = wire_parse_json(text, length, &message->root);
	if (*error == ROOMS_ERROR_NONE) {
		*error = read_message(message, &which);
	}
	(void)snprintf(detail, 64, "%s", which);
	return *error == ROOMS_ERROR_NONE;
}

void wire_finish(struct wire_message *message) {
	json_object_put(message->root);
	*message = (struct wire_message){0};
}

const char *wire_role_name(enum wire_role role) {
	return role_names[role];
}

bool wire_role_parse(const char *name, enum wire_role *role) {
	int at = word(name, role_names, G_N_ELEMENTS(role_names));
	if (at >= 0) {
		*role = (enum wire_role)at;
	}
	return at >= 0;
}

const char *wire_kind_name(enum wire_kind kind) {
	return kind_names[kind];
}

const char *wire_type_name(enum wire_type type) {
	return type < WIRE_TYPES ? formats[type].name : "unknown";
}
