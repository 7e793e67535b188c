#include "install/places.h"

#include <gio/gio.h>
#include <string.h>

#include "browsers/bundle.h"
#include "browsers/sandboxes.h"
#include "browsers/session_bus.h"
#include "config.h"

static void free_place(void *data) {
	struct place *place = data;
	g_free(place->path);
	g_free(place->bundle);
	g_free(place->within);
	g_free(place);
}

static void add(GPtrArray *places, const struct browser *browser, char *path, unsigned levels,
	bool everybody) {
	struct place *place = g_new0(struct place, 1);
	*place = (struct place){.name = browser->name,
		.browser = browser,
		.path = path,
		.levels = levels,
		.everybody = everybody};
	g_ptr_array_add(places, place);
}

/* The folders below the home folder; its own folder for settings is one. */
static void add_user(GPtrArray *places, const struct browser *browser) {
	unsigned levels = 0;
	for (const char *c = browser->user_folder; *c != '\0'; c++) {
		levels += *c == '/' ? 1 : 0;
	}
	bool config = g_str_has_prefix(browser->user_folder, "$XDG_CONFIG_HOME/");
	add(places, browser, browsers_user_path(browser), levels + (config ? 1 : 0), false);
}

/* /etc/opt/NAME/native-messaging-hosts has two folders that nobody else may have made. */
static void add_system(GPtrArray *places, const struct browser *browser) {
	add(places, browser, browsers_system_path(browser), 2, true);
}

static void add_inside(
	GPtrArray *places, const struct sandboxed *sandboxed, const struct browser *row) {
	add(places, row, sandboxes_manifest(sandboxed, row), 2, false);
	struct place *place = places->pdata[places->len - 1];
	place->name = sandboxed->id;
	place->bundle = bundle_folder(sandboxed);
	place->within = sandboxes_folder(sandboxed);
}

static bool is_row_of(const struct browser *row, const char *name) {
	return row->name != NULL && strcmp(row->name, name) == 0;
}

/* As for browsers without a sandbox: in every folder that it has, and in its first one if it never
 * ran. `all`: in each that it may have. */
static void add_flatpaks(GPtrArray *places, const struct browser *browser, bool all) {
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		if (one->kind != SANDBOX_FLATPAK || !is_row_of(browser, one->browser) ||
			sandboxes_trace(one, "") == SANDBOXED_ABSENT) {
			continue;
		}
		guint before = places->len;
		for (const struct browser *row = browser; is_row_of(row, one->browser); row++) {
			g_autofree char *path = sandboxes_manifest(one, row);
			g_autofree char *manifests = g_path_get_dirname(path);
			g_autofree char *own = g_path_get_dirname(manifests);
			if (all || g_file_test(own, G_FILE_TEST_IS_DIR)) {
				add_inside(places, one, row);
			}
		}
		if (places->len == before) {
			add_inside(places, one, browser);
		}
	}
}

static void add_profiles(GPtrArray *places, const struct options *options) {
	const char *name = options->names != NULL ? options->names[0] : "chromium";
	for (char **profile = options->profiles; *profile != NULL; profile++) {
		g_autofree char *root = g_canonicalize_filename(*profile, NULL);
		char *path = g_build_filename(
			root, "NativeMessagingHosts", PORTLIGHT_HOST_NAME ".json", NULL);
		add(places, browsers_find(name), path, 1, false);
	}
}

static bool is_named(const struct options *options, const struct browser *browser) {
	return options->names != NULL &&
	       g_strv_contains((const char *const *)options->names, browser->name);
}

static bool is_first(const struct browser *browser) {
	return browsers_find(browser->name) == browser;
}

static bool can_ask(const struct sandboxed *sandboxed) {
	return sandboxed->asks_portal || sandboxed->asks_proxy;
}

/* Whether it is here as a Snap or a Flatpak. `asking`: as one for which something outside reads the
 * manifest. */
static bool is_sandboxed(const struct browser *browser, bool asking) {
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		if ((!asking || can_ask(one)) && strcmp(one->browser, browser->name) == 0 &&
			sandboxes_trace(one, "") != SANDBOXED_ABSENT) {
			return true;
		}
	}
	return false;
}

static bool has_place(const GPtrArray *places, const struct browser *browser) {
	for (guint i = 0; i < places->len; i++) {
		const struct place *place = places->pdata[i];
		if (strcmp(place->name, browser->name) == 0) {
			return true;
		}
	}
	return false;
}

/* Chrome's kin share a folder. */
static bool has_folder(const GPtrArray *places, const struct browser *browser) {
	for (guint i = 0; i < places->len; i++) {
		const struct place *place = places->pdata[i];
		if (strcmp(place->browser->system_folder, browser->system_folder) == 0) {
			return true;
		}
	}
	return false;
}

/* A browser is written to in every folder that it has, and in its first one if it never ran: where
 * it is named, or in a sandbox that lets something outside read that. */
