#include "wire/errors.h"

struct error_entry {
	const char *code;
	const char *message;
	const char *remedy;
};

static const struct error_entry entries[ERROR_COUNT] = {
#define ERROR(name, code, dom_name, message, remedy) [ERROR_##name] = {code, message, remedy},
#include "wire/errors.def"
#undef ERROR
};

static const struct error_entry *find_entry(enum error_code code) {
	return &entries[(unsigned)code < ERROR_COUNT ? code : ERROR_BAD_PACKET];
}

const char *error_code_string(enum error_code code) {
	return find_entry(code)->code;
}

const char *error_message(enum error_code code) {
	return find_entry(code)->message;
}

const char *error_remedy(enum error_code code) {
	return find_entry(code)->remedy;
}
