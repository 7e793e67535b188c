#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/grants.h"
#include "control/grants_file.h"
#include "tool/arguments.h"
#include "tool/say.h"
#include "wire/protocol.h"

static const char description[] =
	"Lists the sites that may share the same screen or window again without the desktop's "
	"dialog,\n"
	"or revokes that. A live share goes on until it is stopped.\n"
	"\n"
	"Examples:\n"
	"  portlight grants\n"
	"  portlight grants --json\n"
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
static int revoke_grants(const char *origin) {
	g_autofree char *detail = NULL;
	size_t revoked = 0;
	enum error_code code = grants_file_revoke(origin, &revoked, &detail);
	if (code != ERROR_NONE) {
		say_error(code, detail);
		return EXIT_FILE;
	}
	if (origin == NULL) {
		(void)printf("Revoked: %zu\n", revoked);
	} else if (revoked == 0) {
		say_problem("portlight grants lists them.", "%s has no grant.", origin);
		return EXIT_PROBLEM;
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

static int revoke_named(char **origins, bool all) {
	if (all != (*origins == NULL)) {
		return arguments_wrong("Name the origins to revoke, or --all.");
	}
	for (char **origin = origins; *origin != NULL; origin++) {
		if (!tidy_origin(*origin)) {
			return arguments_wrong(
				"An origin is written like https://meet.example.org.");
		}
	}
	int status = all ? revoke_grants(NULL) : EXIT_DONE;
	for (char **origin = origins; *origin != NULL; origin++) {
		int one = revoke_grants(*origin);
		status = MAX(status, one);
	}
	return status;
}

int command_grants(int argc, char **argv) {
	gboolean all = FALSE;
	gboolean json = FALSE;
	g_auto(GStrv) operands = NULL;
	const GOptionEntry entries[] = {
		{"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Revoke every grant", NULL},
		{"json", 'j', 0, G_OPTION_ARG_NONE, &json, "List the grants as JSON", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &operands, NULL,
			"[revoke ORIGIN…]"},
		{0},
	};
	if (!arguments_parse(description, entries, argc, argv)) {
		return EXIT_USAGE;
	}
	if (operands == NULL && !all) {
		return list_grants(json);
	}
	if (json) {
		return arguments_wrong("--json only lists grants.");
	}
	if (operands == NULL || strcmp(operands[0], "revoke") != 0) {
		return arguments_wrong("Grants can only be listed or revoked.");
	}
	return revoke_named(operands + 1, all);
}
