#include "rooms/net/net_frames.h"

#include <glib.h>
#include <string.h>

enum { CONTINUATION, TEXT, BINARY, CLOSE = 8, PING, PONG };

#define FINAL 0x80u
#define MASKED 0x80u
#define LENGTH16 126u
#define LENGTH64 127u
#define MASK_BYTES 4u
#define CODE_BYTES 2u
#define GOING_AWAY 1001u
/* Codes of WebSockets' close frames (RFC 6455, 7.4.1). */
#define PROTOCOL_ERROR 1002u
#define POLICY_VIOLATION 1008u
#define TOO_BIG 1009u

static const struct net_fault unmasked = {
	NET_DROP_UNMASKED, PROTOCOL_ERROR, "frames of clients are masked"};
static const struct net_fault reserved = {
	NET_DROP_FRAME, PROTOCOL_ERROR, "no extension was agreed on"};
static const struct net_fault opcode = {NET_DROP_FRAME, PROTOCOL_ERROR, "no such kind of frame"};
static const struct net_fault order = {
	NET_DROP_FRAME, PROTOCOL_ERROR, "this frame can't come after the one before"};
static const struct net_fault control = {
	NET_DROP_FRAME, PROTOCOL_ERROR, "control frames are whole and short"};
static const struct net_fault close_code = {
	NET_DROP_CLOSE_CODE, PROTOCOL_ERROR, "no such close code"};
static const struct net_fault flood = {
	NET_DROP_CONTROLS, POLICY_VIOLATION, "too many pings and pongs"};
static const struct net_fault size = {
	NET_DROP_MESSAGE_SIZE, TOO_BIG, "a message has at most 65536 bytes"};

/* Of the length's own bytes. */
static size_t length_bytes(const uint8_t *head) {
	unsigned length = head[1] & ~MASKED;
	return length == LENGTH64 ? 8 : length == LENGTH16 ? 2 : 0;
}

static uint64_t payload_of(const uint8_t *head) {
	size_t bytes = length_bytes(head);
	uint64_t length = bytes == 0 ? head[1] & ~MASKED : 0;
	for (size_t i = 0; i < bytes; i++) {
		length = length << 8 | head[2 + i];
	}
	return length;
}

static bool is_control(const uint8_t *head) {
	return (head[0] & 8u) != 0;
}

/* What of a frame is kept: what is to know of it. */
static size_t head_bytes(const struct net_frames *frames) {
	if (frames->have < 2) {
		return 2;
	}
	bool coded =
		(frames->head[0] & 0x0fu) == CLOSE && (frames->head[1] & ~MASKED) >= CODE_BYTES;
	return 2 + length_bytes(frames->head) + (coded ? MASK_BYTES + CODE_BYTES : 0);
}

static const struct net_fault *check_start(struct net_frames *frames) {
	unsigned kind = frames->head[0] & 0x0fu;
	bool final = (frames->head[0] & FINAL) != 0;
	unsigned length = frames->head[1] & ~MASKED;
	if ((frames->head[1] & MASKED) == 0) {
		return &unmasked;
	}
	if ((frames->head[0] & 0x70u) != 0) {
		return &reserved;
	}
	if (kind > PONG || (kind > BINARY && kind < CLOSE)) {
		return &opcode;
	}
	if (is_control(frames->head)) {
		if (!final || length >= LENGTH16 || (kind == CLOSE && length == 1)) {
			return &control;
		}
		return kind != CLOSE && ++frames->controls > NET_CONTROLS_MAX ? &flood : NULL;
	}
	if ((kind == CONTINUATION) != frames->message) {
		return &order;
	}
	frames->message = !final;
	return NULL;
}

/* The rest of what is kept has come. */
static const struct net_fault *check_whole(struct net_frames *frames) {
	const uint8_t *head = frames->head;
	if (!is_control(head)) {
		return payload_of(head) > NET_MESSAGE_MAX ? &size : NULL;
	}
	if (frames->have == 2) {
		return NULL;
	}
	const uint8_t *mask = head + 2;
	const uint8_t *text = mask + MASK_BYTES;
	unsigned code = (unsigned)(text[0] ^ mask[0]) << 8 | (unsigned)(text[1] ^ mask[1]);
	bool known =
		(code >= 1000 && code <= 1011 && code != 1004 && code != 1005 && code != 1006) ||
		(code >= 3000 && code <= 4999);
	frames->away = code == GOING_AWAY;
	return known ? NULL : &close_code;
}

size_t net_frames_follow(struct net_frames *frames, const uint8_t *bytes, size_t length,
	const struct net_fault **fault) {
	size_t at = 0;
	size_t good = 0;
	*fault = NULL;
	while (at < length) {
		if (frames->left > 0) {
			size_t skipped = MIN(frames->left, length - at);
			frames->left -= skipped;
			at += skipped;
			continue;
		}
		if (frames->have == 0) {
			good = at;
		}
		frames->head[frames->have++] = bytes[at++];
		if (frames->have == 2) {
			*fault = check_start(frames);
		}
		bool whole = frames->have >= head_bytes(frames);
		if (*fault == NULL && whole) {
			*fault = check_whole(frames);
		}
		if (*fault != NULL) {
			return good;
		}
		if (whole) {
			size_t kept = frames->have - 2 - length_bytes(frames->head);
			frames->left = payload_of(frames->head) + MASK_BYTES - kept;
			frames->have = 0;
		}
	}
	return length;
}
