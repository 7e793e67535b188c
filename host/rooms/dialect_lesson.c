#include "rooms/dialect_lesson.h"

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

static const char *string_of(struct json_object *object, const char *key) {
	struct json_object *value = NULL;
	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* The peer that the message names, or the one of the call. */
static bool find_peer(struct lesson *lesson, struct json_object *theirs) {
	const char *named = string_of(theirs, "otherUsername");
	if (named != NULL && *named != '\0') {
		if (strcmp(named, lesson->peer) != 0) {
			(void)g_strlcpy(lesson->call, "lesson", sizeof(lesson->call));
		}
		(void)g_strlcpy(lesson->peer, named, sizeof(lesson->peer));
	}
	return lesson->peer[0] != '\0';
}

/* Writes our message for theirs. False: it means nothing now. */
static bool translate(struct lesson *lesson, const char *type, struct json_object *theirs,
	struct wire_writer *ours) {
	struct json_object *part = NULL;
	(void)json_object_object_get_ex(theirs, type, &part);
	if (strcmp(type, "login") == 0) {
		lesson->login = lesson->sequence;
		const char *name = string_of(theirs, "username");
		wire_string(ours, "name", name != NULL ? name : "");
		return true;
	}
	if (!find_peer(lesson, theirs)) {
		return false;
	}
	wire_string(ours, "to", lesson->peer);
	wire_string(ours, "call", lesson->call);
	if (strcmp(type, "close") == 0) {
		lesson->peer[0] = '\0';
	} else if (strcmp(type, "candidate") == 0) {
		wire_json(ours, "candidate", part);
	} else {
		const char *sdp = string_of(part, "sdp");
		wire_string(ours, "sdp", sdp != NULL ? sdp : "");
	}
	return true;
}

bool lesson_read(struct lesson *lesson, const char *text, size_t length,
	struct wire_message *message, enum rooms_error *error) {
	static const char *const verbs[] = {"login", "offer", "answer", "candidate", "close", NULL};
	struct json_object *theirs = NULL;
	*message = (struct wire_message){.type = WIRE_TYPES};
	*error = wire_parse_json(text, length, &theirs);
	const char *type = *error == ROOMS_ERROR_NONE ? string_of(theirs, "type") : NULL;
	if (*error == ROOMS_ERROR_NONE && (type == NULL || !g_strv_contains(verbs, type))) {
		*error = type == NULL ? ROOMS_ERROR_BAD_MESSAGE : ROOMS_ERROR_UNKNOWN_TYPE;
	}
	if (*error != ROOMS_ERROR_NONE) {
		json_object_put(theirs);
		return false;
	}
	struct wire_writer writer;
	wire_begin_object(&writer);
	wire_string(&writer, "type", type);
	wire_integer(&writer, "seq", (int64_t)++lesson->sequence);
	wire_integer(&writer, "id", (int64_t)lesson->sequence);
	bool means = translate(lesson, type, theirs, &writer);
	json_object_put(theirs);
	struct shared_text *ours = wire_end(&writer);
	char detail[64];
	bool good = means && wire_parse(ours->bytes, ours->length, message, error, detail);
	shared_text_drop(ours);
	lesson->sequence -= !good;
	return good;
}

static void write_description(
	struct wire_writer *writer, const char *type, struct json_object *event) {
	const char *sdp = string_of(event, "sdp");
	wire_open(writer, type, '{');
	wire_string(writer, "type", type);
	wire_string(writer, "sdp", sdp != NULL ? sdp : "");
	wire_close(writer, '}');
}

/* An event of a call; false: it is not its call's, or has no like in the lesson. */
static bool write_event(struct lesson *lesson, const char *type, struct json_object *event,
	struct wire_writer *writer) {
	const char *from = string_of(event, "from");
	const char *call = string_of(event, "call");
	if (strcmp(type, "offer") == 0) {
		(void)g_strlcpy(lesson->peer, from, sizeof(lesson->peer));
		(void)g_strlcpy(lesson->call, call, sizeof(lesson->call));
		write_description(writer, type, event);
		wire_string(writer, "username", from);
		return true;
	}
	if (from == NULL || call == NULL || lesson->peer[0] == '\0' ||
		strcmp(call, lesson->call) != 0) {
		return false;
	}
	if (strcmp(type, "answer") == 0) {
		write_description(writer, type, event);
	} else if (strcmp(type, "candidate") == 0) {
		struct json_object *candidate = json_object_object_get(event, type);
		wire_json(writer, type, candidate);
		return candidate != NULL; /* its client takes no null */
	} else if (strcmp(type, "close") == 0) {
		lesson->peer[0] = '\0';
	} else {
		return false;
	}
	return true;
}

struct shared_text *lesson_write(struct lesson *lesson, const struct shared_text *text) {
	g_autofree char *whole = g_strconcat("{", text->bytes, NULL);
	struct json_object *event = json_tokener_parse(whole);
	const char *type = string_of(event, "type");
	struct json_object *id = NULL;
	(void)json_object_object_get_ex(event, "id", &id);
	bool is_login = lesson->login != 0 && (uint64_t)json_object_get_int64(id) == lesson->login;
	bool answers = strcmp(type, "ok") == 0 || strcmp(type, "error") == 0;
	struct wire_writer writer;
	wire_begin(&writer, answers && is_login ? "login" : type);
	bool writes = answers;
	if (answers && is_login) {
		wire_bool(&writer, "success", strcmp(type, "ok") == 0);
	} else if (strcmp(type, "error") == 0) {
		wire_string(&writer, "code", string_of(event, "code"));
		wire_string(&writer, "message", string_of(event, "message"));
		wire_string(&writer, "remedy", string_of(event, "remedy"));
	} else {
		writes = !answers && write_event(lesson, type, event, &writer);
	}
	json_object_put(event);
	struct shared_text *theirs = wire_end(&writer);
	if (!writes) {
		shared_text_drop(theirs);
		return NULL;
	}
	return theirs;
}
