/*
 * Any byte stream, fed in pieces whose sizes the stream itself gives: framing never lends a byte
 * that was not fed, gives the same messages however the stream was cut, and stays broken once it
 * is.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/framing.h"

/* Reads all messages of the stream, fed in pieces of `piece` bytes; returns how many, and a sum
 * over their bytes. */
static size_t read_all(const uint8_t *data, size_t size, size_t piece, uint64_t *sum) {
	struct framing framing = {0};
	size_t count = 0;
	*sum = 0;
	enum framing_status status = FRAMING_MORE;
	for (size_t at = 0; at < size && status != FRAMING_BROKEN; at += piece) {
		size_t length = size - at < piece ? size - at : piece;
		if (!framing_feed(&framing, data + at, length)) {
			abort();
		}
		const uint8_t *message = NULL;
		size_t message_length = 0;
		enum error_code error = ERROR_NONE;
		while ((status = framing_next(&framing, &message, &message_length, &error)) ==
			FRAMING_MESSAGE) {
			count++;
			for (size_t i = 0; i < message_length; i++) {
				*sum = *sum * 31 + message[i];
			}
		}
		if (status == FRAMING_BROKEN) {
			if (error == ERROR_NONE || framing_next(&framing, &message, &message_length,
							   &error) != FRAMING_BROKEN) {
				abort();
			}
		}
	}
	framing_finish(&framing);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 1) {
		return 0;
	}
	uint64_t whole_sum = 0;
	uint64_t cut_sum = 0;
	size_t whole = read_all(data + 1, size - 1, size, &whole_sum);
	size_t cut = read_all(data + 1, size - 1, (size_t)data[0] + 1, &cut_sum);
	if (whole != cut || whole_sum != cut_sum) {
		abort();
	}
	return 0;
}
