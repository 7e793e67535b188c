#include "doctor/doctor.h"

#include <stdlib.h>

#include "config.h"
#include "doctor/checks.h"
#include "doctor/live.h"
#include "tool/arguments.h"
#include "tool/say.h"

static const char description[] =
	"Checks what screen sharing needs, one line each, and says how to fix what is wrong.\n"
	"Each line has a code that portlight(1) explains.\n"
	"The exit status is 0 when all is well, and 1 when there is a problem.";

static void check_all(struct doctor *doctor) {
	check_session(doctor);
	check_bus(doctor);
	rows_find(doctor);
	portal_start(doctor);
	own_start(doctor);
	rows_start(doctor);
	while (portal_busy(doctor) || programs_busy(doctor->programs)) {
		g_main_context_iteration(NULL, TRUE);
	}
	check_portal(doctor);
	check_pipewire(doctor);
	check_host(doctor);
	check_helper(doctor);
	check_choices(doctor);
	check_lists(doctor);
	check_browsers(doctor);
}

/* What a failed or refused share adds to the exit status. */
static int check_live(struct doctor *doctor) {
	struct live_result result;
	live_run(&result);
	int status = (int)say_exit_status(result.code);
	if (status != EXIT_DONE) {
		report_error(doctor->report, result.code, result.detail);
	} else if (result.frames == 0 && result.signal != 0) {
		report_add(doctor->report, REPORT_NOTE, error_code_string(ERROR_CANCELLED), NULL,
			"The live check was given up.");
		status = EXIT_SIGNAL + result.signal;
	} else if (result.frames == 0) {
		report_error(doctor->report,
			result.code == ERROR_STOPPED ? ERROR_NO_PICTURE : result.code, NULL);
		status = EXIT_CAPTURE;
	} else {
		report_add(doctor->report, REPORT_OK, "live", NULL,
			"A share of %ux%u: %u frames in %.1f s. A still screen sends few.",
			result.width, result.height, result.frames, result.seconds);
		report_number(doctor->report, "width", result.width);
		report_number(doctor->report, "height", result.height);
		report_number(doctor->report, "frames", result.frames);
		report_number(doctor->report, "milliseconds", (long long)(result.seconds * 1000));
	}
	g_free(result.detail);
	return status;
}

static int run(char **names, bool json, bool live) {
	struct doctor doctor = {.names = names};
	doctor.report = report_create(json);
	doctor.programs = programs_create();
	extensions_read(&doctor.extensions, true);
	check_all(&doctor);
	int status = report_problems(doctor.report) == 0 ? EXIT_DONE : EXIT_PROBLEM;
	if (live) {
		int shared = check_live(&doctor);
		status = status == EXIT_DONE ? shared : status;
	}
	report_finish(doctor.report);
	rows_finish(&doctor);
	portal_finish(&doctor);
	programs_destroy(doctor.programs);
	report_destroy(doctor.report);
	extensions_finish(&doctor.extensions);
	g_clear_object(&doctor.bus);
	free(doctor.host);
	free(doctor.helper);
	return status;
}

int command_doctor(int argc, char **argv) {
	gboolean json = FALSE;
	gboolean live = FALSE;
	g_auto(GStrv) names = NULL;
	const GOptionEntry entries[] = {
		{"browser", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &names,
			"Only this browser, even if it never ran here; may be repeated", "NAME"},
		{"json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
		{"live", 'l', 0, G_OPTION_ARG_NONE, &live,
			"Share something for a few seconds and count its frames: asks in the "
			"desktop's dialog",
			NULL},
		{0},
	};
	g_autofree const char **known = browsers_names();
	g_autofree char *list = g_strjoinv(" ", (char **)known);
	g_autofree char *help = g_strdup_printf("%s\n\nBrowsers: %s", description, list);
	if (!arguments_parse(help, entries, argc, argv) ||
		!arguments_known("browser", names, known)) {
		return EXIT_USAGE;
	}
	return run(names, json, live);
}
