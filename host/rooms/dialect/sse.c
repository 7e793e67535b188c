/*
 * The demo's of Server-Sent Events: {type: offer | answer | candidate, …}, without names: what one
 * says, all others hear. So its clients share a room.
 */
#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "rooms/dialect/dialect.h"
#include "rooms/wire/wire.h"

#define ROOM "sse"

/* Takes a field along: a required string, or what may be left out. */
static bool put(struct wire_writer *writer, struct json_object *root, const char *key,
	json_type type, bool required) {
	struct json_object *value = json_object_object_get(root, key);
	if (value == NULL && !required) {
		return true;
	}
	if (!json_object_is_type(value, type)) {
		return false;
	}
	wire_json(writer, key, value);
	return true;
}

static bool put_description(struct wire_writer *writer, struct json_object *root) {
	return put(writer, root, "sdp", json_type_string, true);
}

static bool put_candidate(struct wire_writer *writer, struct json_object *root) {
	/* Browsers of today have nothing of the name that the demo takes its label from. */
	return put(writer, root, "label", json_type_int, false) &&
	       put(writer, root, "id", json_type_string, false) &&
	       put(writer, root, "candidate", json_type_string, true);
}

/* Their word; our verb is `send` for all of them, with this as its body. */
static const struct word {
	const char *theirs;
	bool (*put)(struct wire_writer *writer, struct json_object *root);
} words[] = {
	{"offer", put_description},
	{"answer", put_description},
	{"candidate", put_candidate},
};

static enum rooms_error sse_read(struct dialect_client *client, const char *type,
	struct json_object *root, struct wire_writer *ours) {
	const struct word *word = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(words) && word == NULL; i++) {
		word = strcmp(words[i].theirs, type) == 0 ? &words[i] : NULL;
	}
	if (word == NULL) {
		return ROOMS_ERROR_UNKNOWN_TYPE;
	}
	wire_begin(ours, wire_type_name(WIRE_SEND));
	wire_string(ours, "room", ROOM);
	wire_open(ours, "body", '{');
	wire_string(ours, "type", type);
	if (!word->put(ours, root)) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	wire_close(ours, '}');
	return ROOMS_ERROR_NONE;
}

static bool sse_write(struct dialect_client *client, const char *type, struct json_object *root,
	struct wire_writer *theirs) {
	struct json_object *body = json_object_object_get(root, "body");
	const char *word = dialect_string(body, "type");
	if (strcmp(type, "message") != 0 || word == NULL) {
		return false;
	}
	wire_begin(theirs, word);
	json_object_object_foreach(body, key, value) {
		if (strcmp(key, "type") != 0) {
			wire_json(theirs, key, value);
		}
	}
	return true;
}

const struct dialect dialect_sse = {
	.read = sse_read, .write = sse_write, .room = ROOM, .resumes = true};
