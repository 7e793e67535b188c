/* What members of a room do. Their roles were checked (hub.c). */
#include <string.h>

#include "rooms/hub/hub_parts.h"

static void begin_event(
	struct wire_writer *writer, const char *type, const struct connection *connection) {
	wire_begin(writer, type);
	wire_string(writer, "room", connection->room->name);
	wire_integer(writer, "connection", connection->id);
}

static void set_stream(
	struct room *room, struct stream *stream, const struct wire_message *message) {
	stream->audio = message->audio;
	stream->video = message->video;
	if (message->data != NULL) {
		room->data_bytes += text_length(message->data) - text_length(stream->data);
		g_free(stream->data);
		stream->data = g_strdup(message->data);
	}
}

static void tell_stream(struct request *request, const char *event, const struct stream *stream) {
	struct wire_writer writer;
	begin_event(&writer, event, request->self);
	stream_write(&writer, "stream", stream);
	room_tell(request->hub, request->self->room, request->user, wire_end(&writer));
}

enum rooms_error room_publish(struct request *request) {
	struct connection *self = request->self;
	const char *id = request->message->stream;
	if (stream_find(self, id) != NULL) {
		return ROOMS_ERROR_STREAM_EXISTS;
	}
	if (self->stream_count == HUB_STREAMS_MAX) {
		return ROOMS_ERROR_TOO_MANY_STREAMS;
	}
	enum rooms_error error = room_keep(request, self->room, request->message->data);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	size_t room = strlen(id) + 1;
	struct stream *stream = g_malloc0(sizeof(*stream) + room);
	memcpy(stream->id, id, room);
	set_stream(self->room, stream, request->message);
	stream->next = self->streams;
	self->streams = stream;
	self->stream_count++;
	tell_stream(request, "published", stream);
	return ROOMS_ERROR_NONE;
}

enum rooms_error room_change(struct request *request) {
	struct stream *stream = stream_find(request->self, request->message->stream);
	if (stream == NULL) {
		return ROOMS_ERROR_UNKNOWN_STREAM;
	}
	struct room *room = request->self->room;
	enum rooms_error error = room_keep(request, room, request->message->data);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	set_stream(room, stream, request->message);
	tell_stream(request, "changed", stream);
	return ROOMS_ERROR_NONE;
}

/* Frees the stream and tells all but `except`. */
static void end_stream(struct request *request, struct connection *of, struct stream *stream,
	const char *reason, struct hub_user *except) {
	struct wire_writer writer;
	begin_event(&writer, "unpublished", of);
	wire_string(&writer, "stream", stream->id);
	wire_string(&writer, "reason", reason);
	stream_remove(of, stream);
	room_tell(request->hub, of->room, except, wire_end(&writer));
}

enum rooms_error room_unpublish(struct request *request) {
	struct stream *stream = stream_find(request->self, request->message->stream);
	if (stream == NULL) {
		return ROOMS_ERROR_UNKNOWN_STREAM;
	}
	end_stream(request, request->self, stream, "unpublished", request->user);
	return ROOMS_ERROR_NONE;
}

static struct shared_text *write_message(const struct request *request, uint32_t connection) {
	struct wire_writer writer;
	wire_begin(&writer, "message");
	wire_string(&writer, "room", request->self->room->name);
	wire_integer(&writer, "from", request->self->id);
	if (connection != 0) {
		wire_integer(&writer, "connection", connection);
	}
	wire_raw(&writer, "body", request->message->body);
	return wire_end(&writer);
}

/* Several connections may be of one user, who gets one message for each. */
static size_t bytes_to(struct connection *const *to, uint32_t count, size_t each) {
	size_t bytes = each;
	for (uint32_t i = 0; i + 1 < count; i++) {
		bytes += to[i]->user == to[count - 1]->user ? each : 0;
	}
	return bytes;
}

/* All of those named, or none. */
static enum rooms_error send_to_named(struct request *request) {
	struct hub *hub = request->hub;
	const struct wire_message *message = request->message;
	struct connection *to[WIRE_TO_MAX];
	size_t each = text_length(message->body) + EVENT_BYTES;
	for (uint32_t i = 0; i < message->to_count; i++) {
		to[i] = room_connection(hub, request->self->room, message->to[i]);
		if (to[i] == NULL) {
			return ROOMS_ERROR_UNKNOWN_CONNECTION;
		}
		if (to[i] == request->self) {
			return ROOMS_ERROR_SELF;
		}
		size_t bytes = bytes_to(to, i + 1, each);
		if (bytes > each && bytes > HUB_SEND_MAX) {
			return ROOMS_ERROR_TOO_LARGE;
		}
		if (hub->output.busy(hub->output.context, to[i]->user->peer, bytes)) {
			return ROOMS_ERROR_BUSY;
		}
	}
	for (uint32_t i = 0; i < message->to_count; i++) {
		hub_send(hub, to[i]->user, write_message(request, to[i]->id));
		hub->counts.relayed++;
	}
	return ROOMS_ERROR_NONE;
}

enum rooms_error room_send(struct request *request) {
	if (request->message->to_count > 0) {
		return send_to_named(request);
	}
	struct room *room = request->self->room;
	enum rooms_error error = room_charge(request, room, request->message->body);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	request->hub->counts.relayed += room->members->len - 1;
	room_tell(request->hub, room, request->user, write_message(request, 0));
	return ROOMS_ERROR_NONE;
}

static enum rooms_error find_target(struct request *request, struct connection **target) {
	*target = room_connection(request->hub, request->self->room, request->message->connection);
	return *target != NULL ? ROOMS_ERROR_NONE : ROOMS_ERROR_UNKNOWN_CONNECTION;
}

enum rooms_error room_kick(struct request *request) {
	struct connection *target = NULL;
	enum rooms_error error = find_target(request, &target);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	struct room *room = request->self->room;
	if (target->user == request->user) {
		return ROOMS_ERROR_SELF;
	}
	if (room->owner != NULL && target->user == room->owner->user) {
		return ROOMS_ERROR_FORBIDDEN;
	}
	room_bar(room, target->user);
	room_evict(request->hub, room, target->user, "kicked");
	return ROOMS_ERROR_NONE;
}

enum rooms_error room_stop(struct request *request) {
	struct connection *target = NULL;
	enum rooms_error error = find_target(request, &target);
	if (error != ROOMS_ERROR_NONE) {
		return error;
	}
	struct stream *stream = stream_find(target, request->message->stream);
	if (stream == NULL) {
		return ROOMS_ERROR_UNKNOWN_STREAM;
	}
	end_stream(request, target, stream, "stopped", request->user);
	return ROOMS_ERROR_NONE;
}

enum rooms_error room_mute(struct request *request) {
	struct connection *target = NULL;
	enum rooms_error error = find_target(request, &target);
	if (error == ROOMS_ERROR_NONE) {
		struct wire_writer writer;
		begin_event(&writer, "muted", target);
		wire_integer(&writer, "by", request->self->id);
		hub_send(request->hub, target->user, wire_end(&writer));
	}
	return error;
}

enum rooms_error room_lock(struct request *request) {
	struct room *room = request->self->room;
	room->locked = request->message->locked;
	struct wire_writer writer;
	wire_begin(&writer, "locked");
	wire_string(&writer, "room", room->name);
	wire_bool(&writer, "locked", room->locked);
	room_tell(request->hub, room, request->user, wire_end(&writer));
	return ROOMS_ERROR_NONE;
}
