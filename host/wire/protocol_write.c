/* The writers of the native messages; protocol.c reads them. */
#include "wire/protocol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "wire/grant_list.h"
#include "wire/text.h"

/* Out of memory ends the program, as in GLib. */
static struct json_object *checked(struct json_object *object) {
	if (object == NULL) {
		abort();
	}
	return object;
}

static void put(struct json_object *object, const char *name, struct json_object *value) {
	if (json_object_object_add(object, name, checked(value)) != 0) {
		abort();
	}
}

static void put_string(struct json_object *object, const char *name, const char *text) {
	put(object, name, json_object_new_string(text));
}

static void put_integer(struct json_object *object, const char *name, uint64_t number) {
	put(object, name, json_object_new_int64((int64_t)number));
}

static void put_bool(struct json_object *object, const char *name, bool value) {
	put(object, name, json_object_new_boolean(value));
}

static void append(struct json_object *array, struct json_object *value) {
	if (json_object_array_add(array, checked(value)) != 0) {
		abort();
	}
}

static struct json_object *new_message(const char *type) {
	struct json_object *object = checked(json_object_new_object());
	put_string(object, "type", type);
	return object;
}

static struct json_object *new_result(uint32_t id) {
	struct json_object *object = new_message("result");
	put_integer(object, "id", id);
	return object;
}

/* Appends the object's text, and drops the object. */
static bool write_object(struct bytes *out, struct json_object *object) {
	size_t length = 0;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	bool ok = text != NULL && bytes_append(out, text, length);
	json_object_put(object);
	return ok;
}

static const char *codec_name(enum packet_codec codec) {
	return codec == PACKET_CODEC_VP8 ? "vp8" : "vp9";
}

static struct json_object *new_supports(const struct protocol_hello_result *result) {
	const struct {
		bool has;
		const char *name;
	} features[] = {
		{true, "vp8"},
		{true, "vp9"},
		{true, "codec-auto"},
		{true, "configure"},
		{true, "scale"},
		{true, "fidelity-text"},
		{true, "stats"},
		{true, "region"},
		{true, "multiple"},
		{true, "grants"},
		{result->window, "window"},
		{result->monitor, "monitor"},
		{result->cursor_hidden, "cursor-hidden"},
		{result->cursor_embedded, "cursor-embedded"},
		{result->cursor_metadata, "cursor-metadata"},
		{result->cursor_metadata, "cursor-send"},
	};
	struct json_object *list = checked(json_object_new_array());
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (features[i].has) {
			append(list, json_object_new_string(features[i].name));
		}
	}
	return list;
}

bool protocol_write_hello_result(
	struct bytes *out, uint32_t id, const struct protocol_hello_result *result) {
	struct json_object *object = new_result(id);
	put_integer(object, "protocol", PROTOCOL_VERSION);
	put_string(object, "version", PORTLIGHT_VERSION);
	put(object, "supports", new_supports(result));
	put_integer(object, "portal", result->portal);
	if (result->portal_code != ERROR_NONE) {
		put_string(object, "portalCode", error_code_string(result->portal_code));
	}
	put_bool(object, "pipewire", result->pipewire);
	put_bool(object, "wayland", result->wayland);
	return write_object(out, object);
}

const char *protocol_surface_name(enum protocol_surface surface) {
	static const char *const names[PROTOCOL_SURFACE_COUNT] = {
		[PROTOCOL_SURFACE_UNKNOWN] = "unknown",
		[PROTOCOL_SURFACE_MONITOR] = "monitor",
		[PROTOCOL_SURFACE_WINDOW] = "window",
	};
	return names[surface];
}

static void put_stream(struct json_object *object, const struct protocol_stream *stream) {
	put_integer(object, "share", stream->share);
	put_string(object, "surface", protocol_surface_name(stream->surface));
	put_integer(object, "width", stream->width);
	put_integer(object, "height", stream->height);
}

static struct json_object *new_streams(const struct protocol_share_result *result) {
	struct json_object *list = checked(json_object_new_array());
	for (size_t i = 0; i < result->stream_count; i++) {
		struct json_object *stream = checked(json_object_new_object());
		put_stream(stream, &result->streams[i]);
		append(list, stream);
	}
	return list;
}

bool protocol_write_share_result(
	struct bytes *out, uint32_t id, const struct protocol_share_result *result) {
	struct json_object *object = new_result(id);
	put_stream(object, &result->streams[0]);
	put_bool(object, "restored", result->restored);
	put_bool(object, "remembered", result->remembered);
	if (result->multiple) {
		put(object, "streams", new_streams(result));
	}
	return write_object(out, object);
}

bool protocol_write_open_result(struct bytes *out, uint32_t id, const struct packet_ready *ready) {
	struct json_object *object = new_result(id);
	put_string(object, "codec", codec_name(ready->codec));
	put_integer(object, "width", ready->width);
	put_integer(object, "height", ready->height);
	put_integer(object, "fullWidth", ready->full_width);
	put_integer(object, "fullHeight", ready->full_height);
	put_string(object, "chroma", ready->chroma == PACKET_CHROMA_444 ? "444" : "420");
	return write_object(out, object);
}

