/* Coming into a room: by its being open, by a token, or by knocking. */
#include <string.h>

#include "rooms/hub/hub_parts.h"

/* Who comes, and how. */
struct arrival {
	struct hub_user *user;
	const char *nickname;
	const char *server_data; /* NULL: none */
	char *data;              /* JSON or NULL; taken over */
	enum wire_role role;
	enum wire_kind kind;
};

static const struct connection *present(const struct room *room, const struct hub_user *user) {
	const struct connection *at = user->connections;
	while (at != NULL && at->room != room) {
		at = at->next;
	}
	return at;
}

static enum rooms_error fits(const struct room *room, const struct hub_user *user) {
	unsigned here = 0;
	for (const struct connection *at = user->connections; at != NULL; at = at->next) {
		here += at->room == room;
	}
	if (user->connection_count >= HUB_USER_CONNECTIONS_MAX || here >= HUB_USER_ROOM_MAX) {
		return ROOMS_ERROR_TOO_MANY_CONNECTIONS;
	}
	return room != NULL && room->members->len >= HUB_ROOM_MAX ? ROOMS_ERROR_ROOM_FULL
								  : ROOMS_ERROR_NONE;
}

/* What one who joined is told. */
static void write_standing(
	struct wire_writer *writer, const struct connection *self, const struct room *room) {
	wire_string(writer, "room", room->name);
	wire_integer(writer, "connection", self->id);
	wire_string(writer, "role", wire_role_name((enum wire_role)self->role));
	wire_integer(writer, "owner", room->owner != NULL ? room->owner->id : 0);
	wire_bool(writer, "locked", room->locked);
	wire_bool(writer, "admit", room->admit);
	wire_open(writer, "members", '[');
	for (guint i = 0; i < room->members->len; i++) {
		if (room->members->pdata[i] != self) {
			member_write(writer, NULL, room->members->pdata[i]);
		}
	}
	wire_close(writer, ']');
	if (self->role == WIRE_MODERATOR) {
		wire_open(writer, "knocks", '[');
		for (guint i = 0; room->knocks != NULL && i < room->knocks->len; i++) {
			wire_open(writer, NULL, '{');
			knock_write(writer, room, room->knocks->pdata[i]);
			wire_close(writer, '}');
		}
		wire_close(writer, ']');
	}
}

static struct connection *add(struct hub *hub, struct room *room, const struct arrival *arrival) {
	struct connection *connection = g_new0(struct connection, 1);
	do {
		connection->id = ++hub->last_connection;
	} while (connection->id == 0 || g_hash_table_contains(hub->connections, &connection->id));
	connection->room = room;
	connection->user = arrival->user;
	connection->nickname = g_strdup(arrival->nickname);
	connection->data = arrival->data;
	connection->server_data = g_strdup(arrival->server_data);
	connection->role = (uint8_t)arrival->role;
	connection->kind = (uint8_t)arrival->kind;
	connection->next = arrival->user->connections;
	arrival->user->connections = connection;
	arrival->user->connection_count++;
	g_hash_table_insert(hub->connections, &connection->id, connection);
	g_ptr_array_add(room->members, connection);
	room->data_bytes += text_length(arrival->data) + text_length(arrival->server_data);
	hub->counts.connections++;
	return connection;
}

static void tell_joined(struct hub *hub, const struct connection *connection) {
	struct wire_writer writer;
	wire_begin(&writer, "joined");
	wire_string(&writer, "room", connection->room->name);
	member_write(&writer, "member", connection);
	room_tell(hub, connection->room, connection->user, wire_end(&writer));
}

/* Makes the room of one who may; all checks have passed. */
static struct room *open_room(struct request *request) {
	const struct wire_message *message = request->message;
	struct room *room = room_create(request->hub, message->room);
	room->admit = message->admit;
	room->closes = message->closes;
	room->others = (uint8_t)message->others;
	return room;
}

