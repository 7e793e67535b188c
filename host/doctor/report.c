#include "doctor/report.h"

#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>

#include "config.h"
#include "wire/text.h"

static const char *const words[] = {
	[REPORT_OK] = "ok", [REPORT_NOTE] = "note", [REPORT_PROBLEM] = "problem"};

struct report {
	bool json;
	unsigned problems;
	struct json_object *checks;
	struct json_object *last; /* of them */
};

struct report *report_create(bool json) {
	struct report *report = g_new0(struct report, 1);
	report->json = json;
	report->checks = json_object_new_array();
	return report;
}

void report_destroy(struct report *report) {
	(void)json_object_put(report->checks);
	g_free(report);
}

void report_detail(struct report *report, const char *name, const char *value) {
	if (value != NULL) {
		g_autofree char *text = g_strdup(value);
		text_clean(text);
		(void)json_object_object_add(report->last, name, json_object_new_string(text));
	}
}

void report_number(struct report *report, const char *name, long long value) {
	(void)json_object_object_add(report->last, name, json_object_new_int64(value));
}

void report_add(struct report *report, enum report_status status, const char *code,
	const char *remedy, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	text_clean(text);
	report->problems += status == REPORT_PROBLEM;
	report->last = json_object_new_object();
	(void)json_object_array_add(report->checks, report->last);
	report_detail(report, "status", words[status]);
	report_detail(report, "code", code);
	report_detail(report, "text", text);
	report_detail(report, "remedy", remedy);
	if (report->json) {
		return;
	}
	(void)printf("%-7s  %-18s  %s\n", words[status], code, text);
	if (remedy != NULL) {
		g_autofree char *advice = g_strdup(remedy);
		text_clean(advice);
		(void)printf("%29s%s\n", "", advice);
	}
}

void report_error(struct report *report, enum error_code code, const char *detail) {
	bool told = detail != NULL && detail[0] != '\0';
	report_add(report, REPORT_PROBLEM, error_code_string(code), error_remedy(code), "%s%s%s%s",
		error_message(code), told ? " (" : "", told ? detail : "", told ? ")" : "");
}

unsigned report_problems(const struct report *report) {
	return report->problems;
}

void report_finish(struct report *report) {
	if (!report->json) {
		return;
	}
	struct json_object *all = json_object_new_object();
	(void)json_object_object_add(all, "version", json_object_new_string(PORTLIGHT_VERSION));
	(void)json_object_object_add(all, "ok", json_object_new_boolean(report->problems == 0));
	(void)json_object_object_add(all, "problems", json_object_new_int64(report->problems));
	(void)json_object_object_add(all, "checks", json_object_get(report->checks));
	(void)puts(json_object_to_json_string_ext(
		all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(all);
}
