/*
 * What PipeWire's errors mean for a share: a code of ours, and the text that goes with it. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wire/errors.h"

/* Why the connection, or something that every share needs of it, failed. `answered`: the remote has
 * shown before that it is PipeWire. */
enum error_code reason_connection(bool answered);

/* PipeWire's own words where there are any, else what the system calls `result`, a negative errno.
 * Lent until the next call. */
const char *reason_text(int result, const char *message);

/*
 * Why a stream that reports `error` ended; NULL: it gives no reason. Streams tell no number, so the
 * words decide. `offered` are the formats of the source in words. Writes the text to `detail`
 * (`size` bytes, a C string), cut where it is too long.
 */
enum error_code reason_stream(const char *error, const char *offered, char *detail, size_t size);