/* The role of one without a token. */
static enum rooms_error role_without_token(
	struct request *request, const struct room *room, enum wire_role *role) {
	const struct connection *already = room != NULL ? present(room, request->user) : NULL;
	if (already != NULL) {
		*role = (enum wire_role)already->role;
		return ROOMS_ERROR_NONE;
	}
	if (room == NULL) {
		*role = WIRE_MODERATOR;
		return !request->hub->settings.open ? ROOMS_ERROR_UNKNOWN_ROOM
		       : request->hub->counts.rooms >= request->hub->settings.rooms_max
			       ? ROOMS_ERROR_TOO_MANY_ROOMS
			       : ROOMS_ERROR_NONE;
	}
	*role = (enum wire_role)room->others;
	return room->locked       ? ROOMS_ERROR_ROOM_LOCKED
	       : room->admit      ? ROOMS_ERROR_KNOCK_FIRST
	       : room->by_backend ? ROOMS_ERROR_TOKEN_REQUIRED
				  : ROOMS_ERROR_NONE;
}

static enum rooms_error role_by_token(struct request *request, const struct room *room,
	struct token_claims *claims, enum wire_role *role) {
	const struct wire_message *message = request->message;
	if (request->hub->settings.tokens == NULL) {
		return ROOMS_ERROR_BAD_TOKEN;
	}
	enum rooms_error error = token_check(
		request->hub->settings.tokens, message->token, message->room, request->now, claims);
	*role = claims->role;
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	return room == NULL ? ROOMS_ERROR_UNKNOWN_ROOM
	       : room->locked && *role < WIRE_MODERATOR && present(room, request->user) == NULL
		       ? ROOMS_ERROR_ROOM_LOCKED
		       : ROOMS_ERROR_NONE;
}

static enum rooms_error check_names(const struct wire_message *message, const char *nickname) {
	enum rooms_error error = hub_room_name_check(message->room);
	return error == ROOMS_ERROR_NONE ? hub_name_check(nickname) : error;
}

enum rooms_error room_join(struct request *request) {
	struct hub *hub = request->hub;
	const struct wire_message *message = request->message;
	struct arrival arrival = {
		.user = request->user, .nickname = message->nickname, .kind = message->kind};
	struct token_claims claims = {0};
	if (hub->draining) {
		return ROOMS_ERROR_DRAINING;
	}
	enum rooms_error error = hub_room_name_check(message->room);
	struct room *room = g_tree_lookup(hub->rooms, message->room);
	if (error == ROOMS_ERROR_NONE) {
		error = message->token != NULL
				? role_by_token(request, room, &claims, &arrival.role)
				: role_without_token(request, room, &arrival.role);
	}
	if (error == ROOMS_ERROR_NONE && claims.nickname[0] != '\0') {
		arrival.nickname = claims.nickname;
	} else if (error == ROOMS_ERROR_NONE) {
		error = hub_name_check(message->nickname);
	}
	if (error == ROOMS_ERROR_NONE && arrival.role < WIRE_MODERATOR && room != NULL &&
		present(room, request->user) == NULL &&
		room_barred(room, request->user, arrival.nickname)) {
		error = room->admit ? ROOMS_ERROR_KNOCK_FIRST : ROOMS_ERROR_SENT_AWAY;
	}
	if (error == ROOMS_ERROR_NONE) {
		error = fits(room, request->user);
	}
	if (error == ROOMS_ERROR_NONE && room != NULL) {
		error = room_keep(request, room, message->data);
	}
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	if (message->token != NULL) {
		token_spend(hub->settings.tokens, &claims, request->now);
		arrival.server_data = claims.data[0] != '\0' ? claims.data : NULL;
	}
	bool opens = room == NULL;
	if (opens) {
		room = open_room(request);
	}
	arrival.data = g_strdup(message->data);
	struct connection *connection = add(hub, room, &arrival);
	if (opens) {
		room->owner = connection;
	}
	write_standing(&request->ok, connection, room);
	tell_joined(hub, connection);
	return ROOMS_ERROR_NONE;
}

