#include <string.h>
#include <unistd.h>

#include "browsers/bundle.h"
#include "browsers/manifest_file.h"
#include "browsers/real_path.h"
#include "browsers/sandboxes.h"
#include "config.h"
#include "doctor/checks.h"

struct row {
	const struct browser *browser;
	const struct sandboxed *flatpak; /* it is this Flatpak; NULL: it has no sandbox */
	const char *name;                /* the browser's or the Flatpak's */
	GPtrArray *manifests;            /* of struct found_manifest */
	bool started;                    /* the host that the first of them names */
};

/* A browser that is a Flatpak or a Snap. */
struct sandboxed_row {
	const struct sandboxed *sandboxed;
	enum sandboxed_trace trace;
	enum starter starter; /* there: also a host of its own */
};

static void free_row(void *data) {
	struct row *row = data;
	g_ptr_array_unref(row->manifests);
	g_free(row);
}

static bool is_wanted(const struct doctor *doctor, const char *name) {
	return doctor->names == NULL || g_strv_contains((const char *const *)doctor->names, name);
}

/* A browser may have several rows in the table. */
static bool has_run(const struct browser *browser) {
	for (const struct browser *row = browser;
		row->name != NULL && strcmp(row->name, browser->name) == 0; row++) {
		if (browsers_present(row)) {
			return true;
		}
	}
	return false;
}

static bool can_run(const char *path) {
	return g_file_test(path, G_FILE_TEST_IS_REGULAR) && access(path, X_OK) == 0;
}

/* What a Flatpak's manifest names is the sandbox's choice: it must not run outside of it. */
static void start_host(const struct doctor *doctor, struct row *row) {
	const struct found_manifest *manifest =
		row->manifests->len > 0 ? row->manifests->pdata[0] : NULL;
	if (row->flatpak == NULL && manifest != NULL && manifest->why == NULL &&
		can_run(manifest->host)) {
		programs_start(doctor->programs, manifest->host, "--version");
		row->started = true;
	}
}

static const struct row *add_row(
	struct doctor *doctor, const struct browser *browser, const struct sandboxed *flatpak) {
	struct row *row = g_new0(struct row, 1);
	row->browser = browser;
	row->flatpak = flatpak;
	row->name = flatpak != NULL ? flatpak->id : browser->name;
	row->manifests = manifests_find(browser, flatpak);
	g_ptr_array_add(doctor->rows, row);
	return row;
}

