#include "install/install.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "browsers/browsers.h"
#include "browsers/bundle.h"
#include "browsers/programs.h"
#include "browsers/real_path.h"
#include "config.h"
#include "install/manifest.h"
#include "install/options.h"
#include "install/outcome.h"
#include "install/permission.h"
#include "install/places.h"

struct job {
	const struct options *options;
	char *host; /* to register, or whose manifests go; NULL: anyone's */
	struct extensions extensions;
	struct outcomes outcomes;
};

static void fail(
	struct job *job, const struct place *place, const GError *error, const char *remedy) {
	bool denied = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
		      g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM);
	if (denied) {
		remedy = place->everybody ? "Run it as root." : "Check who owns the folder.";
	} else if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC)) {
		remedy = "Make room on the disk, and try again.";
	} else if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)) {
		remedy = "Move it away, and try again.";
	}
	outcomes_add(&job->outcomes, OUTCOME_FAILED, place->name, place->path, remedy, "%s",
		error->message);
}

static void keep(struct job *job, const struct place *place, const struct manifest *manifest,
	const char *remedy) {
	outcomes_add(&job->outcomes, OUTCOME_KEPT, place->name, place->path, remedy,
		"%s %s, and stays as it is.", place->path, manifest->why);
}

/* What is in a Flatpak's folder is the sandbox's: a link of its making must not have files written
 * or removed outside. */
static bool leads_out(struct job *job, const struct place *place) {
	if (place->within == NULL) {
		return false;
	}
	g_autofree char *folder = g_path_get_dirname(place->path);
	bool manifest = !leads_below(place->within, folder);
	if (!manifest && bundle_stays(place->bundle, place->within)) {
		return false;
	}
	outcomes_add(&job->outcomes, OUTCOME_FAILED, place->name, place->path,
		"Look who made the link, remove it, and try again.",
		"A link in %s leads out of the Flatpak's folder.",
		manifest ? folder : place->bundle);
	return true;
}

/* The manifest, and for a Flatpak the programs that it names. `same`: all of it was so already. */
static bool write_files(const struct job *job, const struct place *place, const char *now,
	const char *text, bool *same, GError **error) {
	g_autofree char *changed = NULL;
	bool dry = job->options->dry_run;
	*same = g_strcmp0(now, text) == 0;
	if (place->bundle != NULL &&
		!bundle_write(place->bundle, job->host, dry, &changed, error)) {
		return false;
	}
	if (!*same && !dry && !manifest_write(place->path, text, place->everybody, error)) {
		return false;
	}
	*same = *same && changed == NULL;
	return true;
}

static void write_place(
	struct job *job, const struct place *place, const struct manifest *manifest) {
	g_autofree char *host =
		place->bundle != NULL ? bundle_host(place->bundle) : g_strdup(job->host);
	g_autofree char *text = browsers_manifest(place->browser, host, &job->extensions);
	bool other = manifest->host != NULL && strcmp(manifest->host, host) != 0;
	g_autofree char *named = other ? g_strdup_printf("it named %s", manifest->host) : NULL;
	g_autoptr(GError) error = NULL;
	bool same = false;
	if (leads_out(job, place)) {
		return;
	}
	if (text == NULL) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, place->name, place->path,
			"Give the home folder a name in UTF-8, or use the browser's package.",
			"The path of the host in %s is not valid UTF-8, which a manifest must be.",
			place->bundle);
		return;
	}
	if (manifest->there && !manifest->ours && !job->options->force) {
		keep(job, place, manifest, "Replace it with --force.");
	} else if (!write_files(job, place, manifest->text, text, &same, &error)) {
		fail(job, place, error, "Check the folder, and try again.");
	} else {
		outcomes_add(&job->outcomes, same ? OUTCOME_SAME : OUTCOME_WRITTEN, place->name,
			place->path, NULL, "%s", named != NULL ? named : "");
	}
}

/* Of two installations on one system, uninstalling one leaves what the other wrote. */
static bool is_anothers(const struct job *job, const struct manifest *manifest) {
	return (job->options->system || job->host != NULL) &&
	       !same_file(manifest->host, job->host) &&
	       (job->options->host != NULL ||
		       (manifest->host != NULL &&
			       g_file_test(manifest->host, G_FILE_TEST_IS_EXECUTABLE)));
}

static void remove_place(
	struct job *job, const struct place *place, const struct manifest *manifest) {
	g_autoptr(GError) error = NULL;
	if (!manifest->there || leads_out(job, place)) {
		return;
	}
	bool anothers = is_anothers(job, manifest);
	if (!manifest->ours && (anothers || !job->options->force)) {
		bool forcible = !anothers && !job->options->system;
		keep(job, place, manifest, forcible ? "Remove it with --force." : NULL);
	} else if (anothers) {
		outcomes_add(&job->outcomes, OUTCOME_KEPT, place->name, place->path, NULL,
			"%s names %s, and stays as it is.", place->path, manifest->host);
	} else if (!job->options->dry_run &&
		   ((place->bundle != NULL && !bundle_remove(place->bundle, &error)) ||
			   !manifest_remove(place->path, place->levels, &error))) {
		fail(job, place, error, "Check the folder, and try again.");
	} else {
		outcomes_add(
			&job->outcomes, OUTCOME_REMOVED, place->name, place->path, NULL, "%s", "");
	}
}

/* What happens at each place. */
typedef void (*verb_func)(
	struct job *job, const struct place *place, const struct manifest *manifest);

