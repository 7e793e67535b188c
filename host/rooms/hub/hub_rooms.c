#include <string.h>

#include "rooms/hub/hub_parts.h"

void room_tell(
	struct hub *hub, struct room *room, struct hub_user *except, struct shared_text *text) {
	hub->mark++;
	if (except != NULL) {
		except->mark = hub->mark;
	}
	for (guint i = 0; i < room->members->len; i++) {
		struct hub_user *user = ((struct connection *)room->members->pdata[i])->user;
		if (user->mark != hub->mark) {
			user->mark = hub->mark;
			hub_send(hub, user, shared_text_hold(text));
		}
	}
	shared_text_drop(text);
}

enum rooms_error room_charge(const struct request *request, struct room *room, const char *text) {
	static const struct bucket_rate rate = {HUB_ROOM_BYTES, HUB_ROOM_BYTES_AT_ONCE};
	uint32_t bytes = text_length(text) + EVENT_BYTES;
	return bytes > rate.burst                                     ? ROOMS_ERROR_TOO_LARGE
	       : bucket_take(&room->told, &rate, bytes, request->now) ? ROOMS_ERROR_NONE
								      : ROOMS_ERROR_BUSY;
}

enum rooms_error room_keep(const struct request *request, struct room *room, const char *data) {
	return room->data_bytes + text_length(data) > HUB_ROOM_DATA_MAX
		       ? ROOMS_ERROR_ROOM_FULL
		       : room_charge(request, room, data);
}

struct connection *room_connection(struct hub *hub, const struct room *room, uint32_t id) {
	struct connection *connection = g_hash_table_lookup(hub->connections, &id);
	return connection != NULL && connection->room == room ? connection : NULL;
}

struct room *room_create(struct hub *hub, const char *name) {
	struct room *room = g_new0(struct room, 1);
	room->name = g_strdup(name);
	room->members = g_ptr_array_new();
	room->others = WIRE_PUBLISHER;
	g_tree_insert(hub->rooms, room->name, room);
	hub->counts.rooms++;
	return room;
}

struct stream *stream_find(const struct connection *connection, const char *id) {
	struct stream *stream = connection->streams;
	while (stream != NULL && strcmp(stream->id, id) != 0) {
		stream = stream->next;
	}
	return stream;
}

void stream_remove(struct connection *connection, struct stream *stream) {
	struct stream **at = &connection->streams;
	while (*at != stream) {
		at = &(*at)->next;
	}
	*at = stream->next;
	connection->stream_count--;
	connection->room->data_bytes -= text_length(stream->data);
	g_free(stream->data);
	g_free(stream);
}

/* Out of the user's list, the table and memory; the room's array is the caller's. */
static void connection_free(struct hub *hub, struct connection *connection) {
	struct connection **at = &connection->user->connections;
	while (*at != connection) {
		at = &(*at)->next;
	}
	*at = connection->next;
	connection->user->connection_count--;
	g_hash_table_remove(hub->connections, &connection->id);
	while (connection->streams != NULL) {
		stream_remove(connection, connection->streams);
	}
	connection->room->data_bytes -=
		text_length(connection->data) + text_length(connection->server_data);
	g_free(connection->nickname);
	g_free(connection->data);
	g_free(connection->server_data);
	g_free(connection);
	hub->counts.connections--;
}

static void tell_ended(struct hub *hub, const struct connection *connection, const char *reason) {
	struct wire_writer writer;
	wire_begin(&writer, "ended");
	wire_string(&writer, "room", connection->room->name);
	wire_integer(&writer, "connection", connection->id);
	wire_string(&writer, "reason", reason);
	hub_send(hub, connection->user, wire_end(&writer));
}

/* Who still knocks is refused. */
static void refuse_knocks(struct hub *hub, struct room *room) {
	for (guint i = 0; room->knocks != NULL && i < room->knocks->len; i++) {
		const struct knock *knock = room->knocks->pdata[i];
		tell_refused(hub, room, knock);
		knock->user->knock_count--;
		hub->counts.knocks--;
	}
}

void room_close(struct hub *hub, struct room *room, const char *reason) {
	for (guint i = 0; i < room->members->len; i++) {
		struct connection *connection = room->members->pdata[i];
		tell_ended(hub, connection, reason);
		connection_free(hub, connection);
	}
	refuse_knocks(hub, room);
	g_tree_remove(hub->rooms, room->name);
	g_ptr_array_free(room->members, TRUE);
	if (room->knocks != NULL) {
		g_ptr_array_free(room->knocks, TRUE);
	}
	g_clear_pointer(&room->bars, g_ptr_array_unref);
	g_free(room->name);
	g_free(room);
	hub->counts.rooms--;
}

/* The next owner: another connection of the last one's user, else the longest there who may
 * publish. */
static struct connection *next_owner(const struct room *room, const struct hub_user *last) {
	struct connection *next = NULL;
	for (guint i = 0; i < room->members->len; i++) {
		struct connection *member = room->members->pdata[i];
		if (member->user == last) {
			return member;
		}
		if (next == NULL && member->role >= WIRE_PUBLISHER) {
			next = member;
		}
	}
	return next;
}

static void pass_ownership(struct hub *hub, struct room *room, struct connection *owner) {
	room->owner = owner;
	if (owner == NULL) {
		return;
	}
	bool was_moderator = owner->role == WIRE_MODERATOR;
	owner->role = WIRE_MODERATOR;
	struct wire_writer writer;
	wire_begin(&writer, "owner");
	wire_string(&writer, "room", room->name);
	wire_integer(&writer, "connection", owner->id);
	room_tell(hub, room, NULL, wire_end(&writer));
	for (guint i = 0; !was_moderator && room->knocks != NULL && i < room->knocks->len; i++) {
		wire_begin(&writer, "knock");
		knock_write(&writer, room, room->knocks->pdata[i]);
		hub_send(hub, owner->user, wire_end(&writer));
	}
}

