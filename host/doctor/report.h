/*
 * What doctor found, line by line: on the standard output at once, or as one JSON object in the end
 * (docs/doctor.schema.json). A line has a code that stays the same in all versions; portlight(1)
 * lists them. Where it means the same as an error of wire/errors.def it is that one's.
 */
#pragma once

#include <stdbool.h>

#include "wire/errors.h"

enum report_status { REPORT_OK, REPORT_NOTE, REPORT_PROBLEM };

struct report;

struct report *report_create(bool json);
void report_destroy(struct report *report);

/* Adds a line. The text may quote other programs: control characters become '?'. `remedy` may be
 * NULL. */
void report_add(struct report *report, enum report_status status, const char *code,
	const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A problem of the catalogue, with its remedy; `detail` may be NULL. */
void report_error(struct report *report, enum error_code code, const char *detail);

/* What JSON has of the last line beside its text, a word of the schema. NULL: it is unknown. */
void report_detail(struct report *report, const char *name, const char *value);
void report_number(struct report *report, const char *name, long long value);

unsigned report_problems(const struct report *report);

/* Prints the JSON, if it is wanted. */
void report_finish(struct report *report);
