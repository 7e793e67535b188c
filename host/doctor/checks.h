/* Doctor's checks. Each one adds its lines to the report; they are called in the order of the
 * lines, after what takes time was started for all of them and has ended. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "browsers/browsers.h"
#include "browsers/programs.h"
#include "browsers/sandboxes.h"
#include "doctor/report.h"

struct doctor {
	struct report *report;
	struct programs *programs;
	GDBusConnection *bus; /* the session bus, or NULL */
	struct portal_check *portal;
	struct extensions extensions;
	char *host; /* this installation's programs; NULL: missing */
	char *helper;
	char **names;    /* the browsers that are wanted; NULL: those that have run here */
	GPtrArray *rows; /* rows.c's, and so is */
	GPtrArray *sandboxed;
};

/* ---- desktop.c ---- */

void check_session(struct doctor *doctor);
/* Connects. */
void check_bus(struct doctor *doctor);
/* Asks the portal, if there is a bus; the answer comes on the default main context. */
void portal_start(struct doctor *doctor);
bool portal_busy(const struct doctor *doctor);
void check_portal(struct doctor *doctor);
void portal_finish(struct doctor *doctor);
void check_pipewire(struct doctor *doctor);

/* ---- own.c: what belongs to this installation and this user ---- */

/* Finds the programs and starts them. */
void own_start(struct doctor *doctor);
void check_host(struct doctor *doctor);
void check_helper(struct doctor *doctor);
void check_choices(struct doctor *doctor);
void check_lists(struct doctor *doctor);

/* What portlight-capture --check said after the word at the beginning of a line; free with
 * g_free(). NULL: nothing. */
char *own_checked(const struct doctor *doctor, const char *word);

/* ---- rows.c: one for each browser ---- */

/* Finds the browsers, and asks the bus about those in a sandbox: no program may run yet, since the
 * main context does not for ten seconds at worst. */
void rows_find(struct doctor *doctor);
/* Starts the hosts that they would start. */
void rows_start(struct doctor *doctor);
void check_browsers(struct doctor *doctor);
void rows_finish(struct doctor *doctor);

/* ---- extension.c ---- */

/* `flatpak`: of the browser as this Flatpak; NULL: without a sandbox. `name`: what it is called. */
void check_extension(struct doctor *doctor, const struct browser *browser,
	const struct sandboxed *flatpak, const char *name);
