#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "browsers/browsers.h"
#include "install/install.h"
#include "tool/arguments.h"
#include "tool/say.h"

static bool parse(
	const char *text, const GOptionEntry *entries, int argc, char **argv, char ***browsers) {
	g_autoptr(GString) help = g_string_new(text);
	g_string_append(help, "\n\nBrowsers:");
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if (browsers_find(browser->name) == browser) {
			g_string_append_printf(help, " %s", browser->name);
		}
	}
	if (!arguments_parse(help->str, entries, argc, argv)) {
		return false;
	}
	for (char **name = *browsers; name != NULL && *name != NULL; name++) {
		if (browsers_find(*name) == NULL) {
			say_problem(strstr(help->str, "Browsers:"),
				"Portlight does not know a browser \"%s\".", *name);
			return false;
		}
	}
	return true;
}

/* What a manifest says. */
struct contents {
	const char *host;
	struct extensions extensions;
};

/* The verbs: what happens for one row of a browser. They count in *done and return false after
 * saying what went wrong. */
typedef bool (*verb_func)(
	const struct browser *browser, const struct contents *contents, size_t *done);

static bool write_manifest(
	const struct browser *browser, const struct contents *contents, size_t *done) {
	(*done)++;
	g_autofree char *path = browsers_user_path(browser);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *text = browsers_manifest(browser, contents->host, &contents->extensions);
	g_autoptr(GError) error = NULL;
	if (text == NULL) {
		say_problem("Install Portlight in another folder.",
			"The host's path is not valid UTF-8, which a manifest must be.");
		return false;
	}
	if (g_mkdir_with_parents(folder, 0700) != 0) {
		say_problem("Check who owns the folder above it.", "Can't create %s: %s.", folder,
			g_strerror(errno));
		return false;
	}
	if (!g_file_set_contents(path, text, -1, &error)) {
		say_problem("Check who owns the folder.", "%s", error->message);
		return false;
	}
	(void)printf("%s: %s\n", browser->name, path);
	return true;
}

static bool remove_manifest(
	const struct browser *browser, const struct contents *contents, size_t *done) {
	(void)contents;
	g_autofree char *path = browsers_user_path(browser);
	if (g_unlink(path) == 0) {
		(void)printf("%s: removed %s\n", browser->name, path);
		(*done)++;
		return true;
	}
	if (errno == ENOENT || errno == ENOTDIR) {
		return true;
	}
	say_problem("Check who owns the folder.", "Can't remove %s: %s.", path, g_strerror(errno));
	return false;
}

/* For the rows of the browsers with these names (NULL: of all); without `absent` only for those
 * that have run here. */
static bool for_each(
	char **names, bool absent, verb_func verb, const struct contents *contents, size_t *done) {
	bool ok = true;
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if ((names == NULL || g_strv_contains((const char *const *)names, browser->name)) &&
			(absent || browsers_present(browser))) {
			ok = verb(browser, contents, done) && ok;
		}
	}
	return ok;
}

/* The absolute path of the host to register; NULL after saying why there is none. */
static char *find_host(const char *wanted) {
	char *host = wanted != NULL ? g_canonicalize_filename(wanted, NULL)
				    : program_find("portlight-host");
	if (host != NULL && g_file_test(host, G_FILE_TEST_IS_EXECUTABLE)) {
		return host;
	}
	g_free(host);
	say_problem("Reinstall Portlight, or name the program with --host.",
		"portlight-host is missing or can't be run.");
	return NULL;
}

/* In every folder that the browser has; in its first one if it never ran. */
static bool install_named(char *name, const struct contents *contents) {
	size_t done = 0;
	bool ok = for_each((char *[]){name, NULL}, false, write_manifest, contents, &done);
	return done > 0 ? ok : write_manifest(browsers_find(name), contents, &done);
}

int command_install(int argc, char **argv) {
	g_auto(GStrv) browsers = NULL;
	gboolean all = FALSE;
	g_autofree char *wanted = NULL;
	const GOptionEntry entries[] = {
		{"browser", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &browsers,
			"Only this browser; may be repeated", "NAME"},
		{"all", 'a', 0, G_OPTION_ARG_NONE, &all,
			"All browsers that Portlight knows, even if they never ran here", NULL},
		{"host", 0, 0, G_OPTION_ARG_FILENAME, &wanted, "The portlight-host to register",
			"PATH"},
		{0},
	};
	if (!parse("Registers portlight-host with the browsers that have run here, for this user.",
		    entries, argc, argv, &browsers)) {
		return EXIT_USAGE;
	}
	g_autofree char *host = find_host(wanted);
	if (host == NULL) {
		return EXIT_PROBLEM;
	}
	struct contents contents = {.host = host};
	extensions_read(&contents.extensions);
	const GPtrArray *problems = contents.extensions.problems;
	for (guint i = 0; i < problems->len; i++) {
		say_problem(
			"Correct it, and install again.", "%s", (const char *)problems->pdata[i]);
	}
	bool ok = problems->len == 0;
	for (char **name = all ? NULL : browsers; name != NULL && *name != NULL; name++) {
		ok = install_named(*name, &contents) && ok;
	}
	if (all || browsers == NULL) {
		size_t done = 0;
		ok = for_each(NULL, all, write_manifest, &contents, &done) && ok;
		if (done == 0) {
			say_problem("Start your browser once, or name it with --browser.",
				"None of the browsers that Portlight knows has run here.");
			ok = false;
		}
	}
	extensions_finish(&contents.extensions);
	return ok ? EXIT_DONE : EXIT_PROBLEM;
}

int command_uninstall(int argc, char **argv) {
	g_auto(GStrv) browsers = NULL;
	const GOptionEntry entries[] = {
		{"browser", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &browsers,
			"Only this browser; may be repeated", "NAME"},
		{0},
	};
	if (!parse("Removes what portlight install wrote.", entries, argc, argv, &browsers)) {
		return EXIT_USAGE;
	}
	size_t removed = 0;
	bool ok = for_each(browsers, true, remove_manifest, NULL, &removed);
	if (removed == 0 && ok) {
		(void)puts("There was nothing to remove.");
	}
	return ok ? EXIT_DONE : EXIT_PROBLEM;
}
