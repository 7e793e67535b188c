#include "rooms/state/journal.h"

#include <glib.h>
#include <stdarg.h>
#include <unistd.h>

#include "rooms/wire/wire.h"

void journal(const char *level, const char *event, ...) {
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
	struct wire_writer writer;
	wire_begin_object(&writer);
	wire_string(&writer, "time", time);
	wire_string(&writer, "level", level);
	wire_string(&writer, "event", event);
	va_list pairs;
	va_start(pairs, event);
	const char *key = NULL;
	while ((key = va_arg(pairs, const char *)) != NULL) {
		wire_string(&writer, key, va_arg(pairs, const char *));
	}
	va_end(pairs);
	struct shared_text *text = wire_end(&writer);
	g_autofree char *line = g_strdup_printf("%s\n", text->bytes);
	/* One write, so that lines don't mix. */
	(void)!write(STDERR_FILENO, line, text->length + 1);
	shared_text_drop(text);
}