void knock_free(void *data) {
	struct knock *knock = data;
	g_free(knock->nickname);
	g_free(knock->data);
	g_free(knock);
}

void tell_refused(struct hub *hub, const struct room *room, const struct knock *knock) {
	struct wire_writer writer;
	wire_begin(&writer, "refused");
	wire_string(&writer, "room", room->name);
	wire_integer(&writer, "knock", knock->id);
	hub_send(hub, knock->user, wire_end(&writer));
}

void knock_write(struct wire_writer *writer, const struct room *room, const struct knock *knock) {
	wire_string(writer, "room", room->name);
	wire_integer(writer, "knock", knock->id);
	wire_string(writer, "nickname", knock->nickname);
	wire_string(writer, "kind", wire_kind_name((enum wire_kind)knock->kind));
	if (knock->data != NULL) {
		wire_raw(writer, "data", knock->data);
	}
	if (knock->sent_away) {
		wire_bool(writer, "sentAway", true);
	}
}

/* Once to each session with a moderator's connection. */
static void tell_moderators(struct hub *hub, const struct room *room, const struct hub_user *except,
	struct shared_text *text) {
	hub->mark++;
	for (guint i = 0; i < room->members->len; i++) {
		const struct connection *member = room->members->pdata[i];
		if (member->role == WIRE_MODERATOR && member->user != except &&
			member->user->mark != hub->mark) {
			member->user->mark = hub->mark;
			hub_send(hub, member->user, shared_text_hold(text));
		}
	}
	shared_text_drop(text);
}

static enum rooms_error may_knock(struct request *request, const struct room *room) {
	const struct wire_message *message = request->message;
	if (request->hub->draining) {
		return ROOMS_ERROR_DRAINING;
	}
	enum rooms_error error = check_names(message, message->nickname);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	if (room == NULL) {
		return ROOMS_ERROR_UNKNOWN_ROOM;
	}
	if (!room->admit) {
		return room->by_backend ? ROOMS_ERROR_TOKEN_REQUIRED : ROOMS_ERROR_NO_KNOCK;
	}
	if (room->locked) {
		return ROOMS_ERROR_ROOM_LOCKED;
	}
	guint count = room->knocks != NULL ? room->knocks->len : 0;
	bool already =
		count >= HUB_KNOCKS_MAX || request->user->knock_count >= HUB_USER_CONNECTIONS_MAX;
	for (guint i = 0; i < count; i++) {
		already =
			already || ((struct knock *)room->knocks->pdata[i])->user == request->user;
	}
	return already ? ROOMS_ERROR_KNOCKING : fits(room, request->user);
}

enum rooms_error room_knock(struct request *request) {
	struct hub *hub = request->hub;
	const struct wire_message *message = request->message;
	struct room *room = g_tree_lookup(hub->rooms, message->room);
	enum rooms_error error = may_knock(request, room);
	if (error == ROOMS_ERROR_NONE) {
		error = room_charge(request, room, message->data);
	}
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	struct knock *knock = g_new0(struct knock, 1);
	knock->user = request->user;
	knock->nickname = g_strdup(message->nickname);
	knock->data = g_strdup(message->data);
	knock->kind = (uint8_t)message->kind;
	knock->sent_away = room_barred(room, request->user, message->nickname);
	if (++hub->last_knock == 0) {
		hub->last_knock = 1;
	}
	knock->id = hub->last_knock;
	if (room->knocks == NULL) {
		room->knocks = g_ptr_array_new_with_free_func(knock_free);
	}
	g_ptr_array_add(room->knocks, knock);
	request->user->knock_count++;
	hub->counts.knocks++;
	wire_integer(&request->ok, "knock", knock->id);
	struct wire_writer writer;
	wire_begin(&writer, "knock");
	knock_write(&writer, room, knock);
	tell_moderators(hub, room, NULL, wire_end(&writer));
	return ROOMS_ERROR_NONE;
}

