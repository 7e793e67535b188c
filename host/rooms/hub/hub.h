/*
 * Who is here, who is called, who is in which room with which role, and who hears what. A pure
 * state machine: no I/O; `now` is wall-clock time in milliseconds and matters to tokens only. One
 * thread.
 *
 * net makes a user for each session, hands over its requests, and carries what comes out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rooms/session/token.h"
#include "rooms/wire/errors.h"
#include "rooms/wire/shared_text.h"
#include "rooms/wire/wire.h"

#define HUB_ROOM_MAX 1000u   /* connections to a room */
#define HUB_USER_ROOM_MAX 8u /* connections of one user to one room */
#define HUB_USER_CONNECTIONS_MAX 32u
#define HUB_CALLS_MAX 16u   /* of a user */
#define HUB_STREAMS_MAX 4u  /* of a connection */
#define HUB_KNOCKS_MAX 64u  /* at a room */
#define HUB_SEND_MAX 32768u /* bytes of one `send` to the connections of one user, if several */
/*
 * What members tell everybody in a room: bytes a second, and at once. With so much, and with as
 * much as `busy` lets others send to one alone, the outbox of one who reads is not full yet.
 */
#define HUB_ROOM_BYTES 32768u
#define HUB_ROOM_BYTES_AT_ONCE 16384u
#define HUB_ROOM_DATA_MAX 262144u /* bytes of the `data` of a room's members and streams */
#define HUB_NAME_BYTES_MAX 64u
#define HUB_NAME_CHARACTERS_MAX 32u

struct hub;
struct hub_user;

/* Where messages go. Neither function calls the hub. */
struct hub_output {
	void *context;
	/* A numbered message to `peer`, as hub_enter got it; `text` is lent: keep a reference. */
	void (*send)(void *context, void *peer, struct shared_text *text);
	/* Whether `peer` is so far behind with what it was sent that it can't take `bytes` more:
	 * others' messages to it are refused (BUSY). */
	bool (*busy)(void *context, void *peer, size_t bytes);
};

struct hub_settings {
	bool open;             /* anybody may make a room */
	uint32_t rooms_max;    /* 0: 10,000 */
	struct tokens *tokens; /* borrowed; NULL: every token is BAD_TOKEN */
};

struct hub_counts {
	uint32_t users;
	uint32_t named;
	uint32_t rooms;
	uint32_t connections;
	uint32_t calls;
	uint32_t knocks;
	uint64_t relayed;                   /* messages from one to another */
	uint64_t errors[ROOMS_ERROR_COUNT]; /* answered, by code */
};

struct hub *hub_create(const struct hub_settings *settings, const struct hub_output *output);
/* Frees users and rooms that are left, without a word. Takes NULL. */
void hub_destroy(struct hub *hub);
const struct hub_counts *hub_counts(const struct hub *hub);

/* A session began. `peer` is not NULL. The user is freed by hub_gone. */
struct hub_user *hub_enter(struct hub *hub, void *peer);
/* Its carrier broke, or it resumed: calls and rooms are told. */
void hub_away(struct hub *hub, struct hub_user *user);
void hub_back(struct hub *hub, struct hub_user *user);
/* Whether others are told when it goes away. */
bool hub_watched(const struct hub_user *user);
/* The session is over: calls and rooms are told, its name is free. Nothing more is sent to it.
 */
void hub_gone(struct hub *hub, struct hub_user *user);

/*
 * One request (a type from WIRE_FIRST_REQUEST on), answered by exactly one `ok` or `error` through
 * the output; one without an id by `error` alone.
 */
void hub_request(
	struct hub *hub, struct hub_user *user, const struct wire_message *message, int64_t now);

/* From now on login, join and knock are refused: DRAINING. */
void hub_drain(struct hub *hub);

/* The backend's side. Rooms that it makes have no owner and stay until hub_room_close. */
struct hub_room_options {
	bool admit; /* who has no token may knock; else TOKEN_REQUIRED */
	bool locked;
};
/* NONE, BAD_NAME and the like, ROOM_EXISTS, TOO_MANY_ROOMS. */
enum rooms_error hub_room_create(
	struct hub *hub, const char *name, const struct hub_room_options *options);
/* All in it get `ended` (closed). False: no such room. */
bool hub_room_close(struct hub *hub, const char *name);
/* Ends one connection: `ended` (closed) to it, `left` (kicked) to the others. False: none such. */
bool hub_connection_close(struct hub *hub, const char *room, uint32_t connection);
bool hub_room_exists(const struct hub *hub, const char *name);
/* Writes `{"room","locked","admit","owner","members":[…],"waiting":N}`; false: no such room. */
bool hub_room_write(
	const struct hub *hub, const char *name, struct wire_writer *writer, const char *key);
/* An array of all rooms: `{"room","members":N}`. */
void hub_rooms_write(const struct hub *hub, struct wire_writer *writer, const char *key);

/* Whether a person, or a room, may be called so: NONE, EMPTY, TOO_LONG, BAD_NAME, RESERVED. */
enum rooms_error hub_name_check(const char *name);
enum rooms_error hub_room_name_check(const char *name);