static void choose_user(
	GPtrArray *places, const struct options *options, struct outcomes *outcomes) {
	bool every = options->names == NULL;
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		bool wanted = every || is_named(options, browser);
		if (wanted && (options->all || browsers_present(browser))) {
			add_user(places, browser);
		}
	}
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		bool named = is_named(options, browser);
		if (!is_first(browser) || (!every && !named)) {
			continue;
		}
		guint before = places->len;
		add_flatpaks(places, browser, false);
		bool inside = places->len > before;
		if (has_place(places, browser)) {
			continue;
		}
		if (is_sandboxed(browser, true) || (named && !inside)) {
			add_user(places, browser);
		} else if (!inside && !is_sandboxed(browser, false)) {
			outcomes_add(outcomes, OUTCOME_ABSENT, browser->name, NULL, NULL, "%s", "");
		}
	}
}

static void choose_system(
	GPtrArray *places, const struct options *options, struct outcomes *outcomes) {
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		bool named = is_named(options, browser);
		bool wanted = named || options->names == NULL;
		bool none = browser->system_folder == NULL;
		if (!wanted || (!browser->for_tool && !is_first(browser))) {
			continue;
		}
		if (!browser->for_tool && !none) {
			g_autofree char *path = browsers_system_path(browser);
			outcomes_add(outcomes, OUTCOME_PACKAGED, browser->name, path, NULL,
				"A package or `make install` brings %s.", path);
		} else if (none && named) {
			outcomes_add(outcomes, OUTCOME_FAILED, browser->name, NULL,
				"Each user runs: portlight install.",
				"%s has no folder for everybody.", browser->name);
		} else if (!none && (named || options->all || browsers_on_path(browser))) {
			if (!has_folder(places, browser)) {
				add_system(places, browser);
			}
		} else if (!none) {
			outcomes_add(outcomes, OUTCOME_ABSENT, browser->name, NULL, NULL, "%s", "");
		}
	}
}

/* Ubuntu's portal starts the host of a Snap from outside; without it the sandbox keeps it away. */
static void tell_snaps(const struct options *options, struct outcomes *outcomes) {
	g_autoptr(GDBusConnection) bus = NULL;
	struct starters starters = {0};
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		const struct browser *browser = browsers_find(one->browser);
		bool wanted = options->names == NULL || is_named(options, browser);
		if (!wanted || one->kind != SANDBOX_SNAP ||
			sandboxes_trace(one, "") == SANDBOXED_ABSENT) {
			continue;
		}
		if (bus == NULL) {
			starters.bus = bus = session_bus(NULL);
		}
		enum starter starter = sandboxes_starter(one, &starters);
		g_autofree char *text = sandboxes_describe(one, starter);
		g_autofree char *remedy = sandboxes_remedy(one, starter);
		/* As --allow takes it. */
		g_autofree char *name = g_strconcat("snap.", one->id, NULL);
		outcomes_add(outcomes, OUTCOME_SANDBOXED, name, NULL, remedy, "%s", text);
	}
}

GPtrArray *places_for_install(const struct options *options, struct outcomes *outcomes) {
	GPtrArray *places = g_ptr_array_new_with_free_func(free_place);
	if (options->profiles != NULL) {
		add_profiles(places, options);
	} else if (options->system) {
		choose_system(places, options, outcomes);
	} else {
		choose_user(places, options, outcomes);
		tell_snaps(options, outcomes);
	}
	return places;
}

/* A browser that is there, uses the same file for everybody, and is not to lose it; NULL: none. */
static const struct browser *find_other_user(
	const struct options *options, const struct browser *browser) {
	for (const struct browser *other = browsers_all; other->name != NULL; other++) {
		if (options->names != NULL && !is_named(options, other) &&
			g_strcmp0(other->system_folder, browser->system_folder) == 0 &&
			browsers_on_path(other)) {
			return other;
		}
	}
	return NULL;
}

static void remove_system(GPtrArray *places, const struct options *options,
	const struct browser *browser, struct outcomes *outcomes) {
	const struct browser *other = find_other_user(options, browser);
	g_autofree char *path = browsers_system_path(browser);
	if (other == NULL) {
		add_system(places, browser);
	} else if (g_file_test(path, G_FILE_TEST_EXISTS)) {
		outcomes_add(outcomes, OUTCOME_KEPT, browser->name, path,
			"Without names, uninstall --system removes it.",
			"%s is %s's too, and stays as it is.", path, other->name);
	}
}

GPtrArray *places_for_uninstall(const struct options *options, struct outcomes *outcomes) {
	GPtrArray *places = g_ptr_array_new_with_free_func(free_place);
	if (options->profiles != NULL) {
		add_profiles(places, options);
		return places;
	}
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		if (options->names != NULL && !is_named(options, browser)) {
			continue;
		}
		if (!options->system) {
			add_user(places, browser);
			if (is_first(browser)) {
				add_flatpaks(places, browser, true);
			}
		} else if (browser->for_tool && browser->system_folder != NULL &&
			   !has_folder(places, browser)) {
			remove_system(places, options, browser, outcomes);
		}
	}
	return places;
}
