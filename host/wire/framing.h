/*
 * The browsers' native-message framing: a length (32 bits, native byte order), then that many
 * bytes. Pure: bytes in, messages out. Memory grows with the bytes that arrived, never with what a
 * length claims.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/errors.h"

#define FRAMING_MESSAGE_MAX (1024u * 1024u)
#define FRAMING_HEAD_SIZE 4u

/* Zero-initialise. */
struct framing {
	struct bytes buffer;
	size_t offset; /* of the next message in `buffer` */
};

void framing_finish(struct framing *framing);

/* Copies `length` bytes. False when memory ran out; nothing changes then. */
bool framing_feed(struct framing *framing, const void *data, size_t length);

enum framing_status {
	FRAMING_MESSAGE, /* *message and *length are lent until the next feed */
	FRAMING_MORE,    /* feed more */
	FRAMING_BROKEN,  /* for good; *error says why */
};

enum framing_status framing_next(
	struct framing *framing, const uint8_t **message, size_t *length, enum error_code *error);

/* After FRAMING_MORE, at the end of the input: ERROR_BAD_FRAME if it ended within a message. */
enum error_code framing_end(const struct framing *framing);

/* Reserves a message's length in `out`, where the message is appended next; false when memory ran
 * out. *start is for framing_finish_message(), which writes the length. */
bool framing_begin_message(struct bytes *out, size_t *start);
void framing_finish_message(struct bytes *out, size_t start);
