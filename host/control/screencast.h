/*
 * One screen cast through the portal: CreateSession, SelectSources, Start, OpenPipeWireRemote,
 * Session.Closed and Session.Close. Verbs go down, callbacks come up; no callback is called from
 * within a verb, and any verb (screencast_destroy() too) may be called from a callback.
 */
#pragma once

#include <stdint.h>

#include "control/portal.h"
#include "wire/errors.h"

struct screencast;

struct screencast_options {
	uint32_t source_types; /* enum portal_source, or'ed: what the person may choose from */
	enum portal_cursor
		cursor; /* what is wanted; the nearest that the portal offers is asked for */
};

struct screencast_stream {
	uint32_t node_id;          /* the PipeWire node */
	uint32_t source_type;      /* one of enum portal_source; 0: the portal does not say */
	enum portal_cursor cursor; /* the mode that the portal was asked for */
	uint32_t width;            /* in the compositor's units; 0: unknown */
	uint32_t height;
};

struct screencast_listener {
	/* The person agreed. Once. */
	void (*granted)(void *data, const struct screencast_stream *stream);
	/* The PipeWire remote that screencast_open_remote() asked for; the receiver owns `fd`. */
	void (*remote)(void *data, int fd);
	/*
	 * It is over, once and last: denied, failed, or closed by the desktop
	 * (ERROR_SESSION_CLOSED, ERROR_BUS_LOST). `detail` may be NULL. Only
	 * screencast_destroy() is of use after it.
	 */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

/* Starts to ask. `portal` and `listener` must outlive the screencast. */
struct screencast *screencast_create(struct portal *portal,
	const struct screencast_options *options, const struct screencast_listener *listener,
	void *data);

/* After `granted`, and while no other is pending: asks for a connection to PipeWire. */
void screencast_open_remote(struct screencast *screencast);

/* At any step: withdraws what is pending (the dialog closes), closes the session, frees. No
 * callback comes any more. NULL is fine. */
void screencast_destroy(struct screencast *screencast);
