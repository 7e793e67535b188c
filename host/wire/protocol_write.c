/* The writers of the native messages; protocol.c reads them. */
#include "wire/protocol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "config.h"
#include "wire/grant_list.h"
#include "wire/text.h"

/* Adds a member, which is taken; false when memory ran out for either. */
static bool add(struct json_object *object, const char *name, struct json_object *value) {
	if (object == NULL || value == NULL || json_object_object_add(object, name, value) != 0) {
		json_object_put(value);
		return false;
	}
	return true;
}

static bool add_string(struct json_object *object, const char *name, const char *text) {
	return add(object, name, json_object_new_string(text));
}

static bool add_integer(struct json_object *object, const char *name, uint64_t number) {
	return add(object, name, json_object_new_int64((int64_t)number));
}

static bool add_bool(struct json_object *object, const char *name, bool value) {
	return add(object, name, json_object_new_boolean(value));
}

/* Times are in milliseconds, as JavaScript has them. */
static bool add_time(struct json_object *object, const char *name, int64_t seconds) {
	return add_integer(object, name, (uint64_t)seconds * 1000);
}

/* Appends the object's text when `ok`, and drops the object. */
static bool append_object(struct bytes *out, struct json_object *object, bool ok) {
	size_t length = 0;
	const char *text = NULL;
	if (ok) {
		text = json_object_to_json_string_length(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	}
	ok = text != NULL && bytes_append(out, text, length);
	json_object_put(object);
	return ok;
}

static struct json_object *new_result(uint32_t id, bool *ok) {
	struct json_object *object = json_object_new_object();
	*ok = add_string(object, "type", "result") && add_integer(object, "id", id);
	return object;
}

static const char *codec_name(enum packet_codec codec) {
	return codec == PACKET_CODEC_VP8 ? "vp8" : "vp9";
}

static bool add_supports(struct json_object *object, const struct protocol_hello_result *result) {
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
	struct json_object *list = json_object_new_array();
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < sizeof(features) / sizeof(features[0]); i++) {
		ok = !features[i].has ||
		     json_object_array_add(list, json_object_new_string(features[i].name)) == 0;
	}
	if (!ok) {
		json_object_put(list);
		return false;
	}
	return add(object, "supports", list);
}

bool protocol_write_hello_result(
	struct bytes *out, uint32_t id, const struct protocol_hello_result *result) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_integer(object, "protocol", PROTOCOL_VERSION) &&
	     add_string(object, "version", PORTLIGHT_VERSION) && add_supports(object, result) &&
	     add_integer(object, "portal", result->portal) &&
	     (result->portal_code == ERROR_NONE ||
		     add_string(object, "portalCode", error_code_string(result->portal_code))) &&
	     add_bool(object, "pipewire", result->pipewire);
	return append_object(out, object, ok);
}

const char *protocol_surface_name(enum protocol_surface surface) {
	static const char *const names[PROTOCOL_SURFACE_COUNT] = {
		[PROTOCOL_SURFACE_UNKNOWN] = "unknown",
		[PROTOCOL_SURFACE_MONITOR] = "monitor",
		[PROTOCOL_SURFACE_WINDOW] = "window",
		[PROTOCOL_SURFACE_VIRTUAL] = "virtual",
	};
	return names[surface];
}

static bool add_stream(struct json_object *object, const struct protocol_stream *stream) {
	return add_integer(object, "share", stream->share) &&
	       add_string(object, "surface", protocol_surface_name(stream->surface)) &&
	       add_integer(object, "width", stream->width) &&
	       add_integer(object, "height", stream->height);
}

static bool add_streams(struct json_object *object, const struct protocol_share_result *result) {
	struct json_object *streams = json_object_new_array();
	bool ok = streams != NULL;
	for (size_t i = 0; ok && i < result->stream_count; i++) {
		struct json_object *stream = json_object_new_object();
		ok = add_stream(stream, &result->streams[i]) &&
		     json_object_array_add(streams, stream) == 0;
		if (!ok) {
			json_object_put(stream);
		}
	}
	return add(object, "streams", streams) && ok;
}

bool protocol_write_share_result(
	struct bytes *out, uint32_t id, const struct protocol_share_result *result) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	const struct protocol_stream first = {
		result->share, result->surface, result->width, result->height};
	ok = ok && add_stream(object, &first) && add_bool(object, "restored", result->restored) &&
	     add_bool(object, "remembered", result->remembered) &&
	     (result->streams == NULL || add_streams(object, result));
	return append_object(out, object, ok);
}

