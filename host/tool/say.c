#include "tool/say.h"

#include <glib.h>
#include <stdio.h>

#include "wire/text.h"

void say_problem(const char *remedy, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	text_clean(message);
	(void)fprintf(stderr, "portlight: %s\n", message);
	if (remedy != NULL && remedy[0] != '\0') {
		(void)fprintf(stderr, "  %s\n", remedy);
	}
}

void say_error(enum error_code code, const char *detail) {
	if (detail != NULL && detail[0] != '\0') {
		say_problem(error_remedy(code), "%s (%s)", error_message(code), detail);
	} else {
		say_problem(error_remedy(code), "%s", error_message(code));
	}
}

enum exit_status say_exit_status(enum error_code code) {
	switch (code) {
	case ERROR_NONE:
	case ERROR_STOPPED:
	case ERROR_SESSION_CLOSED:
	case ERROR_SOURCE_GONE:
		return EXIT_DONE;
	case ERROR_REGION_OUTSIDE:
		return EXIT_USAGE;
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
