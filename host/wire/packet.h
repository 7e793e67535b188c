/*
 * The packets between portlight-host (or portlight record) and portlight-capture, each one message
 * of a SOCK_SEQPACKET pair: bytes <-> structs, no I/O. docs/PROTOCOL.md has the layouts.
 * PACKET_VERSION in OPEN catches a mixed installation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/errors.h"

#define PACKET_VERSION 4
/* Encoded payload in one FRAME packet, and so in one native message: see "fragments" in
 * docs/PROTOCOL.md. */
#define PACKET_PAYLOAD_MAX (64u * 1024u)
/* No encoder of ours makes a larger frame: 128 fragments, 8 MiB. */
#define PACKET_PARTS_MAX 128u
#define PACKET_DETAIL_MAX 512u
#define PACKET_SIDE_MAX 16384u
#define PACKET_FPS_MAX 240u
#define PACKET_KBPS_MIN 100u
#define PACKET_KBPS_MAX 200000u
#define PACKET_CREDIT_MAX 16u
/* A cursor's bitmap: 128 * 128 pixels of four bytes are one full payload. */
#define PACKET_CURSOR_SIDE_MAX 128u
/* The largest packet there is: a FRAME with a full payload. */
#define PACKET_SIZE_MAX (PACKET_PAYLOAD_MAX + 64u)

enum packet_type {
	/* host -> helper */
	PACKET_OPEN = 1, /* first and once; carries the PipeWire remote's fd as SCM_RIGHTS */
	PACKET_CREDIT = 2,
	PACKET_KEYFRAME = 3,
	PACKET_SET = 4,
	/* helper -> host */
	PACKET_READY = 16, /* the first picture's format is known; before any FRAME */
	PACKET_FRAME = 17,
	PACKET_ENDED = 18, /* last; the helper exits after it */
	PACKET_CURSOR = 19,
};

enum packet_codec {
	PACKET_CODEC_VP8 = 1,
	PACKET_CODEC_VP9 = 2,
	PACKET_CODEC_AUTO = 3, /* in OPEN: either, and it may change with any keyframe */
};

/* What the encoder is best at. */
enum packet_fidelity {
	PACKET_FIDELITY_MOTION = 0, /* 4:2:0 */
	PACKET_FIDELITY_TEXT = 1,   /* 4:4:4; only with VP9 */
};

/* What the helper does with a cursor that comes as metadata. */
enum packet_cursor_mode {
	PACKET_CURSOR_AS_IS = 0, /* nothing */
	PACKET_CURSOR_BLEND = 1, /* draws it into the picture */
	PACKET_CURSOR_SEND = 2,  /* sends it in CURSOR */
};

enum packet_chroma { PACKET_CHROMA_420 = 0, PACKET_CHROMA_444 = 1 };

/* A part of the upright source picture, in its pixels. Sides are 2 to PACKET_SIDE_MAX, the corner
 * is at 0 to PACKET_SIDE_MAX. All 0: the whole picture. */
struct packet_region {
	uint32_t x;
	uint32_t y;
	uint32_t width;
	uint32_t height;
};

struct packet_open {
	uint32_t node_id; /* PipeWire node, from the portal's Start */
	enum packet_codec codec;
	uint16_t max_fps;  /* 1 to PACKET_FPS_MAX */
	uint32_t max_kbps; /* PACKET_KBPS_MIN to PACKET_KBPS_MAX */
	uint16_t credit;   /* frames that may be sent at once, 0 to PACKET_CREDIT_MAX */
	/* The picture is scaled down to fit, with its aspect ratio and even sides; never up. 0: no
	 * bound; else 2 to PACKET_SIDE_MAX. */
	uint32_t max_width;
	uint32_t max_height;
	enum packet_fidelity fidelity;
	enum packet_cursor_mode cursor;
	struct packet_region region;
};

/* Replaces what OPEN, or an earlier SET, said; the bounds are the same. */
struct packet_set {
	uint16_t max_fps;
	uint32_t max_kbps;
	uint32_t max_width;
	uint32_t max_height;
	struct packet_region region;
};

struct packet_credit {
	uint16_t frames; /* more frames that may be sent, 1 to PACKET_CREDIT_MAX */
};

struct packet_ready {
	enum packet_codec codec; /* of the first frame */
	uint32_t width;          /* of the encoded picture, 2 to PACKET_SIDE_MAX */
	uint32_t height;
	uint32_t full_width; /* before it was scaled to fit, width to PACKET_SIDE_MAX */
	uint32_t full_height;
	enum packet_chroma chroma; /* 4:4:4 only with VP9 */
};

/* One fragment of an encoded frame. Fragments of a frame come in order and are never mixed with
 * another frame's. */
struct packet_frame {
	uint32_t sequence; /* counts frames from 0 */
	uint16_t part;     /* 0 to parts - 1 */
	uint16_t parts;    /* 1 to PACKET_PARTS_MAX */
	bool key;
	enum packet_codec codec; /* changes with a keyframe only */
	uint32_t width;          /* of this frame */
	uint32_t height;
	int64_t pts_us; /* CLOCK_MONOTONIC when the picture left the compositor, 0 to 2^53 - 1 */
	const uint8_t *payload;  /* lent */
	uint32_t payload_length; /* 1 to PACKET_PAYLOAD_MAX */
};

struct packet_ended {
	enum error_code code;
	char detail[PACKET_DETAIL_MAX + 1]; /* UTF-8 for the error's `detail`; may be empty */
};

/* The cursor moved, changed, came or went. Only with PACKET_CURSOR_SEND. */
struct packet_cursor {
	bool visible;
	int32_t x; /* of the hotspot in the encoded picture, or up to PACKET_SIDE_MAX outside */
	int32_t y;
	/* The new bitmap, each side 1 to PACKET_CURSOR_SIDE_MAX; all 0: it has not changed. */
	uint16_t width;
	uint16_t height;
	uint16_t hot_x; /* of the hotspot in the bitmap, 0 to width */
	uint16_t hot_y;
	const uint8_t *rgba; /* lent; width * height * 4 bytes, alpha not multiplied in */
};

struct packet {
	enum packet_type type;
	union {
		struct packet_open open;
		struct packet_credit credit;
		struct packet_ready ready;
		struct packet_frame frame;
		struct packet_ended ended;
		struct packet_set set;
		struct packet_cursor cursor;
	};
};

/* Reads one packet. False when it is truncated, too long, of an unknown type or version, or a field
 * is out of bounds. A FRAME's payload and a CURSOR's bitmap point into `data`. */
bool packet_parse(const void *data, size_t length, struct packet *packet);

/* Bytes of a CURSOR's bitmap; 0: it has none. */
static inline size_t packet_cursor_length(const struct packet_cursor *cursor) {
	return (size_t)cursor->width * cursor->height * 4;
}

/*
 * Writes a packet to `out` (PACKET_SIZE_MAX bytes) and returns its length. Asserts that its fields
 * are within their bounds. Of a FRAME and a CURSOR it writes only the header: send the payload or
 * bitmap as a second part of the message.
 */
size_t packet_write(const struct packet *packet, uint8_t *out);
