#include "tool/arguments.h"

#include "tool/say.h"

int arguments_wrong(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *help = g_strdup_printf("See %s --help.", g_get_prgname());
	say_problem(help, "%s", message);
	return EXIT_USAGE;
}

bool arguments_parse(const char *description, const GOptionEntry *entries, int argc, char **argv) {
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, description);
	g_option_context_add_main_entries(context, entries, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		(void)arguments_wrong("%s", error->message);
		return false;
	}
	if (argc > 1) {
		(void)arguments_wrong("This command takes only options.");
		return false;
	}
	return true;
}
