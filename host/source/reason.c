#include "source/reason.h"

#include <stdio.h>
#include <string.h>

enum error_code reason_stream(const char *error, const char *offered, char *detail, size_t size) {
	const char *text = error != NULL ? error : "unknown stream error";
	if (strstr(text, "format") != NULL) {
		snprintf(detail, size, "%s; offered: %s", text, offered);
		return ERROR_FORMAT_UNSUPPORTED;
	}
	snprintf(detail, size, "%s", text);
	return strstr(text, "target") != NULL ? ERROR_SOURCE_GONE : ERROR_PIPEWIRE_LOST;
}
