/*
 * What clients of other applications say, in our words (docs/ROOMS.md, Dialects): texts to texts,
 * no I/O. A client that speaks a dialect has a session and a user of the hub like any other; the
 * server numbers and acknowledges in its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rooms/wire/errors.h"
#include "rooms/wire/shared_text.h"
#include "rooms/wire/wire.h"

#define DIALECT_NAME_MAX 64u /* bytes; as names and calls of ours */

/* What a dialect remembers of one client; zeroed at first. */
struct dialect_client {
	char peer[DIALECT_NAME_MAX + 1]; /* "": none yet */
	char call[DIALECT_NAME_MAX + 1];
	bool login; /* waits for its answer */
};

/* The table of a dialect. `root` is the object that was read, `type` its type. */
struct dialect {
	/* Writes what theirs is in our words, from wire_begin on. */
	enum rooms_error (*read)(struct dialect_client *client, const char *type,
		struct json_object *root, struct wire_writer *ours);
	/* The same back. False: they have no word for it. */
	bool (*write)(struct dialect_client *client, const char *type, struct json_object *root,
		struct wire_writer *theirs);
	const char *room; /* that its clients join when they come; NULL: none */
	bool resumes;     /* its clients come back with the same session */
};

/* A WebSocket at /: calls by name. */
extern const struct dialect dialect_lesson;
/* GET /stream and POST /: whatever one says, all others hear. */
extern const struct dialect dialect_sse;

/*
 * What a client sent (any bytes), as a request of ours without its envelope, as wire_end gives it.
 * NULL, with the error, when it says nothing that we can do.
 */
struct shared_text *dialect_read(const struct dialect *dialect, struct dialect_client *client,
	const char *text, size_t length, enum rooms_error *error);
/* An answer or an event of ours, likewise, in their words; NULL: they have none for it. */
struct shared_text *dialect_write(const struct dialect *dialect, struct dialect_client *client,
	const struct shared_text *ours);

/* For the dialects. A string of the object; NULL when there is none. */
const char *dialect_string(struct json_object *object, const char *key);
/* Whom the client's call is with, and what ours is named; cut to what a name has. */
void dialect_set_peer(struct dialect_client *client, const char *peer, const char *call);
bool dialect_same_name(const char *a, const char *b);
