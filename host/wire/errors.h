/* The catalogue of errors (errors.def) that the programs and the extension share. */
#pragma once

enum error_code {
#define ERROR(name, code, dom_name, message, remedy) ERROR_##name,
#include "wire/errors.def"
#undef ERROR
	ERROR_COUNT
};

/* Static strings; a value outside the catalogue reads as ERROR_BAD_PACKET. */
const char *error_code_string(enum error_code code);
const char *error_message(enum error_code code);
const char *error_remedy(enum error_code code);
