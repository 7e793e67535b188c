#include <stdlib.h>
#include <string.h>

#include "base/program.h"
#include "config.h"
#include "control/grants_file.h"
#include "doctor/checks.h"

static const char reinstall[] = "Reinstall Portlight.";

void own_start(struct doctor *doctor) {
	doctor->host = program_find("portlight-host");
	doctor->helper = program_find("portlight-capture");
	if (doctor->host != NULL) {
		programs_start(doctor->programs, doctor->host, "--version");
	}
	if (doctor->helper != NULL) {
		programs_start(doctor->programs, doctor->helper, "--version");
		programs_start(doctor->programs, doctor->helper, "--check");
	}
}

char *own_checked(const struct doctor *doctor, const char *word) {
	if (doctor->helper == NULL) {
		return NULL;
	}
	struct program_result result = programs_result(doctor->programs, doctor->helper, "--check");
	g_auto(GStrv) lines = g_strsplit(result.output, "\n", 0);
	g_autofree char *start = g_strconcat(word, " ", NULL);
	GString *found = g_string_new(NULL);
	for (char **line = lines; *line != NULL; line++) {
		if (g_str_has_prefix(*line, start)) {
			g_string_append_printf(
				found, "%s%s", found->len > 0 ? ", " : "", *line + strlen(start));
		}
	}
	bool none = found->len == 0;
	return g_string_free(found, none);
}

/* Whether it is there, runs and is of this version. */
static bool check_program(struct doctor *doctor, const char *name, const char *path,
	const char *code, enum error_code missing, enum error_code broken) {
	if (path == NULL) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(missing), reinstall,
			"%s is missing.", name);
		return false;
	}
	struct program_result result = programs_result(doctor->programs, path, "--version");
	g_autofree char *version = program_version(&result, name);
	bool fits = g_strcmp0(version, PORTLIGHT_VERSION) == 0;
	if (version == NULL) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(broken), reinstall,
			"%s does not run: %s.", path,
			result.why != NULL ? result.why : "it does not tell its version");
	} else if (!fits) {
		report_add(doctor->report, REPORT_PROBLEM,
			error_code_string(ERROR_VERSION_MISMATCH), reinstall,
			"%s has version %s, this program %s.", path, version, PORTLIGHT_VERSION);
	} else {
		report_add(doctor->report, REPORT_OK, code, NULL, "%s %s", path, version);
	}
	report_detail(doctor->report, "path", path);
	report_detail(doctor->report, "version", version);
	return fits;
}

void check_host(struct doctor *doctor) {
	(void)check_program(doctor, "portlight-host", doctor->host, "host", ERROR_HOST_MISSING,
		ERROR_HOST_UNUSABLE);
}

/* What the helper tried of itself. */
static void check_tried(struct doctor *doctor, const struct program_result *result) {
	g_autofree char *sandbox = own_checked(doctor, "sandbox");
	g_autofree char *refused = own_checked(doctor, "sandbox-error");
	g_autofree char *codecs = own_checked(doctor, "codec");
	if (refused != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, "sandbox-refused",
			"Nothing is captured without it. The kernel needs CONFIG_SECCOMP_FILTER; a "
			"container has to permit seccomp.",
			"The kernel refuses the capture helper's sandbox: %s.", refused);
	} else if (sandbox != NULL) {
		report_add(doctor->report, REPORT_OK, "sandbox", NULL,
			"The capture helper's sandbox works.");
	}
	if (result->answered && result->status == 0 && codecs != NULL) {
		report_add(doctor->report, REPORT_OK, "codecs", NULL, "Codecs: %s", codecs);
		report_detail(doctor->report, "codecs", codecs);
	} else if (!result->answered) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_HELPER_CRASHED),
			reinstall, "%s --check failed: %s.", doctor->helper, result->why);
	} else if (refused == NULL) {
		g_autofree char *works =
			g_strdup_printf("of vp8 and vp9 works: %s", codecs ? codecs : "none");
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_ENCODER_FAILED),
			"Reinstall Portlight and libvpx.", "%s (%s)",
			error_message(ERROR_ENCODER_FAILED), works);
	}
}

void check_helper(struct doctor *doctor) {
	if (check_program(doctor, "portlight-capture", doctor->helper, "helper",
		    ERROR_HELPER_MISSING, ERROR_HELPER_CRASHED)) {
		struct program_result result =
			programs_result(doctor->programs, doctor->helper, "--check");
		check_tried(doctor, &result);
	}
}

void check_choices(struct doctor *doctor) {
	g_autofree struct grant_list *list = g_new0(struct grant_list, 1);
	g_autofree char *detail = NULL;
	enum error_code code = grants_file_read(list, &detail);
	if (code != ERROR_NONE) {
		report_error(doctor->report, code, detail);
		return;
	}
	report_add(doctor->report, REPORT_OK, "choices", NULL,
		"Remembered choices: %zu (portlight grants lists them)", list->count);
	report_number(doctor->report, "count", (long long)list->count);
}

void check_lists(struct doctor *doctor) {
	const GPtrArray *problems = doctor->extensions.problems;
	for (guint i = 0; i < problems->len; i++) {
		report_add(doctor->report, REPORT_PROBLEM, "extension-list",
			"Correct it, then: portlight install", "%s",
			(const char *)problems->pdata[i]);
	}
	guint count = 0;
	for (int family = 0; family < BROWSER_FAMILIES; family++) {
		count += doctor->extensions.names[family]->len;
	}
	report_add(doctor->report, REPORT_OK, "extensions", NULL,
		"Extensions that the host lets in: %u", count);
	report_number(doctor->report, "count", count);
}
