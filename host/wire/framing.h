/*
 * The browsers' native-message framing, towards the host: a length (32 bits, native byte order),
 * then that many bytes. Incremental and pure: bytes in, messages out. Memory grows with the bytes
 * that arrived, never with what a length claims.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/errors.h"

#define FRAMING_MESSAGE_MAX (1024u * 1024u)
#define FRAMING_HEAD_SIZE 4u

/* Zero-initialise, or framing_init(). */
struct framing {
	struct bytes buffer;
	size_t offset; /* of the next message in `buffer` */
};

void framing_init(struct framing *framing);
void framing_finish(struct framing *framing);

/* Takes a copy of `length` bytes. Views from framing_next() are void after it. False when memory
 * ran out; nothing changes then. */
bool framing_feed(struct framing *framing, const void *data, size_t length);

enum framing_status {
	FRAMING_MESSAGE, /* *message and *length are one message's bytes, lent until the next feed
			  */
	FRAMING_MORE,    /* feed more */
	FRAMING_BROKEN,  /* *error says how; nothing after it can be trusted, so it stays broken */
};

/* Next message, if it is complete. */
enum framing_status framing_next(
	struct framing *framing, const uint8_t **message, size_t *length, enum error_code *error);

/* At the end of the input: ERROR_BAD_FRAME when it ended within a message, else ERROR_NONE. Call
 * it once framing_next() gave FRAMING_MORE. */
enum error_code framing_end(const struct framing *framing);

/* Room for the length of a message that is about to be appended to `out`; returns false when memory
 * ran out. *start goes to framing_finish_message(), which writes the length. */
bool framing_begin_message(struct bytes *out, size_t *start);
void framing_finish_message(struct bytes *out, size_t start);
