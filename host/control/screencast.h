/*
 * One screen cast through the portal: CreateSession, SelectSources, Start, OpenPipeWireRemote,
 * Session.Closed and Session.Close. It has an owner for each of its streams, known by the `data` of
 * its callbacks, and is closed when the last one leaves. Verbs go down, callbacks come up; no
 * callback is called from within a verb, and any verb may be called from a callback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/portal.h"
#include "wire/errors.h"

struct screencast;

/* Further streams of one screen cast are ignored. */
#define SCREENCAST_STREAMS_MAX 16u

struct screencast_options {
	uint32_t source_types;     /* enum portal_source, or'ed: what the user may choose from */
	enum portal_cursor cursor; /* the nearest mode that the portal offers is asked for */
	bool multiple;             /* the user may choose several */
	bool remember;             /* ask for a grant that can be restored, if the portal can */
};

struct screencast_stream {
	uint32_t node_id;          /* the PipeWire node */
	uint32_t source_type;      /* one of enum portal_source that was asked for; 0: unknown */
	enum portal_cursor cursor; /* the mode that the portal was asked for */
	uint32_t width;            /* in the compositor's units; 0: unknown */
	uint32_t height;
	bool restored;     /* a token was used; the portal may still have asked the user */
	const char *token; /* to restore it the next time, lent for the call; NULL: none */
};

struct screencast_listener {
	/* The portal can restore an earlier grant: call screencast_restore(). Once, and only with
	 * options.remember. */
	void (*restore)(void *data);
	/* The user agreed. Once. `count` is 1 to SCREENCAST_STREAMS_MAX, and 1 without
	 * options.multiple. */
	void (*granted)(void *data, const struct screencast_stream *streams, size_t count);
	/* The PipeWire remote that screencast_open_remote() asked for; the receiver owns `fd`. */
	void (*remote)(void *data, int fd);
	/*
	 * It is over, once and last for each owner: denied, failed, or closed by the desktop
	 * (ERROR_SESSION_CLOSED, ERROR_BUS_LOST). `detail` may be NULL. The owner still has to
	 * leave.
	 */
	void (*ended)(void *data, enum error_code code, const char *detail);
};

/* Starts to ask, with `data` as the first owner. `portal` and `listener` must outlive it. */
struct screencast *screencast_create(struct portal *portal,
	const struct screencast_options *options, const struct screencast_listener *listener,
	void *data);

/* Answers `restore`: with `persist`, asks for a grant that can be restored. `token` is the one of
 * an earlier grant, which this uses up, or NULL. */
void screencast_restore(struct screencast *screencast, bool persist, const char *token);

/* After `granted`: one more owner. */
void screencast_join(struct screencast *screencast, void *data);

/* After `granted`: asks for a connection to PipeWire for this owner. */
void screencast_open_remote(struct screencast *screencast, void *data);

/* At any step: this owner gets no more callbacks. The last one to leave withdraws what is pending
 * (the dialog closes), closes the session and frees; by then nothing may read the streams. A NULL
 * screencast is fine. */
void screencast_leave(struct screencast *screencast, void *data);
