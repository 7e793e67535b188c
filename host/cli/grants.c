#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/grants.h"
#include "control/grants_file.h"
#include "tool/arguments.h"
#include "tool/say.h"
#include "tool/suggest.h"
#include "wire/protocol.h"

static const char description[] =
	"Lists the sites that may share the same screen or window again without the desktop's "
	"dialog,\n"
	"or revokes that. A live share goes on until it is stopped.\n"
	"\n"
	"Examples:\n"
	"  portlight grants list\n"
	"  portlight grants list --json\n"
	"  portlight grants revoke https://meet.example.org\n"
	"  portlight grants revoke --all";

static const char *surface_word(enum protocol_surface surface) {
	return surface == PROTOCOL_SURFACE_MONITOR ? "screen" : protocol_surface_name(surface);
}

static char *format_time(int64_t seconds) {
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
	return time != NULL ? g_date_time_format(time, "%F %R") : g_strdup("?");
}

static void print_grant(const struct grant *grant) {
	g_autofree char *since = format_time(grant->since);
	g_autofree char *used = format_time(grant->last_used);
	(void)printf("%s  %s, since %s, last used %s\n", grant->origin,
		surface_word(grant->surface), since, used);
}

static int list_grants(bool json) {
	g_autofree struct grant_list *list = g_new0(struct grant_list, 1);
	g_autofree char *detail = NULL;
	enum error_code code = grants_file_read(list, &detail);
	if (code != ERROR_NONE) {
		say_error(code, detail);
		return EXIT_FILE;
	}
	if (json) {
		struct bytes text = {0};
		bool ok = protocol_write_grants(&text, list);
		if (ok) {
			(void)printf("%.*s\n", (int)text.length, (const char *)text.data);
		}
		bytes_finish(&text);
		if (!ok) {
			say_problem("Close other programs, and try again.",
				"There is no memory for the list as JSON.");
		}
		return ok ? EXIT_DONE : EXIT_FILE;
	}
	for (size_t i = 0; i < list->count; i++) {
		print_grant(&list->grants[i]);
	}
	if (list->count == 0) {
		(void)puts("No site may share without the desktop's dialog.");
	}
	return EXIT_DONE;
}

/* `origin`: NULL for all of them. */
static int revoke_grants(const char *origin, bool quiet) {
	g_autofree char *detail = NULL;
	size_t revoked = 0;
	enum error_code code = grants_file_revoke(origin, &revoked, &detail);
	if (code != ERROR_NONE) {
		say_error(code, detail);
		return EXIT_FILE;
	}
	if (origin != NULL && revoked == 0) {
		say_problem("portlight grants list shows them.", "%s has no grant.", origin);
		return EXIT_PROBLEM;
	}
	if (quiet) {
		return EXIT_DONE;
	}
	if (origin == NULL) {
		(void)printf("Revoked: %zu\n", revoked);
	} else {
		(void)printf("Revoked: %s\n", origin);
	}
	return EXIT_DONE;
}

/* Takes off the slash at the end of an origin that was copied from the address bar. */
static bool tidy_origin(char *origin) {
	size_t length = strlen(origin);
	if (length > 0 && origin[length - 1] == '/') {
		origin[--length] = '\0';
	}
	return origin_is_valid(origin, length);
}

static int revoke_named(char **origins, bool all, bool quiet) {
	if (all != (*origins == NULL)) {
		return arguments_wrong("Name the origins to revoke, or --all.");
	}
	for (char **origin = origins; *origin != NULL; origin++) {
		if (!tidy_origin(*origin)) {
			return arguments_wrong(
				"An origin is written like https://meet.example.org.");
		}
	}
	int status = all ? revoke_grants(NULL, quiet) : EXIT_DONE;
	for (char **origin = origins; *origin != NULL; origin++) {
		int one = revoke_grants(*origin, quiet);
		status = MAX(status, one);
	}
	return status;
}

/* `operands` may be NULL. */
static int act(char **operands, bool all, bool json, bool quiet) {
	static const char *const words[] = {"list", "revoke", NULL};
	const char *word = operands != NULL ? operands[0] : "list";
	if (strcmp(word, "revoke") == 0) {
		return json ? arguments_wrong("--json only lists grants.")
			    : revoke_named(operands + 1, all, quiet);
	}
	if (strcmp(word, "list") != 0) {
		const char *near = suggest(word, words);
		return arguments_wrong("Grants can only be listed or revoked.%s%s%s",
			near != NULL ? " Did you mean portlight grants " : "",
			near != NULL ? near : "", near != NULL ? "?" : "");
	}
	if (all || (operands != NULL && operands[1] != NULL)) {
		return arguments_wrong("portlight grants list takes only --json.");
	}
	return list_grants(json);
}

int command_grants(int argc, char **argv) {
	gboolean all = FALSE;
	gboolean json = FALSE;
	gboolean quiet = FALSE;
	g_auto(GStrv) operands = NULL;
	const GOptionEntry entries[] = {
		{"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Revoke every grant", NULL},
		{"json", 'j', 0, G_OPTION_ARG_NONE, &json, "List the grants as JSON", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Say only what is wrong", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &operands, NULL,
			"[list | revoke ORIGIN…]"},
		{0},
	};
	if (!arguments_parse(description, entries, argc, argv)) {
		return EXIT_USAGE;
	}
	return act(operands, all, json, quiet);
}
