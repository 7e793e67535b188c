#include "tool/arguments.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config.h"
#include "tool/say.h"
#include "tool/suggest.h"

static gboolean print_version(
	const char *option, const char *value, gpointer data, GError **error) {
	(void)printf("%s " PORTLIGHT_VERSION "\n", g_get_prgname());
	exit(EXIT_DONE);
}

/* Reaches the capture helper too, which inherits the environment. */
static gboolean log_more(const char *option, const char *value, gpointer data, GError **error) {
	static bool asked = false;
	(void)g_setenv("PORTLIGHT_LOG", asked ? "debug" : "info", TRUE);
	log_init("portlight", LOG_INFO);
	asked = true;
	return TRUE;
}

static const GOptionEntry common[] = {
	{"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, log_more,
		"Log what happens; twice for details", NULL},
	{"version", 'V', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, print_version,
		"Print the version", NULL},
	{0},
};

int arguments_wrong(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *help = g_strdup_printf("See %s --help.", g_get_prgname());
	say_problem(help, "%s", message);
	return EXIT_USAGE;
}

bool arguments_known(const char *what, char *const *words, const char *const *known) {
	for (; words != NULL && *words != NULL; words++) {
		if (!g_strv_contains(known, *words)) {
			const char *near = suggest(*words, known);
			g_autofree char *remedy =
				near != NULL
					? g_strdup_printf("Did you mean %s?", near)
					: g_strdup_printf("%s --help lists them.", g_get_prgname());
			say_problem(remedy, "Portlight does not know a %s \"%s\".", what, *words);
			return false;
		}
	}
	return true;
}

bool arguments_parse(const char *description, const GOptionEntry *entries, int argc, char **argv) {
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, description);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
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