static bool has_row(const struct doctor *doctor, const char *name) {
	for (guint i = 0; i < doctor->rows->len; i++) {
		const struct row *row = doctor->rows->pdata[i];
		if (strcmp(row->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* A Flatpak with a manifest of its own starts the host that is inside; what starts it from outside
 * reads the manifests of browsers without a sandbox. */
static enum starter find_starter(
	struct doctor *doctor, const struct sandboxed *one, struct starters *starters) {
	if (one->kind == SANDBOX_FLATPAK) {
		const struct row *row = add_row(doctor, browsers_find(one->browser), one);
		if (row->manifests->len > 0) {
			return STARTER_THERE;
		}
		g_ptr_array_remove_index(doctor->rows, doctor->rows->len - 1);
	}
	enum starter starter = sandboxes_starter(one, starters);
	if (starter == STARTER_THERE && !has_row(doctor, one->browser)) {
		(void)add_row(doctor, browsers_find(one->browser), NULL);
	}
	return starter;
}

static void find_sandboxed(struct doctor *doctor) {
	struct starters starters = {.bus = doctor->bus};
	for (const struct sandboxed *one = sandboxes_all; one->id != NULL; one++) {
		enum sandboxed_trace trace = sandboxes_trace(one, "");
		if (trace != SANDBOXED_ABSENT && is_wanted(doctor, one->browser)) {
			struct sandboxed_row *row = g_new0(struct sandboxed_row, 1);
			*row = (struct sandboxed_row){
				one, trace, find_starter(doctor, one, &starters)};
			g_ptr_array_add(doctor->sandboxed, row);
		}
	}
}

void rows_find(struct doctor *doctor) {
	doctor->rows = g_ptr_array_new_with_free_func(free_row);
	doctor->sandboxed = g_ptr_array_new_with_free_func(g_free);
	for (const struct browser *browser = browsers_all; browser->name != NULL; browser++) {
		bool wanted =
			doctor->names != NULL ? is_wanted(doctor, browser->name) : has_run(browser);
		if (wanted && !has_row(doctor, browser->name)) {
			(void)add_row(doctor, browsers_find(browser->name), NULL);
		}
	}
	find_sandboxed(doctor);
}

void rows_start(struct doctor *doctor) {
	for (guint i = 0; i < doctor->rows->len; i++) {
		start_host(doctor, doctor->rows->pdata[i]);
	}
}

void rows_finish(struct doctor *doctor) {
	g_ptr_array_unref(doctor->rows);
	g_ptr_array_unref(doctor->sandboxed);
}

/* ---- the host that a browser starts ---- */

/* Of two installations the browser starts one: says which, where that is not plain. */
static void tell_apart(struct doctor *doctor, const struct row *row) {
	const char *name = row->name;
	const struct found_manifest *first = row->manifests->pdata[0];
	g_autofree char *remedy =
		g_strdup_printf("To have it start this one: portlight install --browser %s", name);
	/* A Flatpak has a copy. */
	if (row->flatpak == NULL && !same_file(first->host, doctor->host)) {
		report_add(doctor->report, REPORT_NOTE, "host-elsewhere", remedy,
			"%s starts %s; the host beside this program is %s.", name, first->host,
			doctor->host != NULL ? doctor->host : "missing");
		report_detail(doctor->report, "browser", row->browser->name);
		report_detail(doctor->report, "path", first->host);
	}
	for (guint i = 1; i < row->manifests->len; i++) {
		const struct found_manifest *other = row->manifests->pdata[i];
		if (other->host != NULL && !same_file(first->host, other->host)) {
			report_add(doctor->report, REPORT_NOTE, "host-hidden", NULL,
				"%s does not start %s, which %s names: %s comes first.", name,
				other->host, other->path, first->path);
			report_detail(doctor->report, "browser", row->browser->name);
			report_detail(doctor->report, "path", other->host);
			report_detail(doctor->report, "manifest", other->path);
		}
	}
}

/* False where it is no host of ours at all. */
static bool judge_host(struct doctor *doctor, const struct row *row, const char *remedy) {
	g_autofree char *forced = g_strdup_printf("%s --force", remedy);
	const char *name = row->name;
	const struct found_manifest *manifest = row->manifests->pdata[0];
	struct program_result result =
		programs_result(doctor->programs, manifest->host, "--version");
	g_autofree char *version = program_version(&result, "portlight-host");
	const char *lacks =
		browsers_manifest_lacks(row->browser, manifest->text, &doctor->extensions);
	if (!result.answered) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_HOST_UNUSABLE),
			remedy, "%s names a host that does not run: %s: %s.", manifest->path,
			manifest->host, result.why);
	} else if (version == NULL) {
		report_add(doctor->report, REPORT_PROBLEM, "host-foreign", forced,
			"%s names a program that is not portlight-host: %s", manifest->path,
			manifest->host);
	} else if (strcmp(version, PORTLIGHT_VERSION) != 0) {
		report_add(doctor->report, REPORT_PROBLEM,
			error_code_string(ERROR_VERSION_MISMATCH), remedy,
			"%s starts %s of version %s (%s); this program has version %s.", name,
			manifest->host, version, manifest->path, PORTLIGHT_VERSION);
	} else if (lacks != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_WRONG_CALLER),
			remedy, "%s does not let the extension %s in.", manifest->path, lacks);
	} else {
		report_add(doctor->report, REPORT_OK, "browser", NULL, "%s starts %s %s (%s)", name,
			manifest->host, version, manifest->path);
	}
	report_detail(doctor->report, "version", version);
	return version != NULL;
}

/* The programs that the copy is compared with; the loader is asked about them. */
static bool own_run(const struct doctor *doctor) {
	return doctor->host != NULL && doctor->helper != NULL &&
	       programs_result(doctor->programs, doctor->host, "--version").answered &&
	       programs_result(doctor->programs, doctor->helper, "--version").answered;
}

