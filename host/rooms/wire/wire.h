/*
 * JSON of clients to a struct, bounded and checked before use, and structs to JSON (docs/ROOMS.md,
 * Protocol). No I/O, no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rooms/wire/errors.h"
#include "rooms/wire/shared_text.h"

struct json_object;

#define WIRE_MESSAGE_MAX 65536u /* bytes */
#define WIRE_DEPTH_MAX 8
#define WIRE_TO_MAX 32u
#define WIRE_INTEGER_MAX 9007199254740991 /* 2^53 - 1 */

/* What a client sends. */
enum wire_type {
	WIRE_HELLO,
	WIRE_ACK,
	WIRE_BYE,
	/* The requests, each with `seq`. */
	WIRE_LOGIN,
	WIRE_LOGOUT,
	WIRE_OFFER,
	WIRE_ANSWER,
	WIRE_CANDIDATE,
	WIRE_CLOSE,
	WIRE_JOIN,
	WIRE_KNOCK,
	WIRE_LEAVE,
	WIRE_PUBLISH,
	WIRE_CHANGE,
	WIRE_UNPUBLISH,
	WIRE_SEND,
	WIRE_KICK,
	WIRE_STOP,
	WIRE_MUTE,
	WIRE_LOCK,
	WIRE_ADMIT,
	WIRE_TYPES
};
#define WIRE_FIRST_REQUEST WIRE_LOGIN

enum wire_role { WIRE_VIEWER, WIRE_PUBLISHER, WIRE_MODERATOR };
enum wire_kind { WIRE_CAMERA, WIRE_SCREEN, WIRE_DATA };

/*
 * A message. Fields that its type doesn't have, or that were left out, are zero; strings and
 * JSON texts belong to `root`. Names are only bounded here; hub decides what a name may be.
 */
struct wire_message {
	enum wire_type type;
	bool has_ack;
	uint64_t seq; /* 0: none could be read */
	uint64_t ack;
	uint64_t id; /* 0: there is none, or it could not be read */

	const char *session; /* hello's resume; NULL: a new session */
	const char *secret;
	uint64_t received;

	const char *name;
	const char *peer; /* `to` of a call */
	const char *call;
	const char *sdp;
	const char *candidate; /* JSON text; NULL: null */
	const char *reason;

	const char *room;
	const char *nickname;
	const char *token;
	const char *stream;
	const char *data; /* JSON text; NULL: left out */
	const char *body; /* JSON text; NULL: null */
	enum wire_kind kind;
	bool audio;
	bool video;
	uint32_t as; /* 0: left out */
	uint32_t connection;
	uint32_t knock;
	bool locked;
	bool allowed;
	uint32_t to[WIRE_TO_MAX];
	uint32_t to_count;   /* 0: to all */
	enum wire_role role; /* admit's; viewer if left out */

	bool has_options; /* join's */
	bool admit;
	bool closes;
	enum wire_role others; /* publisher if left out */

	struct json_object *root;
};

/*
 * Reads one message. On failure `error` says why, and `detail` (at least 64 bytes) which field, as
 * clean text; seq, ack and id are set if they could be read, so that the error can be answered in
 * order. wire_finish in either case.
 */
bool wire_parse(const char *text, size_t length, struct wire_message *message,
	enum rooms_error *error, char detail[static 64]);
/* JSON of any shape, with all checks but a message's own; the caller drops `root` in either case.
 */
enum rooms_error wire_parse_json(const char *text, size_t length, struct json_object **root);
/* Takes a zeroed message. */
void wire_finish(struct wire_message *message);

/*
 * Reads the body of POST /v1/messages: one object, or an array of at most 64; calls `each` with the
 * text of one after the other (lent) until it returns false. False if the body itself is wrong.
 */
bool wire_split(const char *text, size_t length,
	bool (*each)(void *context, const char *text, size_t length), void *context,
	enum rooms_error *error);

/*
 * Writes a message without its envelope: `"type":"…",…}`, so that `{"seq":N,"ack":N,` can be set
 * before it for each of its receivers (session_prefix). Initialise with wire_begin; wire_end frees
 * all.
 */
struct wire_writer {
	struct shared_text *text; /* so far */
	size_t length;
	size_t room;
	bool comma;
};
void wire_begin(struct wire_writer *writer, const char *type);
/* A plain object, with its opening brace: for HTTP's answers. */
void wire_begin_object(struct wire_writer *writer);
/* A number's digits, without a terminator: their count. printf takes as long as all the rest. */
#define WIRE_NUMBER_MAX 20u
size_t wire_number(int64_t value, char out[static WIRE_NUMBER_MAX]);
/* Keys are literals of ours: they are not escaped. `key` NULL: an element of an array. */
void wire_string(struct wire_writer *writer, const char *key, const char *value);
void wire_integer(struct wire_writer *writer, const char *key, int64_t value);
void wire_bool(struct wire_writer *writer, const char *key, bool value);
/* `value` NULL writes null. */
void wire_json(struct wire_writer *writer, const char *key, struct json_object *value);
/* JSON that wire wrote before, as it stands; NULL: null. */
void wire_raw(struct wire_writer *writer, const char *key, const char *json);
void wire_open(struct wire_writer *writer, const char *key, char bracket); /* '{' or '[' */
void wire_close(struct wire_writer *writer, char bracket);                 /* '}' or ']' */
/* Closes the outermost object. The caller gets the reference. */
struct shared_text *wire_end(struct wire_writer *writer);

/* `error` in answer to request `id` (0: unknown). `detail` and `retry_ms` may be NULL and 0. */
struct shared_text *wire_error(
	uint64_t id, enum rooms_error error, const char *detail, int64_t retry_ms);
/* The last message of a carrier. `retry_ms` 0: none. */
struct shared_text *wire_bye(enum rooms_error error, int64_t retry_ms);

const char *wire_role_name(enum wire_role role);
bool wire_role_parse(const char *name, enum wire_role *role);
const char *wire_kind_name(enum wire_kind kind);
const char *wire_type_name(enum wire_type type);