static void for_each(struct job *job, const GPtrArray *places, verb_func verb) {
	for (guint i = 0; i < places->len; i++) {
		const struct place *place = places->pdata[i];
		struct manifest manifest;
		manifest_read(&manifest, place->path, job->host);
		verb(job, place, &manifest);
		manifest_finish(&manifest);
	}
}

/* The absolute path of the host, or NULL. Browsers and users see it, so it has no "..". */
static char *find_host(const char *wanted) {
	if (wanted != NULL) {
		return g_canonicalize_filename(wanted, NULL);
	}
	g_autofree char *found = program_find("portlight-host");
	return found != NULL ? g_canonicalize_filename(found, NULL) : NULL;
}

static char *version_of(const char *host) {
	struct programs *programs = programs_create();
	programs_start(programs, host, "--version");
	while (programs_busy(programs)) {
		(void)g_main_context_iteration(NULL, TRUE);
	}
	struct program_result result = programs_result(programs, host, "--version");
	char *version = program_version(&result, "portlight-host");
	programs_destroy(programs);
	return version;
}

static bool check_host(struct job *job) {
	static const char remedy[] = "Reinstall Portlight, or name the program with --host.";
	const char *wanted = job->options->host;
	if (job->host == NULL || !g_file_test(job->host, G_FILE_TEST_IS_EXECUTABLE)) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL, remedy,
			"%s is missing or can't be run.",
			wanted != NULL ? job->host : "portlight-host");
		return false;
	}
	if (!g_utf8_validate(job->host, -1, NULL)) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL,
			"Install Portlight in another folder.",
			"The host's path is not valid UTF-8, which a manifest must be.");
		return false;
	}
	g_autofree char *version = wanted != NULL ? version_of(job->host) : NULL;
	if (wanted != NULL && version == NULL) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL, remedy,
			"%s is not a portlight-host: it does not answer --version as one.",
			job->host);
		return false;
	}
	return true;
}

/* Browsers don't make the folders that nobody has, so neither does this. */
static bool check_folders(struct job *job) {
	const struct options *options = job->options;
	const char *home = g_get_home_dir();
	for (char **profile = options->profiles; profile != NULL && *profile != NULL; profile++) {
		if (!g_file_test(*profile, G_FILE_TEST_IS_DIR)) {
			outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", *profile,
				"Start the browser with --user-data-dir once, or correct it.",
				"There is no folder %s.", *profile);
			return false;
		}
	}
	if (options->system || options->profiles != NULL) {
		return true;
	}
	if (!g_path_is_absolute(home) || !g_file_test(home, G_FILE_TEST_IS_DIR) ||
		!g_path_is_absolute(g_get_user_config_dir())) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL,
			"Set HOME and XDG_CONFIG_HOME as your desktop does.",
			"There is no home folder \"%s\", or your folder for settings is not one.",
			home);
		return false;
	}
	return true;
}

static void begin(struct job *job, const struct options *options) {
	*job = (struct job){.options = options};
	outcomes_init(&job->outcomes, options->json);
	job->outcomes.dry_run = options->dry_run;
	job->outcomes.quiet = options->quiet;
}

static void read_extensions(struct job *job) {
	extensions_read(&job->extensions, !job->options->system);
	const GPtrArray *problems = job->extensions.problems;
	for (guint i = 0; i < problems->len; i++) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL,
			"Correct it, and install again.", "%s", (const char *)problems->pdata[i]);
	}
}

static void install(struct job *job) {
	const struct options *options = job->options;
	read_extensions(job);
	g_autoptr(GPtrArray) places = places_for_install(options, &job->outcomes);
	for_each(job, places, write_place);
	if (places->len == 0 && !options->system && !job->outcomes.sandboxed) {
		outcomes_add(&job->outcomes, OUTCOME_FAILED, "portlight", NULL,
			"Start your browser once, or name it.",
			"None of the browsers that Portlight knows has run here.");
	}
	extensions_finish(&job->extensions);
}

int command_install(int argc, char **argv) {
	struct options options;
	enum exit_status status = EXIT_USAGE;
	struct job job = {0};
	if (options_parse(&options, true, argc, argv)) {
		begin(&job, &options);
		job.outcomes.keeping_fails = true;
		job.host = find_host(options.host);
		if (options.allow != NULL) {
			permission_set(options.allow, true, &job.outcomes);
		} else if (check_host(&job) && check_folders(&job)) {
			install(&job);
		}
		status = outcomes_finish(&job.outcomes);
		g_free(job.host);
	}
	options_finish(&options);
	return status;
}

int command_uninstall(int argc, char **argv) {
	struct options options;
	enum exit_status status = EXIT_USAGE;
	struct job job = {0};
	if (options_parse(&options, false, argc, argv)) {
		begin(&job, &options);
		/* A user's own manifests all go; those of the system may be another's. */
		job.host = options.host != NULL || options.system ? find_host(options.host) : NULL;
		if (options.allow != NULL) {
			permission_set(options.allow, false, &job.outcomes);
		} else if (check_folders(&job)) {
			g_autoptr(GPtrArray) places = places_for_uninstall(&options, &job.outcomes);
			for_each(&job, places, remove_place);
			outcomes_nothing(&job.outcomes);
		}
		status = outcomes_finish(&job.outcomes);
		g_free(job.host);
	}
	options_finish(&options);
	return status;
}