bool protocol_write_open_result(struct bytes *out, uint32_t id, const struct packet_ready *ready) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_string(object, "codec", codec_name(ready->codec)) &&
	     add_integer(object, "width", ready->width) &&
	     add_integer(object, "height", ready->height) &&
	     add_integer(object, "fullWidth", ready->full_width) &&
	     add_integer(object, "fullHeight", ready->full_height) &&
	     add_string(object, "chroma", ready->chroma == PACKET_CHROMA_444 ? "444" : "420");
	return append_object(out, object, ok);
}

bool protocol_write_stats_result(
	struct bytes *out, uint32_t id, const struct protocol_stats_result *result) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	ok = ok && add_integer(object, "cpuMs", result->cpu_ms) &&
	     add_integer(object, "rssKiB", result->rss_kib) &&
	     add_integer(object, "frames", result->frames) &&
	     add_integer(object, "bytes", result->bytes) &&
	     add_string(object, "codec", codec_name(result->codec));
	return append_object(out, object, ok);
}

bool protocol_write_stop_result(struct bytes *out, uint32_t id) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	return append_object(out, object, ok);
}

static struct json_object *new_grant(const struct grant *grant) {
	struct json_object *object = json_object_new_object();
	if (add_string(object, "origin", grant->origin) &&
		add_string(object, "surface", protocol_surface_name(grant->surface)) &&
		add_time(object, "since", grant->since) &&
		add_time(object, "lastUsed", grant->last_used)) {
		return object;
	}
	json_object_put(object);
	return NULL;
}

static struct json_object *new_grants(const struct grant_list *list, bool *ok) {
	struct json_object *grants = json_object_new_array();
	*ok = grants != NULL;
	for (size_t i = 0; *ok && i < list->count; i++) {
		struct json_object *grant = new_grant(&list->grants[i]);
		*ok = grant != NULL && json_object_array_add(grants, grant) == 0;
	}
	return grants;
}

bool protocol_write_grants_result(struct bytes *out, uint32_t id, const struct grant_list *list) {
	bool ok = false;
	struct json_object *grants = new_grants(list, &ok);
	bool begun = false;
	struct json_object *object = new_result(id, &begun);
	ok = add(object, "grants", grants) && begun && ok;
	return append_object(out, object, ok);
}

bool protocol_write_grants(struct bytes *out, const struct grant_list *list) {
	bool ok = false;
	struct json_object *grants = new_grants(list, &ok);
	return append_object(out, grants, ok);
}

bool protocol_write_revoke_result(struct bytes *out, uint32_t id, bool revoked) {
	bool ok = false;
	struct json_object *object = new_result(id, &ok);
	return append_object(out, object, ok && add_bool(object, "revoked", revoked));
}

static bool add_error(struct json_object *object, enum error_code code, const char *detail) {
	bool ok = add_string(object, "code", error_code_string(code)) &&
		  add_string(object, "message", error_message(code)) &&
		  add_string(object, "remedy", error_remedy(code));
	if (ok && detail != NULL && detail[0] != '\0') {
		char clean[PACKET_DETAIL_MAX + 1];
		(void)snprintf(clean, sizeof(clean), "%s", detail);
		text_clean(clean);
		ok = add_string(object, "detail", clean);
	}
	return ok;
}

bool protocol_write_error(
	struct bytes *out, uint32_t id, enum error_code code, const char *detail) {
	struct json_object *object = json_object_new_object();
	bool ok = add_string(object, "type", "error");
	if (ok && id == 0) {
		ok = json_object_object_add(object, "id", NULL) == 0;
	} else {
		ok = ok && add_integer(object, "id", id);
	}
	return append_object(out, object, ok && add_error(object, code, detail));
}

bool protocol_write_ended(
	struct bytes *out, uint32_t share, enum error_code code, const char *detail) {
	struct json_object *object = json_object_new_object();
	bool ok = add_string(object, "type", "ended") && add_integer(object, "share", share) &&
		  add_error(object, code, detail);
	return append_object(out, object, ok);
}

/* Appends the head, the base64 of `payload`, and the end of the message. Written by hand: this runs
 * for every fragment, and the payload is not to be copied. */
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
