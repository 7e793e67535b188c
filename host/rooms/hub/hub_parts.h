/* What the files of the hub share; others include hub.h. */
#pragma once

#include <glib.h>
#include <string.h>

#include "rooms/hub/hub.h"
#include "rooms/session/limits.h"

/* An event has at most so much beside the texts of who caused it. */
#define EVENT_BYTES 256u

struct stream {
	struct stream *next;
	bool audio;
	bool video;
	char *data; /* JSON, or NULL */
	char id[];
};

struct connection {
	struct connection *next; /* of the same user */
	struct room *room;
	struct hub_user *user;
	struct stream *streams;
	char *nickname;
	char *data;        /* JSON, or NULL */
	char *server_data; /* a text, or NULL */
	uint32_t id;
	uint8_t stream_count;
	uint8_t role; /* enum wire_role */
	uint8_t kind; /* enum wire_kind */
};

struct knock {
	struct hub_user *user;
	char *nickname;
	char *data; /* JSON, or NULL */
	uint32_t id;
	uint8_t kind;
	bool sent_away; /* was kicked from the room before */
};

struct room {
	char *name;
	GPtrArray *members; /* struct connection, in the order of their coming */
	GPtrArray *knocks;  /* struct knock, likewise; NULL: nobody ever knocked */
	GPtrArray *bars;    /* hub_bars.c's; NULL: nobody was kicked */
	struct connection *owner;
	struct bucket told;  /* by members, to all */
	uint32_t data_bytes; /* of members and their streams */
	bool by_backend;
	bool admit;
	bool closes;
	bool locked;
	uint8_t others; /* role of who comes without a token */
};

/* Two users and the caller's name for what they do. */
struct call {
	struct hub_user *ends[2];
	char id[];
};

struct hub_user {
	void *peer;
	char *name; /* NULL: not logged in */
	char *key;  /* the name, folded */
	struct connection *connections;
	GSList *calls;   /* struct call */
	uint64_t number; /* no other user of this hub has or had it */
	uint32_t mark;   /* of the last message to all that it got */
	uint8_t call_count;
	uint8_t connection_count;
	uint8_t knock_count;
	bool away;
	bool gone; /* nothing more is sent to it */
};

struct hub {
	struct hub_settings settings;
	struct hub_output output;
	struct hub_counts counts;
	GHashTable *names; /* folded name -> struct hub_user */
	GTree *rooms;      /* name -> struct room; of a hash, names could be made to collide */
	GHashTable *connections; /* id -> struct connection */
	GHashTable *users;       /* a set */
	uint64_t last_user;
	uint32_t last_connection;
	uint32_t last_knock;
	uint32_t mark;
	bool draining;
};

/* A request while it is handled. */
struct request {
	struct hub *hub;
	struct hub_user *user;
	const struct wire_message *message;
	struct connection *self; /* of verbs in a room */
	struct wire_writer ok;   /* the answer so far */
	int64_t now;
};

/* hub_name.c */
/* The name as it is compared; NULL if nothing visible is left. The caller frees it. */
char *name_fold(const char *name);

/* hub.c */
/* Drops the caller's reference. */
void hub_send(struct hub *hub, struct hub_user *user, struct shared_text *text);

/* hub_calls.c */
enum rooms_error call_login(struct request *request);
enum rooms_error call_logout(struct request *request);
enum rooms_error call_relay(struct request *request); /* offer, answer, candidate, close */
void calls_end(struct hub *hub, struct hub_user *user, const char *reason);
void calls_tell(struct hub *hub, struct hub_user *user, const char *event);
void name_release(struct hub *hub, struct hub_user *user);

/* hub_rooms.c: who is in a room. */
/* Drops the caller's reference. `except` NULL: to all. */
void room_tell(
	struct hub *hub, struct room *room, struct hub_user *except, struct shared_text *text);
/*
 * Counts what the request tells everybody in the room, whose text is `text` (or NULL). NONE; BUSY:
 * members have told too much lately; TOO_LARGE.
 */
enum rooms_error room_charge(const struct request *request, struct room *room, const char *text);
/* Likewise for `data` that the room is to keep; ROOM_FULL: it has too much of it. */
enum rooms_error room_keep(const struct request *request, struct room *room, const char *data);
static inline uint32_t text_length(const char *text) {
	return text == NULL ? 0 : (uint32_t)strlen(text);
}
struct connection *room_connection(struct hub *hub, const struct room *room, uint32_t id);
struct room *room_create(struct hub *hub, const char *name);
/* All get `ended`; the room is freed. */
void room_close(struct hub *hub, struct room *room, const char *reason);
/* Takes the connection out, tells the others, finds a new owner; may free the room. */
void connection_remove(struct hub *hub, struct connection *connection, const char *reason);
/*
 * Takes out all connections of `user`, who gets `ended`. The user is not the room's owner and
 * somebody else is in the room, so that the room stays.
 */
void room_evict(struct hub *hub, struct room *room, struct hub_user *user, const char *reason);
struct stream *stream_find(const struct connection *connection, const char *id);
void stream_remove(struct connection *connection, struct stream *stream);
void stream_write(struct wire_writer *writer, const char *key, const struct stream *stream);
void member_write(struct wire_writer *writer, const char *key, const struct connection *connection);

/* hub_join.c: coming and knocking. */
enum rooms_error room_join(struct request *request);
enum rooms_error room_knock(struct request *request);
enum rooms_error room_admit(struct request *request);
enum rooms_error room_leave(struct request *request);
void knock_free(void *knock);
void tell_refused(struct hub *hub, const struct room *room, const struct knock *knock);
void knock_write(struct wire_writer *writer, const struct room *room, const struct knock *knock);
/* Withdraws the user's knocks at `room`, or everywhere (NULL). False: there was none. */
bool knocks_withdraw(struct hub *hub, struct hub_user *user, struct room *room);

/* hub_bars.c: who was kicked. */
/* Bars the user, who is in the room, and its nicknames. */
void room_bar(struct room *room, const struct hub_user *user);
bool room_barred(const struct room *room, const struct hub_user *user, const char *nickname);
void room_unbar(struct room *room, const struct hub_user *user, const char *nickname);

/* hub_verbs.c: what members do. */
enum rooms_error room_publish(struct request *request);
enum rooms_error room_change(struct request *request);
enum rooms_error room_unpublish(struct request *request);
enum rooms_error room_send(struct request *request);
enum rooms_error room_kick(struct request *request);
enum rooms_error room_stop(struct request *request);
enum rooms_error room_mute(struct request *request);
enum rooms_error room_lock(struct request *request);
