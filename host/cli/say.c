#include "cli/say.h"

#include <stdio.h>

#include "wire/text.h"

void say_problem(const char *message, const char *remedy) {
	char line[1024];
	(void)snprintf(line, sizeof(line), "%s", message);
	text_clean(line);
	(void)fprintf(stderr, "portlight: %s\n", line);
	if (remedy != NULL && remedy[0] != '\0') {
		(void)fprintf(stderr, "  %s\n", remedy);
	}
}

void say_error(enum error_code code, const char *detail) {
	char message[1024];
	if (detail != NULL && detail[0] != '\0') {
		(void)snprintf(message, sizeof(message), "%s (%s)", error_message(code), detail);
	} else {
		(void)snprintf(message, sizeof(message), "%s", error_message(code));
	}
	say_problem(message, error_remedy(code));
}

enum exit_status say_exit_status(enum error_code code) {
	switch (code) {
	case ERROR_NONE:
	case ERROR_STOPPED:
	case ERROR_SESSION_CLOSED:
	case ERROR_SOURCE_GONE:
		return EXIT_DONE;
	case ERROR_DENIED:
	case ERROR_CANCELLED:
		return EXIT_REFUSED;
	case ERROR_PORTAL_MISSING:
	case ERROR_PORTAL_UNSUPPORTED:
	case ERROR_PORTAL_ERROR:
	case ERROR_PORTAL_TIMEOUT:
	case ERROR_PORTAL_NO_STREAMS:
	case ERROR_BUS_LOST:
		return EXIT_DESKTOP;
	default:
		return EXIT_CAPTURE;
	}
}
