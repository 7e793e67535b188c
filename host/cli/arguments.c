#include "cli/arguments.h"

#include <string.h>

#include "cli/say.h"

bool arguments_parse(const char *operands, const char *description, const GOptionEntry *entries,
	int *argc, char ***argv) {
	g_autoptr(GOptionContext) context = g_option_context_new(operands);
	g_option_context_set_summary(context, description);
	g_option_context_add_main_entries(context, entries, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_option_context_parse(context, argc, argv, &error)) {
		g_autofree char *help = g_strdup_printf("See %s --help.", g_get_prgname());
		say_problem(help, "%s", error->message);
		return false;
	}
	if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
		memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof(**argv));
		(*argc)--;
	}
	return true;
}
