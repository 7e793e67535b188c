#include <string.h>

#include "rooms/hub/hub_parts.h"

enum rooms_error call_login(struct request *request) {
	struct hub *hub = request->hub;
	struct hub_user *user = request->user;
	const char *name = request->message->name;
	if (hub->draining) {
		return ROOMS_ERROR_DRAINING;
	}
	if (user->name != NULL) {
		return ROOMS_ERROR_LOGGED_IN;
	}
	enum rooms_error error = hub_name_check(name);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	char *key = name_fold(name);
	if (g_hash_table_contains(hub->names, key)) {
		g_free(key);
		return ROOMS_ERROR_TAKEN;
	}
	user->name = g_strdup(name);
	user->key = key;
	g_hash_table_insert(hub->names, key, user);
	hub->counts.named++;
	wire_string(&request->ok, "name", name);
	return ROOMS_ERROR_NONE;
}

static void begin_event(
	struct wire_writer *writer, const char *type, const char *from, const char *call) {
	wire_begin(writer, type);
	wire_string(writer, "from", from);
	wire_string(writer, "call", call);
}

static struct hub_user *other_end(const struct call *call, const struct hub_user *user) {
	return call->ends[call->ends[0] == user];
}

static void call_end(struct hub *hub, struct call *call) {
	for (int i = 0; i < 2; i++) {
		call->ends[i]->calls = g_slist_remove(call->ends[i]->calls, call);
		call->ends[i]->call_count--;
	}
	g_free(call);
	hub->counts.calls--;
}

void calls_end(struct hub *hub, struct hub_user *user, const char *reason) {
	GSList *calls = g_steal_pointer(&user->calls);
	user->call_count = 0;
	for (GSList *at = calls; at != NULL; at = at->next) {
		struct call *call = at->data;
		struct hub_user *peer = other_end(call, user);
		peer->calls = g_slist_remove(peer->calls, call);
		peer->call_count--;
		hub->counts.calls--;
		struct wire_writer writer;
		begin_event(&writer, "close", user->name, call->id);
		wire_string(&writer, "reason", reason);
		hub_send(hub, peer, wire_end(&writer));
		g_free(call);
	}
	g_slist_free(calls);
}

void calls_tell(struct hub *hub, struct hub_user *user, const char *event) {
	for (GSList *at = user->calls; at != NULL; at = at->next) {
		const struct call *call = at->data;
		struct wire_writer writer;
		begin_event(&writer, event, user->name, call->id);
		hub_send(hub, other_end(call, user), wire_end(&writer));
	}
}

void name_release(struct hub *hub, struct hub_user *user) {
	if (user->name != NULL) {
		g_hash_table_remove(hub->names, user->key);
		g_free(user->name);
		g_free(user->key);
		user->name = NULL;
		user->key = NULL;
		hub->counts.named--;
	}
}

enum rooms_error call_logout(struct request *request) {
	if (request->user->name == NULL) {
		return ROOMS_ERROR_LOGIN_REQUIRED;
	}
	calls_end(request->hub, request->user, "logout");
	name_release(request->hub, request->user);
	return ROOMS_ERROR_NONE;
}

static struct call *find_call(
	const struct hub_user *user, const struct hub_user *peer, const char *id) {
	for (GSList *at = user->calls; at != NULL; at = at->next) {
		struct call *call = at->data;
		if (other_end(call, user) == peer && strcmp(call->id, id) == 0) {
			return call;
		}
	}
	return NULL;
}

static void begin_call(
	struct hub *hub, struct hub_user *user, struct hub_user *peer, const char *id) {
	size_t room = strlen(id) + 1;
	struct call *call = g_malloc(sizeof(*call) + room);
	memcpy(call->id, id, room);
	call->ends[0] = user;
	call->ends[1] = peer;
	for (int i = 0; i < 2; i++) {
		call->ends[i]->calls = g_slist_prepend(call->ends[i]->calls, call);
		call->ends[i]->call_count++;
	}
	hub->counts.calls++;
}

static enum rooms_error find_peer(struct request *request, struct hub_user **peer) {
	if (request->user->name == NULL) {
		return ROOMS_ERROR_LOGIN_REQUIRED;
	}
	char *key = strlen(request->message->peer) <= HUB_NAME_BYTES_MAX
			    ? name_fold(request->message->peer)
			    : NULL;
	*peer = key != NULL ? g_hash_table_lookup(request->hub->names, key) : NULL;
	g_free(key);
	return *peer == NULL            ? ROOMS_ERROR_UNKNOWN_NAME
	       : *peer == request->user ? ROOMS_ERROR_SELF
					: ROOMS_ERROR_NONE;
}

static struct shared_text *write_event(
	const struct hub_user *from, const struct wire_message *message) {
	struct wire_writer writer;
	begin_event(&writer, wire_type_name(message->type), from->name, message->call);
	if (message->type == WIRE_CANDIDATE) {
		wire_raw(&writer, "candidate", message->candidate);
	} else if (message->type == WIRE_CLOSE) {
		wire_string(
			&writer, "reason", message->reason != NULL ? message->reason : "closed");
	} else {
		wire_string(&writer, "sdp", message->sdp);
	}
	return wire_end(&writer);
}

enum rooms_error call_relay(struct request *request) {
	struct hub *hub = request->hub;
	struct hub_user *user = request->user;
	const struct wire_message *message = request->message;
	struct hub_user *peer = NULL;
	enum rooms_error error = find_peer(request, &peer);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	struct call *call = find_call(user, peer, message->call);
	if (call == NULL && message->type != WIRE_OFFER) {
		return ROOMS_ERROR_NO_CALL;
	}
	if (call == NULL &&
		(user->call_count == HUB_CALLS_MAX || peer->call_count == HUB_CALLS_MAX)) {
		return ROOMS_ERROR_TOO_MANY_CALLS;
	}
	struct shared_text *text = write_event(user, message);
	/* A close is short and must not fail. */
	if (message->type != WIRE_CLOSE &&
		hub->output.busy(hub->output.context, peer->peer, text->length)) {
		shared_text_drop(text);
		return ROOMS_ERROR_BUSY;
	}
	if (message->type == WIRE_CLOSE) {
		call_end(hub, call);
	} else if (call == NULL) {
		begin_call(hub, user, peer, message->call);
	}
	hub->counts.relayed++;
	hub_send(hub, peer, text);
	return ROOMS_ERROR_NONE;
}
