#include "install/options.h"

#include <string.h>

#include "browsers/browsers.h"
#include "install/permission.h"
#include "tool/arguments.h"
#include "tool/say.h"

static const char install_text[] =
	"Registers portlight-host with the browsers that have run here, for this user, or with "
	"those\nnamed. A package or `make install` has done so for everybody in Chromium and "
	"Firefox.";
static const char uninstall_text[] = "Removes what portlight install wrote.";

/* Whether one of them is of the family that has profiles anywhere. */
static bool check_profiles(char **names) {
	for (char **name = names; name != NULL && *name != NULL; name++) {
		if (browsers_find(*name)->family != BROWSER_CHROMIUM) {
			(void)arguments_wrong("%s looks for hosts in the home folder, whatever its "
					      "profile: leave out --profile.",
				*name);
			return false;
		}
	}
	return true;
}

static bool check_allowed(char **allow) {
	for (char **app = allow; app != NULL && *app != NULL; app++) {
		if (!permission_is_app(*app)) {
			say_problem("It is like snap.firefox or org.mozilla.firefox.",
				"\"%s\" is not the id of a Snap or a Flatpak.", *app);
			return false;
		}
	}
	return true;
}

static bool check(const struct options *options, bool install) {
	bool elsewhere = options->system || options->profiles != NULL;
	bool chosen = options->names != NULL || options->all;
	if (options->allow != NULL &&
		(elsewhere || chosen || options->host != NULL || options->force)) {
		(void)arguments_wrong("--allow is about a permission and no manifest: only "
				      "--dry-run, --json and --quiet go with it.");
		return false;
	}
	if (options->system && options->profiles != NULL) {
		(void)arguments_wrong("--system and --profile name different places: use one.");
		return false;
	}
	if (!install && options->system && options->force) {
		(void)arguments_wrong(
			"uninstall --system removes only what is Portlight's: leave out --force.");
		return false;
	}
	return check_allowed(options->allow) &&
	       (options->profiles == NULL || check_profiles(options->names));
}

/* Those of --browser and the others. */
static void join_names(struct options *options, char **operands) {
	GPtrArray *names = g_ptr_array_new();
	for (char **name = options->named; name != NULL && *name != NULL; name++) {
		g_ptr_array_add(names, g_strdup(*name));
	}
	for (char **name = operands; name != NULL && *name != NULL; name++) {
		g_ptr_array_add(names, g_strdup(*name));
	}
	if (names->len > 0) {
		g_ptr_array_add(names, NULL);
	}
	options->names = (char **)g_ptr_array_free(names, FALSE);
}

bool options_parse(struct options *options, bool install, int argc, char **argv) {
	*options = (struct options){0};
	g_auto(GStrv) operands = NULL;
	const GOptionEntry entries[] = {
		{"browser", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &options->named,
			"Only this browser, as if named without the option; may be repeated",
			"NAME"},
		{"all", 'a', 0, G_OPTION_ARG_NONE, &options->all,
			install ? "All browsers that Portlight knows, even if they never ran here"
				: "All browsers, as if none were named",
			NULL},
		{"system", 0, 0, G_OPTION_ARG_NONE, &options->system,
			"For everybody: the browsers whose manifest no package brings (as root)",
			NULL},
		{"profile", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->profiles,
			"For the folder that Chromium or its kin gets as --user-data-dir", "DIR"},
		{"host", 0, 0, G_OPTION_ARG_FILENAME, &options->host,
			install ? "The portlight-host to register"
				: "Only the manifests of this portlight-host",
			"PATH"},
		{"allow", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->allow,
			install ? "Let the Snap or Flatpak start the host without being asked: "
				  "snap.firefox"
				: "Take that back",
			"ID"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &options->force,
			install ? "Replace manifests that are not Portlight's"
				: "Remove manifests that are not Portlight's too",
			NULL},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &options->dry_run,
			"Only say what would be done", NULL},
		{"json", 'j', 0, G_OPTION_ARG_NONE, &options->json, "Say it in JSON", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "Say only what is wrong",
			NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &operands, NULL,
			"[BROWSER…]"},
		{0},
	};
	g_autofree const char **known = browsers_names();
	g_autofree char *list = g_strjoinv(" ", (char **)known);
	g_autofree char *help = g_strdup_printf(
		"%s\n\nBrowsers: %s", install ? install_text : uninstall_text, list);
	if (!arguments_parse(help, entries, argc, argv)) {
		return false;
	}
	join_names(options, operands);
	if (!arguments_known("browser", options->names, known) || !check(options, install)) {
		return false;
	}
	if (options->all) {
		g_clear_pointer(&options->names, g_strfreev);
	}
	return true;
}

void options_finish(struct options *options) {
	g_strfreev(options->names);
	g_strfreev(options->named);
	g_strfreev(options->profiles);
	g_free(options->host);
	g_strfreev(options->allow);
}