bool protocol_write_stats_result(
	struct bytes *out, uint32_t id, const struct protocol_stats_result *result) {
	struct json_object *object = new_result(id);
	put_integer(object, "cpuMs", result->cpu_ms);
	put_integer(object, "rssKiB", result->rss_kib);
	put_integer(object, "frames", result->frames);
	put_integer(object, "bytes", result->bytes);
	put_string(object, "codec", codec_name(result->codec));
	return write_object(out, object);
}

bool protocol_write_stop_result(struct bytes *out, uint32_t id) {
	return write_object(out, new_result(id));
}

/* Times are in milliseconds, as in JavaScript. */
static struct json_object *new_grants(const struct grant_list *list) {
	struct json_object *grants = checked(json_object_new_array());
	for (size_t i = 0; i < list->count; i++) {
		const struct grant *grant = &list->grants[i];
		struct json_object *object = checked(json_object_new_object());
		put_string(object, "origin", grant->origin);
		put_string(object, "surface", protocol_surface_name(grant->surface));
		put_integer(object, "since", (uint64_t)grant->since * 1000);
		put_integer(object, "lastUsed", (uint64_t)grant->last_used * 1000);
		append(grants, object);
	}
	return grants;
}

bool protocol_write_grants_result(struct bytes *out, uint32_t id, const struct grant_list *list) {
	struct json_object *object = new_result(id);
	put(object, "grants", new_grants(list));
	return write_object(out, object);
}

bool protocol_write_grants(struct bytes *out, const struct grant_list *list) {
	return write_object(out, new_grants(list));
}

bool protocol_write_revoke_result(struct bytes *out, uint32_t id, bool revoked) {
	struct json_object *object = new_result(id);
	put_bool(object, "revoked", revoked);
	return write_object(out, object);
}

static void put_error(struct json_object *object, enum error_code code, const char *detail) {
	put_string(object, "code", error_code_string(code));
	put_string(object, "message", error_message(code));
	put_string(object, "remedy", error_remedy(code));
	if (detail != NULL && detail[0] != '\0') {
		char clean[PACKET_DETAIL_MAX + 1];
		(void)snprintf(clean, sizeof(clean), "%s", detail);
		text_clean(clean);
		put_string(object, "detail", clean);
	}
}

bool protocol_write_error(
	struct bytes *out, uint32_t id, enum error_code code, const char *detail) {
	struct json_object *object = new_message("error");
	if (id != 0) {
		put_integer(object, "id", id);
	} else {
		(void)json_object_object_add(object, "id", NULL);
	}
	put_error(object, code, detail);
	return write_object(out, object);
}

bool protocol_write_ended(
	struct bytes *out, uint32_t share, enum error_code code, const char *detail) {
	struct json_object *object = new_message("ended");
	put_integer(object, "share", share);
	put_error(object, code, detail);
	return write_object(out, object);
}

/* Appends the head, the base64 of `payload`, and the end of the message. Written by hand: this runs
 * for every fragment, and must not copy the payload. */
static bool append_with_payload(struct bytes *out, const char *head, size_t head_length,
	const uint8_t *payload, size_t payload_length) {
	size_t text_length = text_base64_length(payload_length);
	if (!bytes_reserve(out, head_length + text_length + 2)) {
		return false;
	}
	(void)bytes_append(out, head, head_length);
	text_base64(payload, payload_length, (char *)out->data + out->length);
	out->length += text_length;
	return bytes_append(out, "\"}", 2);
}

bool protocol_write_frame(struct bytes *out, uint32_t share, const struct packet_frame *frame) {
	char head[256];
	int length = snprintf(head, sizeof(head),
		"{\"type\":\"frame\",\"share\":%" PRIu32 ",\"seq\":%" PRIu32
		",\"part\":%u,\"parts\":%u",
		share, frame->sequence, frame->part, frame->parts);
	if (frame->part == 0) {
		length += snprintf(head + length, sizeof(head) - (size_t)length,
			",\"key\":%s,\"width\":%" PRIu32 ",\"height\":%" PRIu32 ",\"pts\":%" PRId64,
			frame->key ? "true" : "false", frame->width, frame->height, frame->pts_us);
	}
	if (frame->part == 0 && frame->key) {
		length += snprintf(head + length, sizeof(head) - (size_t)length,
			",\"codec\":\"%s\"", codec_name(frame->codec));
	}
	length += snprintf(head + length, sizeof(head) - (size_t)length, ",\"data\":\"");
	return append_with_payload(
		out, head, (size_t)length, frame->payload, frame->payload_length);
}

bool protocol_write_cursor(struct bytes *out, uint32_t share, const struct packet_cursor *cursor) {
	char head[256];
	size_t bitmap = packet_cursor_length(cursor);
	int length = snprintf(head, sizeof(head),
		"{\"type\":\"cursor\",\"share\":%" PRIu32 ",\"visible\":%s,\"x\":%" PRId32
		",\"y\":%" PRId32,
		share, cursor->visible ? "true" : "false", cursor->x, cursor->y);
	if (bitmap == 0) {
		return bytes_reserve(out, (size_t)length + 1) &&
		       bytes_append(out, head, (size_t)length) && bytes_append(out, "}", 1);
	}
	length += snprintf(head + length, sizeof(head) - (size_t)length,
		",\"width\":%u,\"height\":%u,\"hotX\":%u,\"hotY\":%u,\"data\":\"", cursor->width,
		cursor->height, cursor->hot_x, cursor->hot_y);
	return append_with_payload(out, head, (size_t)length, cursor->rgba, bitmap);
}