void connection_remove(struct hub *hub, struct connection *connection, const char *reason) {
	struct room *room = connection->room;
	struct hub_user *user = connection->user;
	bool was_owner = room->owner == connection;
	struct wire_writer writer;
	wire_begin(&writer, "left");
	wire_string(&writer, "room", room->name);
	wire_integer(&writer, "connection", connection->id);
	wire_string(&writer, "reason", reason);
	(void)g_ptr_array_remove(room->members, connection);
	connection_free(hub, connection);
	room_tell(hub, room, user, wire_end(&writer));
	if (was_owner) {
		struct connection *next = next_owner(room, user);
		if (room->closes && (next == NULL || next->user != user)) {
			room_close(hub, room, "owner-left");
			return;
		}
		pass_ownership(hub, room, next);
	}
	if (room->members->len == 0 && !room->by_backend) {
		room_close(hub, room, "closed");
	}
}

void room_evict(struct hub *hub, struct room *room, struct hub_user *user, const char *reason) {
	struct connection *at = user->connections;
	while (at != NULL) {
		struct connection *next = at->next;
		if (at->room == room) {
			tell_ended(hub, at, reason);
			connection_remove(hub, at, "kicked");
		}
		at = next;
	}
}

void stream_write(struct wire_writer *writer, const char *key, const struct stream *stream) {
	wire_open(writer, key, '{');
	wire_string(writer, "stream", stream->id);
	wire_bool(writer, "audio", stream->audio);
	wire_bool(writer, "video", stream->video);
	if (stream->data != NULL) {
		wire_raw(writer, "data", stream->data);
	}
	wire_close(writer, '}');
}

void member_write(
	struct wire_writer *writer, const char *key, const struct connection *connection) {
	wire_open(writer, key, '{');
	wire_integer(writer, "connection", connection->id);
	wire_integer(writer, "person", (int64_t)connection->user->number);
	wire_string(writer, "nickname", connection->nickname);
	wire_string(writer, "role", wire_role_name((enum wire_role)connection->role));
	wire_string(writer, "kind", wire_kind_name((enum wire_kind)connection->kind));
	wire_bool(writer, "away", connection->user->away);
	if (connection->data != NULL) {
		wire_raw(writer, "data", connection->data);
	}
	if (connection->server_data != NULL) {
		wire_string(writer, "serverData", connection->server_data);
	}
	wire_open(writer, "streams", '[');
	for (const struct stream *at = connection->streams; at != NULL; at = at->next) {
		stream_write(writer, NULL, at);
	}
	wire_close(writer, ']');
	wire_close(writer, '}');
}

enum rooms_error hub_room_create(
	struct hub *hub, const char *name, const struct hub_room_options *options) {
	enum rooms_error error = hub_room_name_check(name);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	if (g_tree_lookup(hub->rooms, name) != NULL) {
		return ROOMS_ERROR_ROOM_EXISTS;
	}
	if (hub->counts.rooms >= hub->settings.rooms_max) {
		return ROOMS_ERROR_TOO_MANY_ROOMS;
	}
	struct room *room = room_create(hub, name);
	room->by_backend = true;
	room->admit = options->admit;
	room->locked = options->locked;
	return ROOMS_ERROR_NONE;
}

bool hub_room_close(struct hub *hub, const char *name) {
	struct room *room = g_tree_lookup(hub->rooms, name);
	if (room != NULL) {
		room_close(hub, room, "closed");
	}
	return room != NULL;
}

bool hub_connection_close(struct hub *hub, const char *name, uint32_t id) {
	struct room *room = g_tree_lookup(hub->rooms, name);
	struct connection *connection = room != NULL ? room_connection(hub, room, id) : NULL;
	if (connection != NULL) {
		tell_ended(hub, connection, "closed");
		connection_remove(hub, connection, "kicked");
	}
	return connection != NULL;
}

bool hub_room_exists(const struct hub *hub, const char *name) {
	return g_tree_lookup(hub->rooms, name) != NULL;
}

bool hub_room_write(
	const struct hub *hub, const char *name, struct wire_writer *writer, const char *key) {
	const struct room *room = g_tree_lookup(hub->rooms, name);
	if (room == NULL) {
		return false;
	}
	wire_open(writer, key, '{');
	wire_string(writer, "room", room->name);
	wire_bool(writer, "locked", room->locked);
	wire_bool(writer, "admit", room->admit);
	wire_integer(writer, "owner", room->owner != NULL ? room->owner->id : 0);
	wire_open(writer, "members", '[');
	for (guint i = 0; i < room->members->len; i++) {
		member_write(writer, NULL, room->members->pdata[i]);
	}
	wire_close(writer, ']');
	wire_integer(writer, "waiting", room->knocks != NULL ? room->knocks->len : 0);
	wire_close(writer, '}');
	return true;
}

void hub_rooms_write(const struct hub *hub, struct wire_writer *writer, const char *key) {
	wire_open(writer, key, '[');
	for (GTreeNode *at = g_tree_node_first(hub->rooms); at != NULL; at = g_tree_node_next(at)) {
		const struct room *room = g_tree_node_value(at);
		wire_open(writer, NULL, '{');
		wire_string(writer, "room", room->name);
		wire_integer(writer, "members", room->members->len);
		wire_close(writer, '}');
	}
	wire_close(writer, ']');
}
