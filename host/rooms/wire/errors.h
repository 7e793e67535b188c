/* The catalogue of errors (errors.def) that clients are told, and counted by in /metrics. */
#pragma once

enum rooms_error {
#define ERROR(name, code, message, remedy) ROOMS_ERROR_##name,
#include "rooms/wire/errors.def"
#undef ERROR
	ROOMS_ERROR_COUNT
};

/* Static strings; a value outside the catalogue reads as ROOMS_ERROR_BAD_MESSAGE. */
const char *rooms_error_code(enum rooms_error error);
const char *rooms_error_message(enum rooms_error error);
const char *rooms_error_remedy(enum rooms_error error);
