/*
 * Why a PipeWire stream failed. Pure.
 */
#pragma once

#include <stddef.h>

#include "wire/errors.h"

/*
 * The code for a stream's `error` text, which may be NULL: PipeWire reports nothing else. Writes
 * `detail` (`size` bytes, a C string, truncated to fit); `offered` are the node's formats.
 */
enum error_code reason_stream(const char *error, const char *offered, char *detail, size_t size);
