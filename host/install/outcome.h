/* What `install` and `uninstall` tell of each thing they were to do: lines, or one JSON object. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tool/say.h"

enum outcome {
	OUTCOME_WRITTEN,   /* or would be, in a dry run */
	OUTCOME_SAME,      /* it was so already */
	OUTCOME_REMOVED,   /* or would be */
	OUTCOME_KEPT,      /* it is not ours */
	OUTCOME_PACKAGED,  /* a package's affair */
	OUTCOME_ABSENT,    /* the browser is not here */
	OUTCOME_SANDBOXED, /* what works in a Flatpak or a Snap */
	OUTCOME_FAILED,
};

struct outcomes {
	bool dry_run;
	bool quiet;
	bool keeping_fails;          /* OUTCOME_KEPT is a problem */
	struct json_object *results; /* NULL: lines */
	GString *absent;
	unsigned told; /* how many there were */
	bool failed;
	bool sandboxed; /* one was OUTCOME_SANDBOXED */
};

/* The members above are the caller's to set between these two: `json` chooses the form. The second
 * prints what is left to print, and frees. */
void outcomes_init(struct outcomes *outcomes, bool json);
enum exit_status outcomes_finish(struct outcomes *outcomes);

/* Says that there was nothing to remove, if nothing was told. */
void outcomes_nothing(const struct outcomes *outcomes);

/* `name`: the browser, or the application; `path` and `remedy` may be NULL. The text is a whole
 * sentence for OUTCOME_KEPT, _PACKAGED, _SANDBOXED and _FAILED; otherwise it is what was changed
 * where `path` is NULL, and may be "". Problems go to stderr in any case. */
void outcomes_add(struct outcomes *outcomes, enum outcome outcome, const char *name,
	const char *path, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
