#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "cli/arguments.h"
#include "cli/browsers.h"
#include "cli/command.h"
#include "cli/say.h"

struct selection {
	char **names; /* NULL: none named */
	gboolean all;
	gboolean user;
	char *host; /* install only */
};

static void selection_finish(struct selection *selection) {
	g_strfreev(selection->names);
	g_free(selection->host);
}

static bool parse(struct selection *selection, bool install, int *argc, char ***argv) {
	const GOptionEntry entries[] = {
		{"browser", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &selection->names,
			"Only this browser; may be given several times", "NAME"},
		{"all", 'a', 0, G_OPTION_ARG_NONE, &selection->all,
			"All browsers that Portlight knows, also those that never ran here", NULL},
		{"user", 0, 0, G_OPTION_ARG_NONE, &selection->user,
			"For this person alone (the default; the package does it for everybody)",
			NULL},
		{"host", 0, install ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME,
			&selection->host, "The portlight-host to be started", "PATH"},
		{0},
	};
	g_autoptr(GString) names = g_string_new(
		install ? "Tells your browsers where portlight-host is, by a file in each one's "
			  "folder.\n\nBrowsers:"
			: "Takes back what portlight install did.\n\nBrowsers:");
	for (size_t i = 0; i < browsers_count(); i++) {
		const char *name = browsers_get(i)->name;
		if (i == 0 || strcmp(browsers_get(i - 1)->name, name) != 0) {
			g_string_append_printf(names, " %s", name);
		}
	}
	if (!arguments_parse(NULL, names->str, entries, argc, argv)) {
		return false;
	}
	if (*argc > 1) {
		say_problem("This command takes options only.", "Name a browser with --browser.");
		return false;
	}
	for (char **name = selection->names; name != NULL && *name != NULL; name++) {
		if (browsers_find(*name) == NULL) {
			g_autofree char *message =
				g_strdup_printf("There is no browser \"%s\" in the list.", *name);
			say_problem(message, strstr(names->str, "Browsers:"));
			return false;
		}
	}
	return true;
}

/* Whether a row of a browser that was named is the one to write: those of the person's, else the
 * browser's first. */
static bool named_row(size_t index) {
	const struct browser *browser = browsers_get(index);
	bool first = index == 0 || strcmp(browsers_get(index - 1)->name, browser->name) != 0;
	bool other_present = false;
	for (size_t i = 0; i < browsers_count(); i++) {
		if (i != index && strcmp(browsers_get(i)->name, browser->name) == 0) {
			other_present = other_present || browsers_present(browsers_get(i));
		}
	}
	return browsers_present(browser) || (first && !other_present);
}

static bool selected(const struct selection *selection, size_t index) {
	if (selection->all) {
		return true;
	}
	if (selection->names == NULL) {
		return browsers_present(browsers_get(index));
	}
	return g_strv_contains((const char *const *)selection->names, browsers_get(index)->name) &&
	       named_row(index);
}

static bool write_manifest(const struct browser *browser, const char *host) {
	g_autofree char *path = browsers_user_path(browser);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *text = browsers_manifest(browser, host);
	g_autoptr(GError) error = NULL;
	if (text == NULL) {
		say_problem("The host's path is not valid UTF-8, which a manifest must be.",
			"Install Portlight in another folder.");
		return false;
	}
	if (g_mkdir_with_parents(folder, 0700) != 0) {
		g_autofree char *message =
			g_strdup_printf("%s can't be made: %s.", folder, g_strerror(errno));
		say_problem(message, "See who owns the folder above it.");
		return false;
	}
	if (!g_file_set_contents(path, text, -1, &error)) {
		say_problem(error->message, "See who owns the folder.");
		return false;
	}
	(void)printf("%s: %s\n", browser->name, path);
	return true;
}

/* The absolute path of the host to be started; NULL after telling why there is none. */
static char *find_host(const struct selection *selection) {
	char *host = selection->host != NULL ? g_canonicalize_filename(selection->host, NULL)
					     : program_find("portlight-host");
	if (host != NULL && g_file_test(host, G_FILE_TEST_IS_EXECUTABLE)) {
		return host;
	}
	g_free(host);
	say_problem("portlight-host is not there, or can't be run.",
		"Install Portlight completely, or name the program with --host.");
	return NULL;
}

int command_install(int argc, char **argv) {
	struct selection selection = {0};
	int status = EXIT_USAGE;
	size_t count = 0;
	char *host = NULL;
	if (!parse(&selection, true, &argc, &argv)) {
		goto out;
	}
	status = EXIT_PROBLEM;
	host = find_host(&selection);
	if (host == NULL) {
		goto out;
	}
	status = EXIT_DONE;
	for (size_t i = 0; i < browsers_count(); i++) {
		if (selected(&selection, i)) {
			count++;
			if (!write_manifest(browsers_get(i), host)) {
				status = EXIT_PROBLEM;
			}
		}
	}
	if (count == 0) {
		say_problem("None of the browsers that Portlight knows has run here.",
			"Start your browser once, or name it with --browser.");
		status = EXIT_PROBLEM;
	}
out:
	g_free(host);
	selection_finish(&selection);
	return status;
}

/* Counts in *removed. */
static bool remove_manifest(const struct browser *browser, size_t *removed) {
	g_autofree char *path = browsers_user_path(browser);
	if (g_unlink(path) == 0) {
		(void)printf("%s: removed %s\n", browser->name, path);
		(*removed)++;
		return true;
	}
	if (errno == ENOENT || errno == ENOTDIR) {
		return true;
	}
	g_autofree char *message =
		g_strdup_printf("%s can't be removed: %s.", path, g_strerror(errno));
	say_problem(message, "See who owns the folder.");
	return false;
}

int command_uninstall(int argc, char **argv) {
	struct selection selection = {0};
	int status = EXIT_USAGE;
	size_t removed = 0;
	if (!parse(&selection, false, &argc, &argv)) {
		goto out;
	}
	status = EXIT_DONE;
	for (size_t i = 0; i < browsers_count(); i++) {
		const struct browser *browser = browsers_get(i);
		if (selection.names == NULL || selection.all ||
			g_strv_contains((const char *const *)selection.names, browser->name)) {
			if (!remove_manifest(browser, &removed)) {
				status = EXIT_PROBLEM;
			}
		}
	}
	if (removed == 0 && status == EXIT_DONE) {
		(void)puts("There was nothing to remove.");
	}
out:
	selection_finish(&selection);
	return status;
}
