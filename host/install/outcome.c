#include "install/outcome.h"

#include <json-c/json.h>
#include <stdio.h>

#include "wire/text.h"

static const struct {
	const char *word; /* in JSON */
	const char *did;
	const char *would;
} words[] = {
	[OUTCOME_WRITTEN] = {"written", "wrote", "would write"},
	[OUTCOME_SAME] = {"same", "nothing to change in", "nothing to change in"},
	[OUTCOME_REMOVED] = {"removed", "removed", "would remove"},
	[OUTCOME_KEPT] = {"kept", NULL, NULL},
	[OUTCOME_PACKAGED] = {"packaged", NULL, NULL},
	[OUTCOME_ABSENT] = {"absent", NULL, NULL},
	[OUTCOME_SANDBOXED] = {"sandboxed", NULL, NULL},
	[OUTCOME_FAILED] = {"failed", NULL, NULL},
};

void outcomes_init(struct outcomes *outcomes, bool json) {
	*outcomes = (struct outcomes){
		.results = json ? json_object_new_array() : NULL,
		.absent = g_string_new(NULL),
	};
}

static void add_member(struct json_object *object, const char *key, const char *value) {
	if (value != NULL && value[0] != '\0') {
		g_autofree char *text = g_utf8_make_valid(value, -1);
		(void)json_object_object_add(object, key, json_object_new_string(text));
	}
}

static void add_json(struct outcomes *outcomes, enum outcome outcome, const char *name,
	const char *path, const char *remedy, const char *text) {
	struct json_object *object = json_object_new_object();
	add_member(object, "name", name);
	add_member(object, "result", words[outcome].word);
	add_member(object, "path", path);
	add_member(object, "text", text);
	add_member(object, "remedy", remedy);
	(void)json_object_array_add(outcomes->results, object);
}

/* The text may quote other programs. */
static void print_line(char *line, const char *remedy) {
	text_clean(line);
	(void)puts(line);
	if (remedy != NULL) {
		(void)printf("  %s\n", remedy);
	}
}

static void add_line(struct outcomes *outcomes, enum outcome outcome, const char *name,
	const char *path, const char *remedy, const char *text) {
	const char *did = outcomes->dry_run ? words[outcome].would : words[outcome].did;
	if (outcome == OUTCOME_ABSENT) {
		g_string_append_printf(
			outcomes->absent, "%s%s", outcomes->absent->len > 0 ? ", " : "", name);
	} else if (did != NULL) {
		bool told = path != NULL && text[0] != '\0';
		g_autofree char *line =
			g_strdup_printf("%s: %s %s%s%s%s", name, did, path != NULL ? path : text,
				told ? " (" : "", told ? text : "", told ? ")" : "");
		print_line(line, remedy);
	} else {
		g_autofree char *line = g_strdup_printf("%s: %s", name, text);
		print_line(line, remedy);
	}
}

void outcomes_add(struct outcomes *outcomes, enum outcome outcome, const char *name,
	const char *path, const char *remedy, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	bool problem =
		outcome == OUTCOME_FAILED || (outcome == OUTCOME_KEPT && outcomes->keeping_fails);
	outcomes->failed = outcomes->failed || problem;
	outcomes->sandboxed = outcomes->sandboxed || outcome == OUTCOME_SANDBOXED;
	outcomes->told++;
	if (outcomes->results != NULL) {
		add_json(outcomes, outcome, name, path, remedy, text);
	}
	if (problem) {
		say_problem(remedy, "%s", text);
	} else if (outcomes->results == NULL && !outcomes->quiet) {
		add_line(outcomes, outcome, name, path, remedy, text);
	}
}

void outcomes_nothing(const struct outcomes *outcomes) {
	if (outcomes->told == 0 && outcomes->results == NULL && !outcomes->quiet) {
		(void)puts("There was nothing to remove.");
	}
}

enum exit_status outcomes_finish(struct outcomes *outcomes) {
	if (outcomes->results != NULL) {
		struct json_object *all = json_object_new_object();
		(void)json_object_object_add(all, "ok", json_object_new_boolean(!outcomes->failed));
		(void)json_object_object_add(
			all, "dryRun", json_object_new_boolean(outcomes->dry_run));
		(void)json_object_object_add(all, "results", outcomes->results);
		(void)puts(json_object_to_json_string_ext(
			all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		(void)json_object_put(all);
	} else if (outcomes->absent->len > 0) {
		(void)printf("Not here: %s.\n", outcomes->absent->str);
	}
	(void)g_string_free(outcomes->absent, TRUE);
	return outcomes->failed ? EXIT_PROBLEM : EXIT_DONE;
}
