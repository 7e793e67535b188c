/*
 * The lesson's: {type: login | offer | answer | candidate | close, username, otherUsername, …}. Who
 * is meant is said in the first message of a call at most; there is one call of each pair.
 */
#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "rooms/dialect/dialect.h"
#include "rooms/wire/wire.h"

#define CALL "lesson"

/* Whom the message is for: who it says, or else who the call is with. */
static enum rooms_error find_peer(struct dialect_client *client, struct json_object *root) {
	struct json_object *named = json_object_object_get(root, "otherUsername");
	if (named == NULL) {
		return client->peer[0] == '\0' ? ROOMS_ERROR_NO_CALL : ROOMS_ERROR_NONE;
	}
	const char *peer = dialect_string(root, "otherUsername");
	if (peer == NULL) {
		return ROOMS_ERROR_BAD_FIELD;
	}
	if (strlen(peer) > DIALECT_NAME_MAX) {
		return ROOMS_ERROR_UNKNOWN_NAME;
	}
	if (!dialect_same_name(peer, client->peer)) {
		dialect_set_peer(client, peer, CALL);
	}
	return ROOMS_ERROR_NONE;
}

enum part { NAME, DESCRIPTION, CANDIDATE, NOTHING };

/* Their word, which is also the name of what it carries; our verb. */
static const struct word {
	const char *theirs;
	enum wire_type ours;
	enum part part;
} words[] = {
	{"login", WIRE_LOGIN, NAME},
	{"offer", WIRE_OFFER, DESCRIPTION},
	{"answer", WIRE_ANSWER, DESCRIPTION},
	{"candidate", WIRE_CANDIDATE, CANDIDATE},
	{"close", WIRE_CLOSE, NOTHING},
};

static const struct word *find_word(const char *type) {
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(words[i].theirs, type) == 0) {
			return &words[i];
		}
	}
	return NULL;
}

static enum rooms_error put_request(struct dialect_client *client, const struct word *word,
	struct json_object *root, struct wire_writer *writer) {
	struct json_object *part = json_object_object_get(root, word->theirs);
	const char *sdp = dialect_string(part, "sdp");
	if (word->part == NAME) {
		/* What is no name gets the answer of an empty one: theirs has that word alone. */
		const char *name = dialect_string(root, "username");
		wire_string(writer, "name", name != NULL ? name : "");
		client->login = true;
		return ROOMS_ERROR_NONE;
	}
	enum rooms_error error = find_peer(client, root);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	wire_string(writer, "to", client->peer);
	wire_string(writer, "call", client->call);
	if (word->part == NOTHING) {
		dialect_set_peer(client, "", "");
	} else if (word->part == DESCRIPTION && sdp != NULL) {
		wire_string(writer, "sdp", sdp);
	} else if (word->part == CANDIDATE && json_object_is_type(part, json_type_object)) {
		wire_json(writer, "candidate", part);
	} else {
		return ROOMS_ERROR_BAD_FIELD;
	}
	return ROOMS_ERROR_NONE;
}

static enum rooms_error lesson_read(struct dialect_client *client, const char *type,
	struct json_object *root, struct wire_writer *ours) {
	const struct word *word = find_word(type);
	if (word == NULL) {
		return ROOMS_ERROR_UNKNOWN_TYPE;
	}
	wire_begin(ours, wire_type_name(word->ours));
	return put_request(client, word, root, ours);
}

static bool write_event(struct dialect_client *client, const struct word *word,
	struct json_object *root, struct wire_writer *theirs) {
	const char *from = dialect_string(root, "from");
	const char *call = dialect_string(root, "call");
	const char *sdp = dialect_string(root, "sdp");
	struct json_object *candidate = json_object_object_get(root, "candidate");
	bool whole = from != NULL && call != NULL && (word->part != DESCRIPTION || sdp != NULL) &&
		     (word->part != CANDIDATE || candidate != NULL);
	/* They can't tell of whom a candidate or a close is. */
	if (!whole || (word->part != DESCRIPTION && !dialect_same_name(from, client->peer))) {
		return false;
	}
	if (word->part == DESCRIPTION) {
		dialect_set_peer(client, from, call);
	} else if (word->part == NOTHING) {
		dialect_set_peer(client, "", "");
	}
	wire_begin(theirs, word->theirs);
	if (word->part == CANDIDATE) {
		wire_json(theirs, "candidate", candidate);
	} else if (word->part == DESCRIPTION) {
		wire_open(theirs, word->theirs, '{');
		wire_string(theirs, "type", word->theirs);
		wire_string(theirs, "sdp", sdp);
		wire_close(theirs, '}');
	}
	if (word->ours == WIRE_OFFER) {
		wire_string(theirs, "username", from);
	}
	return true;
}

static bool lesson_write(struct dialect_client *client, const char *type, struct json_object *root,
	struct wire_writer *theirs) {
	const struct word *word = find_word(type);
	bool ok = strcmp(type, "ok") == 0;
	if (client->login && (ok || strcmp(type, "error") == 0)) {
		/* Other answers they have no word for. */
		client->login = false;
		wire_begin(theirs, "login");
		wire_bool(theirs, "success", ok);
		return true;
	}
	return word != NULL && word->part != NAME && write_event(client, word, root, theirs);
}

const struct dialect dialect_lesson = {.read = lesson_read, .write = lesson_write};