/* A Flatpak's copy of the host, which is compared and never run. False where it is none. */
static bool judge_copy(struct doctor *doctor, const struct row *row, const char *remedy) {
	const struct found_manifest *manifest = row->manifests->pdata[0];
	g_autofree char *forced = g_strdup_printf("%s --force", remedy);
	g_autofree char *folder = bundle_folder(row->flatpak);
	g_autofree char *host = bundle_host(folder);
	g_autofree char *changed = NULL;
	g_autoptr(GError) error = NULL;
	const char *lacks =
		browsers_manifest_lacks(row->browser, manifest->text, &doctor->extensions);
	if (strcmp(manifest->host, host) != 0 && !same_file(manifest->host, host)) {
		report_add(doctor->report, REPORT_PROBLEM, "host-foreign", forced,
			"%s names a program that portlight install did not put there: %s",
			manifest->path, manifest->host);
		return false;
	}
	if (!own_run(doctor) || !bundle_write(folder, doctor->host, true, &changed, &error)) {
		report_add(doctor->report, REPORT_NOTE, "browser", NULL,
			"%s starts %s (%s); this installation has no programs to compare it with.",
			row->name, manifest->host, manifest->path);
	} else if (changed != NULL) {
		report_add(doctor->report, REPORT_PROBLEM,
			error_code_string(ERROR_VERSION_MISMATCH), remedy,
			"%s starts %s (%s), and %s differs from this installation's.", row->name,
			manifest->host, manifest->path, changed);
	} else if (lacks != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_WRONG_CALLER),
			remedy, "%s does not let the extension %s in.", manifest->path, lacks);
	} else {
		report_add(doctor->report, REPORT_OK, "browser", NULL, "%s starts %s %s (%s)",
			row->name, manifest->host, PORTLIGHT_VERSION, manifest->path);
		report_detail(doctor->report, "version", PORTLIGHT_VERSION);
	}
	return true;
}

static void check_row(struct doctor *doctor, const struct row *row) {
	const char *name = row->name;
	g_autofree char *remedy =
		g_strdup_printf("portlight install --browser %s", row->browser->name);
	if (row->manifests->len == 0) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_HOST_MISSING),
			remedy, "%s finds no host: no manifest names one.", name);
		report_detail(doctor->report, "browser", row->browser->name);
		return;
	}
	const struct found_manifest *manifest = row->manifests->pdata[0];
	bool ours = false;
	/* Without it, install leaves alone what may be somebody else's. */
	g_autofree char *forced = g_strdup_printf("%s --force", remedy);
	if (manifest->why != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, "manifest-bad", forced, "%s %s.",
			manifest->path, manifest->why);
	} else if (row->flatpak != NULL ? !can_run(manifest->host) : !row->started) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_HOST_UNUSABLE),
			remedy, "%s names a host that can't be run: %s", manifest->path,
			manifest->host);
	} else {
		ours = row->flatpak != NULL ? judge_copy(doctor, row, remedy)
					    : judge_host(doctor, row, remedy);
	}
	report_detail(doctor->report, "browser", row->browser->name);
	report_detail(doctor->report, "manifest", manifest->path);
	report_detail(doctor->report, "path", manifest->host);
	if (ours) {
		tell_apart(doctor, row);
	}
}

static void check_sandboxed(struct doctor *doctor, const struct sandboxed_row *row) {
	g_autofree char *text = sandboxes_describe(row->sandboxed, row->starter);
	g_autofree char *remedy = sandboxes_remedy(row->sandboxed, row->starter);
	bool bad = row->starter == STARTER_MISSING && row->trace == SANDBOXED_INSTALLED;
	const char *code = row->starter == STARTER_THERE    ? "sandboxed"
			   : row->starter == STARTER_SILENT ? "sandboxed-unknown"
							    : "sandboxed-unable";
	report_add(doctor->report, bad ? REPORT_PROBLEM : REPORT_NOTE, code, remedy, "%s", text);
	report_detail(doctor->report, "browser", row->sandboxed->browser);
}

void check_browsers(struct doctor *doctor) {
	for (guint i = 0; i < doctor->rows->len; i++) {
		const struct row *row = doctor->rows->pdata[i];
		check_row(doctor, row);
		/* A Snap has its profiles in its sandbox. */
		if (row->flatpak != NULL || doctor->names != NULL || has_run(row->browser)) {
			check_extension(doctor, row->browser, row->flatpak, row->name);
		}
	}
	for (guint i = 0; i < doctor->sandboxed->len; i++) {
		check_sandboxed(doctor, doctor->sandboxed->pdata[i]);
	}
	if (doctor->rows->len == 0 && doctor->sandboxed->len == 0) {
		report_add(doctor->report, REPORT_NOTE, "browsers-none",
			"Start your browser once, then run this again.",
			"None of the browsers that Portlight knows has run here yet.");
	}
}
