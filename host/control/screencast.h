/*
 * One screen cast through the portal: CreateSession, SelectSources, Start, OpenPipeWireRemote,
 * Session.Closed and Session.Close. Verbs go down, callbacks come up; no callback is called from
 * within a verb, and any verb (screencast_destroy() too) may be called from a callback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/portal.h"
#include "wire/errors.h"

struct screencast;

/* The streams of one screen cast that are heeded. */
#define SCREENCAST_STREAMS_MAX 16u

struct screencast_options {
	uint32_t source_types; /* enum portal_source, or'ed: what the person may choose from */
	enum portal_cursor
		cursor; /* what is wanted; the nearest that the portal offers is asked for */
	bool multiple;  /* the person may choose several */
	bool remember;  /* ask for a grant that can be restored, where the portal knows such */
};

struct screencast_stream {
	uint32_t node_id;          /* the PipeWire node */
	uint32_t source_type;      /* one of enum portal_source that was asked for; 0: not known */
	enum portal_cursor cursor; /* the mode that the portal was asked for */
	uint32_t width;            /* in the compositor's units; 0: unknown */
	uint32_t height;
	bool restored; /* the token that `restore` gave was used; the portal does not say whether it
			  asked the person all the same */
	const char *token; /* for the next time, lent for the call; NULL: there is none */
};

struct screencast_listener {
	/*
	 * The portal is about to be asked for a grant that can be restored: *token, if not NULL, is
	 * the token of an earlier one, lent for the call, and used up by it. False: nothing is to
	 * be remembered after all. Only with options.remember.
	 */
	bool (*restore)(void *data, const char **token);
	/* The person agreed. Once. `count` is 1 to SCREENCAST_STREAMS_MAX, and 1 without
	 * options.multiple. */
	void (*granted)(void *data, const struct screencast_stream *streams, size_t count);
	/* The PipeWire remote that screencast_open_remote() asked for; the receiver owns `fd`. */
	void (*remote)(void *data, int fd);
	/*
	 * It is over, once and last: denied, failed, or closed by the desktop
	 * (ERROR_SESSION_CLOSED, ERROR_BUS_LOST). `detail` may be NULL. Only
	 * screencast_destroy() is of use after it; a session that is left is closed there.
	 */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

/* Starts to ask. `portal` and `listener` must outlive the screencast. */
struct screencast *screencast_create(struct portal *portal,
	const struct screencast_options *options, const struct screencast_listener *listener,
	void *data);

/* After `granted`: asks for a connection to PipeWire. */
void screencast_open_remote(struct screencast *screencast);

/* At any step: withdraws what is pending (the dialog closes), closes the session, frees. No
 * callback comes any more. Whoever reads the streams must be gone by then. NULL is fine. */
void screencast_destroy(struct screencast *screencast);
