#include "rooms/hub/hub.h"

#include <string.h>

#include "rooms/hub/hub_parts.h"

#define ROOMS_MAX 10000u
#define BUSY_RETRY_MS 500

struct verb {
	enum rooms_error (*handle)(struct request *request);
	bool in_room; /* by one's own connection, which has at least this role: */
	enum wire_role role;
};

/* Every verb's right, in one place. */
static const struct verb verbs[WIRE_TYPES] = {
	[WIRE_LOGIN] = {call_login, false, WIRE_VIEWER},
	[WIRE_LOGOUT] = {call_logout, false, WIRE_VIEWER},
	[WIRE_OFFER] = {call_relay, false, WIRE_VIEWER},
	[WIRE_ANSWER] = {call_relay, false, WIRE_VIEWER},
	[WIRE_CANDIDATE] = {call_relay, false, WIRE_VIEWER},
	[WIRE_CLOSE] = {call_relay, false, WIRE_VIEWER},
	[WIRE_JOIN] = {room_join, false, WIRE_VIEWER},
	[WIRE_KNOCK] = {room_knock, false, WIRE_VIEWER},
	[WIRE_LEAVE] = {room_leave, false, WIRE_VIEWER},
	[WIRE_PUBLISH] = {room_publish, true, WIRE_PUBLISHER},
	[WIRE_CHANGE] = {room_change, true, WIRE_PUBLISHER},
	[WIRE_UNPUBLISH] = {room_unpublish, true, WIRE_PUBLISHER},
	[WIRE_SEND] = {room_send, true, WIRE_VIEWER},
	[WIRE_KICK] = {room_kick, true, WIRE_MODERATOR},
	[WIRE_STOP] = {room_stop, true, WIRE_MODERATOR},
	[WIRE_MUTE] = {room_mute, true, WIRE_MODERATOR},
	[WIRE_LOCK] = {room_lock, true, WIRE_MODERATOR},
	[WIRE_ADMIT] = {room_admit, true, WIRE_MODERATOR},
};

static void free_user(struct hub *hub, struct hub_user *user) {
	g_hash_table_remove(hub->users, user);
	g_free(user);
}

struct hub *hub_create(const struct hub_settings *settings, const struct hub_output *output) {
	struct hub *hub = g_new0(struct hub, 1);
	hub->settings = *settings;
	if (hub->settings.rooms_max == 0) {
		hub->settings.rooms_max = ROOMS_MAX;
	}
	hub->output = *output;
	hub->names = g_hash_table_new(g_str_hash, g_str_equal);
	hub->rooms = g_tree_new((GCompareFunc)strcmp);
	hub->connections = g_hash_table_new(g_int_hash, g_int_equal);
	hub->users = g_hash_table_new(g_direct_hash, g_direct_equal);
	return hub;
}

void hub_destroy(struct hub *hub) {
	if (hub == NULL) {
		return;
	}
	GHashTableIter iter;
	gpointer user = NULL;
	g_hash_table_iter_init(&iter, hub->users);
	while (g_hash_table_iter_next(&iter, &user, NULL)) {
		((struct hub_user *)user)->gone = true;
	}
	GList *users = g_hash_table_get_keys(hub->users);
	for (GList *at = users; at != NULL; at = at->next) {
		hub_gone(hub, at->data);
	}
	g_list_free(users);
	/* Those of a backend are left. */
	GTreeNode *left = NULL;
	while ((left = g_tree_node_first(hub->rooms)) != NULL) {
		room_close(hub, g_tree_node_value(left), "closed");
	}
	g_hash_table_destroy(hub->names);
	g_tree_destroy(hub->rooms);
	g_hash_table_destroy(hub->connections);
	g_hash_table_destroy(hub->users);
	g_free(hub);
}

const struct hub_counts *hub_counts(const struct hub *hub) {
	return &hub->counts;
}

void hub_drain(struct hub *hub) {
	hub->draining = true;
}

void hub_send(struct hub *hub, struct hub_user *user, struct shared_text *text) {
	if (!user->gone) {
		hub->output.send(hub->output.context, user->peer, text);
	}
	shared_text_drop(text);
}

struct hub_user *hub_enter(struct hub *hub, void *peer) {
	struct hub_user *user = g_new0(struct hub_user, 1);
	user->peer = peer;
	user->number = ++hub->last_user;
	g_hash_table_add(hub->users, user);
	hub->counts.users++;
	return user;
}

/* Tells calls and rooms how it stands. */
static void tell_presence(struct hub *hub, struct hub_user *user, bool away) {
	if (user->away == away) {
		return;
	}
	user->away = away;
	const char *event = away ? "away" : "back";
	calls_tell(hub, user, event);
	for (struct connection *at = user->connections; at != NULL; at = at->next) {
		struct wire_writer writer;
		wire_begin(&writer, event);
		wire_string(&writer, "room", at->room->name);
		wire_integer(&writer, "connection", at->id);
		room_tell(hub, at->room, user, wire_end(&writer));
	}
}

void hub_away(struct hub *hub, struct hub_user *user) {
	tell_presence(hub, user, true);
}

void hub_back(struct hub *hub, struct hub_user *user) {
	tell_presence(hub, user, false);
}

bool hub_watched(const struct hub_user *user) {
	return user->calls != NULL || user->connections != NULL;
}

void hub_gone(struct hub *hub, struct hub_user *user) {
	user->gone = true;
	calls_end(hub, user, "gone");
	name_release(hub, user);
	(void)knocks_withdraw(hub, user, NULL);
	while (user->connections != NULL) {
		connection_remove(hub, user->connections, "gone");
	}
	hub->counts.users--;
	free_user(hub, user);
}

/* One's own connection to the room of the request. */
static enum rooms_error find_self(struct request *request) {
	const struct wire_message *message = request->message;
	for (struct connection *at = request->user->connections; at != NULL; at = at->next) {
		if (strcmp(at->room->name, message->room) != 0 ||
			(message->as != 0 && message->as != at->id)) {
			continue;
		}
		if (request->self != NULL) {
			return ROOMS_ERROR_WHICH_CONNECTION;
		}
		request->self = at;
	}
	return request->self != NULL ? ROOMS_ERROR_NONE : ROOMS_ERROR_NOT_MEMBER;
}

static enum rooms_error handle(struct request *request) {
	const struct verb *verb = &verbs[request->message->type];
	enum rooms_error error = verb->in_room ? find_self(request) : ROOMS_ERROR_NONE;
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	if (verb->in_room && request->self->role < verb->role) {
		return ROOMS_ERROR_FORBIDDEN;
	}
	return verb->handle(request);
}

void hub_request(
	struct hub *hub, struct hub_user *user, const struct wire_message *message, int64_t now) {
	g_assert(message->type >= WIRE_FIRST_REQUEST && message->type < WIRE_TYPES);
	struct request request = {.hub = hub, .user = user, .message = message, .now = now};
	wire_begin(&request.ok, "ok");
	wire_integer(&request.ok, "id", (int64_t)message->id);
	enum rooms_error error = handle(&request);
	struct shared_text *answer = wire_end(&request.ok);
	if (error != ROOMS_ERROR_NONE) {
		shared_text_drop(answer);
		answer = wire_error(
			message->id, error, NULL, error == ROOMS_ERROR_BUSY ? BUSY_RETRY_MS : 0);
		hub->counts.errors[error]++;
	} else if (message->id == 0) {
		shared_text_drop(answer);
		return;
	}
	hub_send(hub, user, answer);
}
