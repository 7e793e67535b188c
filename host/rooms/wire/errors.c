#include "rooms/wire/errors.h"

static const struct {
	const char *code;
	const char *message;
	const char *remedy;
} catalogue[] = {
#define ERROR(name, code, message, remedy) {code, message, remedy},
#include "rooms/wire/errors.def"
#undef ERROR
};

static enum rooms_error known(enum rooms_error error) {
	return (unsigned)error < ROOMS_ERROR_COUNT ? error : ROOMS_ERROR_BAD_MESSAGE;
}

const char *rooms_error_code(enum rooms_error error) {
	return catalogue[known(error)].code;
}

const char *rooms_error_message(enum rooms_error error) {
	return catalogue[known(error)].message;
}

const char *rooms_error_remedy(enum rooms_error error) {
	return catalogue[known(error)].remedy;
}
