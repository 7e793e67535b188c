/* The native messages of docs/PROTOCOL.md: JSON <-> structs, no I/O. What was parsed is within its
 * bounds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/errors.h"
#include "wire/origin.h"
#include "wire/packet.h"

#define PROTOCOL_VERSION 1
#define PROTOCOL_DEPTH_MAX 16
#define PROTOCOL_ID_MAX INT32_MAX
#define PROTOCOL_PENDING_MAX 16u
/* In protocol_configure: unchanged. */
#define PROTOCOL_KEEP UINT32_MAX

enum protocol_type {
	PROTOCOL_HELLO,
	PROTOCOL_SHARE,
	PROTOCOL_OPEN,
	PROTOCOL_CREDIT,
	PROTOCOL_CONFIGURE,
	PROTOCOL_KEYFRAME,
	PROTOCOL_STATS,
	PROTOCOL_CANCEL,
	PROTOCOL_STOP,
	PROTOCOL_GRANTS,
	PROTOCOL_REVOKE,
};

enum protocol_cursor {
	PROTOCOL_CURSOR_EMBEDDED, /* in the picture */
	PROTOCOL_CURSOR_HIDDEN,
	PROTOCOL_CURSOR_METADATA, /* `open` says what the helper does with it */
};

struct protocol_share {
	bool monitor; /* at least one of the two */
	bool window;
	enum protocol_cursor cursor;
	bool multiple;               /* the user may choose several */
	bool remember;               /* keep the grant for this origin, and use the one kept */
	char origin[ORIGIN_MAX + 1]; /* "": the message names none */
};

/* New values for what `open` said, or PROTOCOL_KEEP; not all of them. */
struct protocol_configure {
	uint32_t max_fps;
	uint32_t max_kbps;
	uint32_t max_width; /* 0: no bound */
	uint32_t max_height;
	bool region_keeps; /* unchanged */
	struct packet_region region;
};

/* One message from the extension. */
struct protocol_message {
	enum protocol_type type;
	uint32_t id;    /* of a request, 1 to PROTOCOL_ID_MAX; else 0 */
	uint32_t share; /* that the message is about, 1 to PROTOCOL_ID_MAX; else 0 */
	union {
		uint32_t hello_protocol; /* 1 to 1000 */
		struct protocol_share wish;
		struct packet_open open; /* without a node; AS_IS: says nothing of the cursor */
		uint16_t credit;         /* frames */
		struct protocol_configure configure;
		uint32_t cancel_request;
		char revoke_origin[ORIGIN_MAX + 1];
	};
};

/* Why a message was refused. */
struct protocol_error {
	enum error_code code;
	uint32_t id;      /* the message's; 0: it has none */
	char detail[192]; /* UTF-8, such as "open.maxFps: must be 1 to 240"; may be empty */
};

/* Reads one message. False when it is invalid; *error then says why. */
bool protocol_parse(const void *text, size_t length, struct protocol_message *message,
	struct protocol_error *error);

/* A request is answered by `result` or `error`. */
bool protocol_is_request(enum protocol_type type);

/* The writers append one message's JSON to `out`. False when memory ran out for it; `out` then is
 * as before. A `detail` may be NULL; text_clean() is applied to it. */

struct protocol_hello_result {
	uint32_t portal;             /* version of the ScreenCast portal; 0: none */
	enum error_code portal_code; /* why there is none */
	bool pipewire;               /* it runs */
	bool wayland;                /* of this kind is the session */
	bool monitor;
	bool window;
	bool cursor_hidden;
	bool cursor_embedded;
	bool cursor_metadata;
};

enum protocol_surface {
	PROTOCOL_SURFACE_UNKNOWN,
	PROTOCOL_SURFACE_MONITOR,
	PROTOCOL_SURFACE_WINDOW,
	PROTOCOL_SURFACE_COUNT
};

const char *protocol_surface_name(enum protocol_surface surface);

struct protocol_stream {
	uint32_t share;
	enum protocol_surface surface;
	uint32_t width; /* 0: unknown */
	uint32_t height;
};

struct protocol_share_result {
	const struct protocol_stream *streams; /* lent; the first is the share itself */
	size_t stream_count;
	bool multiple;   /* all streams are listed */
	bool restored;   /* a kept grant was handed to the portal */
	bool remembered; /* a grant is kept for the next time */
};

/* What a share's helper has cost and delivered so far. */
struct protocol_stats_result {
	uint64_t cpu_ms;
	uint64_t rss_kib; /* what it has in memory now */
	uint64_t frames;
	uint64_t bytes;          /* of encoded frames */
	enum packet_codec codec; /* of the last of them */
};

bool protocol_write_hello_result(
	struct bytes *out, uint32_t id, const struct protocol_hello_result *result);
bool protocol_write_share_result(
	struct bytes *out, uint32_t id, const struct protocol_share_result *result);
bool protocol_write_open_result(struct bytes *out, uint32_t id, const struct packet_ready *ready);
bool protocol_write_stats_result(
	struct bytes *out, uint32_t id, const struct protocol_stats_result *result);
bool protocol_write_stop_result(struct bytes *out, uint32_t id);
struct grant_list;
/* The kept grants, without their tokens. */
bool protocol_write_grants_result(struct bytes *out, uint32_t id, const struct grant_list *list);
/* The list alone, for `portlight grants --json`. */
bool protocol_write_grants(struct bytes *out, const struct grant_list *list);
/* `revoked`: there was one to revoke. */
bool protocol_write_revoke_result(struct bytes *out, uint32_t id, bool revoked);
/* `id` 0 is written as null. */
bool protocol_write_error(struct bytes *out, uint32_t id, enum error_code code, const char *detail);
bool protocol_write_ended(
	struct bytes *out, uint32_t share, enum error_code code, const char *detail);
/* One fragment; its payload goes into `out` as base64 without another copy. */
bool protocol_write_frame(struct bytes *out, uint32_t share, const struct packet_frame *frame);
/* The cursor's place, and its bitmap when it has one. */
bool protocol_write_cursor(struct bytes *out, uint32_t share, const struct packet_cursor *cursor);