/* The knock is answered or withdrawn: the other moderators are told, and it is freed. */
static void knock_end(
	struct hub *hub, struct room *room, struct knock *knock, const struct hub_user *by) {
	struct wire_writer writer;
	wire_begin(&writer, "knock-gone");
	wire_string(&writer, "room", room->name);
	wire_integer(&writer, "knock", knock->id);
	tell_moderators(hub, room, by, wire_end(&writer));
	knock->user->knock_count--;
	hub->counts.knocks--;
	(void)g_ptr_array_remove(room->knocks, knock);
}

static bool withdraw(struct hub *hub, struct room *room, const struct hub_user *user) {
	for (guint i = 0; room->knocks != NULL && i < room->knocks->len; i++) {
		struct knock *knock = room->knocks->pdata[i];
		if (knock->user == user) {
			knock_end(hub, room, knock, user);
			return true;
		}
	}
	return false;
}

bool knocks_withdraw(struct hub *hub, struct hub_user *user, struct room *room) {
	if (room != NULL) {
		return withdraw(hub, room, user);
	}
	bool any = user->knock_count > 0;
	for (GTreeNode *at = g_tree_node_first(hub->rooms); at != NULL && user->knock_count > 0;
		at = g_tree_node_next(at)) {
		(void)withdraw(hub, g_tree_node_value(at), user);
	}
	return any;
}

static struct knock *knock_find(const struct room *room, uint32_t id) {
	for (guint i = 0; room->knocks != NULL && i < room->knocks->len; i++) {
		struct knock *knock = room->knocks->pdata[i];
		if (knock->id == id) {
			return knock;
		}
	}
	return NULL;
}

static void admit(struct request *request, struct room *room, struct knock *knock) {
	struct hub *hub = request->hub;
	char *nickname = g_steal_pointer(&knock->nickname);
	struct arrival arrival = {.user = knock->user,
		.nickname = nickname,
		.data = g_steal_pointer(&knock->data),
		.role = request->message->role,
		.kind = (enum wire_kind)knock->kind};
	struct wire_writer writer;
	wire_begin(&writer, "admitted");
	wire_integer(&writer, "knock", knock->id);
	knock_end(hub, room, knock, request->user);
	room_unbar(room, arrival.user, nickname);
	struct connection *connection = add(hub, room, &arrival);
	write_standing(&writer, connection, room);
	hub_send(hub, arrival.user, wire_end(&writer));
	tell_joined(hub, connection);
	g_free(nickname);
}

enum rooms_error room_admit(struct request *request) {
	struct room *room = request->self->room;
	struct knock *knock = knock_find(room, request->message->knock);
	if (knock == NULL) {
		return ROOMS_ERROR_UNKNOWN_KNOCK;
	}
	if (request->message->allowed) {
		enum rooms_error error = fits(room, knock->user);
		if (error == ROOMS_ERROR_NONE) {
			error = room_keep(request, room, knock->data);
		}
		if (error == ROOMS_ERROR_NONE) {
			admit(request, room, knock);
		}
		return error;
	}
	tell_refused(request->hub, room, knock);
	knock_end(request->hub, room, knock, request->user);
	return ROOMS_ERROR_NONE;
}

enum rooms_error room_leave(struct request *request) {
	struct hub *hub = request->hub;
	const struct wire_message *message = request->message;
	struct connection *self = NULL;
	for (struct connection *at = request->user->connections; at != NULL; at = at->next) {
		if (strcmp(at->room->name, message->room) == 0 &&
			(message->as == 0 || message->as == at->id)) {
			if (self != NULL) {
				return ROOMS_ERROR_WHICH_CONNECTION;
			}
			self = at;
		}
	}
	if (self != NULL) {
		connection_remove(hub, self, "left");
		return ROOMS_ERROR_NONE;
	}
	struct room *room = g_tree_lookup(hub->rooms, message->room);
	return message->as == 0 && room != NULL && knocks_withdraw(hub, request->user, room)
		       ? ROOMS_ERROR_NONE
		       : ROOMS_ERROR_NOT_MEMBER;
}
