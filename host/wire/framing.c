#include "wire/framing.h"

#include <assert.h>
#include <string.h>

void framing_finish(struct framing *framing) {
	bytes_finish(&framing->buffer);
	*framing = (struct framing){0};
}

bool framing_feed(struct framing *framing, const void *data, size_t length) {
	bytes_consume(&framing->buffer, framing->offset);
	framing->offset = 0;
	return bytes_append(&framing->buffer, data, length);
}

enum framing_status framing_next(
	struct framing *framing, const uint8_t **message, size_t *length, enum error_code *error) {
	size_t left = framing->buffer.length - framing->offset;
	if (left < FRAMING_HEAD_SIZE) {
		return FRAMING_MORE;
	}
	const uint8_t *head = framing->buffer.data + framing->offset;
	uint32_t claimed = 0;
	memcpy(&claimed, head, sizeof(claimed));
	if (claimed == 0 || claimed > FRAMING_MESSAGE_MAX) {
		*error = claimed == 0 ? ERROR_BAD_FRAME : ERROR_MESSAGE_TOO_LARGE;
		return FRAMING_BROKEN;
	}
	if (left - FRAMING_HEAD_SIZE < claimed) {
		return FRAMING_MORE;
	}
	*message = head + FRAMING_HEAD_SIZE;
	*length = claimed;
	framing->offset += FRAMING_HEAD_SIZE + (size_t)claimed;
	return FRAMING_MESSAGE;
}

enum error_code framing_end(const struct framing *framing) {
	return framing->buffer.length > framing->offset ? ERROR_BAD_FRAME : ERROR_NONE;
}

bool framing_begin_message(struct bytes *out, size_t *start) {
	static const uint8_t no_length[FRAMING_HEAD_SIZE];
	*start = out->length;
	return bytes_append(out, no_length, sizeof(no_length));
}

void framing_finish_message(struct bytes *out, size_t start) {
	size_t length = out->length - start - FRAMING_HEAD_SIZE;
	assert(length > 0 && length <= FRAMING_MESSAGE_MAX);
	uint32_t head = (uint32_t)length;
	memcpy(out->data + start, &head, sizeof(head));
}
