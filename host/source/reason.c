#include "source/reason.h"

#include <stdio.h>
#include <string.h>

enum error_code reason_connection(bool answered) {
	return answered ? ERROR_PIPEWIRE_LOST : ERROR_PIPEWIRE_REFUSED;
}

const char *reason_text(int result, const char *message) {
	return message != NULL ? message : strerror(-result);
}

enum error_code reason_stream(const char *error, const char *offered, char *detail, size_t size) {
	const char *text = error != NULL ? error : "unknown stream error";
	if (strstr(text, "format") != NULL) {
		snprintf(detail, size, "%s; offered: %s", text, offered);
		return ERROR_FORMAT_UNSUPPORTED;
	}
	snprintf(detail, size, "%s", text);
	return strstr(text, "target") != NULL ? ERROR_SOURCE_GONE : ERROR_PIPEWIRE_LOST;
}
