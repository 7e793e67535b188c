/*
 * The grants file (grants_file.h) for a program with a loop: the calls run in a thread, one after
 * the other in the order in which they were made, and the answer comes on the loop.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "control/grants_file.h"

struct grants;

/* What grants_file.h returned; each call fills in its own part. */
struct grants_answer {
	bool ok;                   /* claimed, or kept */
	struct grants_claim claim; /* of grants_claim() */
	enum error_code code;      /* of grants_read() and grants_revoke() */
	char *detail;
	struct grant_list *list; /* of grants_read() */
	size_t revoked;
};

/* `answer` is lent for the call. Never called from within the function that asked, nor once the
 * call's cancellable is cancelled; the file may have changed all the same. */
typedef void (*grants_func)(void *data, const struct grants_answer *answer);

struct grants *grants_create(void);

/* What was asked for is still done while the process lives. NULL is fine. */
void grants_destroy(struct grants *grants);

void grants_claim(struct grants *grants, const char *origin, bool monitor, bool window,
	GCancellable *cancellable, grants_func func, void *data);
void grants_keep(struct grants *grants, const struct grants_claim *claim, const char *token,
	enum protocol_surface surface, GCancellable *cancellable, grants_func func, void *data);
void grants_read(struct grants *grants, GCancellable *cancellable, grants_func func, void *data);
void grants_revoke(struct grants *grants, const char *origin, GCancellable *cancellable,
	grants_func func, void *data);

/* Answers once everything that was asked for before is done. */
void grants_flush(struct grants *grants, grants_func func, void *data);
