/*
 * The life of one share, as a pure state machine: events in, actions out. It does no I/O; share.c
 * carries the actions out. Every event is defined in every state.
 *
 *	ASKING -> GRANTED -> CONNECTING -> STARTING -> LIVE -> CLOSING -> ENDED
 */
#pragma once

#include <stdbool.h>

#include "wire/errors.h"

enum share_state {
	SHARE_ASKING,     /* the portal asks the user; the page does not know the share yet */
	SHARE_GRANTED,    /* the user agreed; the page may open it */
	SHARE_CONNECTING, /* waiting for the PipeWire remote */
	SHARE_STARTING,   /* the helper runs, no picture yet */
	SHARE_LIVE,
	SHARE_CLOSING, /* the page knows that it ended; the helper is exiting */
	SHARE_ENDED,   /* nothing is left */
	SHARE_STATE_COUNT
};

enum share_event {
	/* from the portal */
	SHARE_GRANT,
	SHARE_REMOTE,
	/* from the helper */
	SHARE_READY,
	SHARE_GONE, /* its process was reaped */
	/* from the page */
	SHARE_OPEN,
	SHARE_CREDIT,
	SHARE_CONFIGURE,
	SHARE_KEYFRAME,
	SHARE_STATS,
	SHARE_CANCEL, /* of the pending `share` or `open` */
	SHARE_STOP,
	/* from anywhere: denied, closed by the desktop, crashed, not opened in time, shutdown */
	SHARE_FAIL,
	SHARE_EVENT_COUNT
};

/* Or'ed together; to be carried out in this order. */
enum share_action {
	SHARE_START_TIMER = 1 << 0, /* when it runs out: SHARE_FAIL with ERROR_STOPPED */
	SHARE_STOP_TIMER = 1 << 1,
	SHARE_CONNECT = 1 << 2, /* ask the portal for the PipeWire remote */
	SHARE_START_HELPER = 1 << 3,
	SHARE_DROP_REMOTE = 1 << 4, /* close the descriptor that came */
	SHARE_PASS_CREDIT = 1 << 5,
	SHARE_PASS_KEYFRAME = 1 << 6,
	SHARE_PASS_SETTINGS = 1 << 7,
	SHARE_ANSWER_SHARE = 1 << 8,
	SHARE_ANSWER_OPEN = 1 << 9,
	SHARE_ANSWER_STATS = 1 << 10,
	SHARE_FAIL_SHARE = 1 << 11,  /* `error` to the pending `share`, with the step's code */
	SHARE_FAIL_OPEN = 1 << 12,   /* the same for `open` */
	SHARE_TELL_ENDED = 1 << 13,  /* `ended`, with the step's code */
	SHARE_STOP_HELPER = 1 << 14, /* SHARE_GONE follows */
	/* Leave the screen cast, whatever step it is at. Never while a helper runs: a portal whose
	 * session closes under a stream that is still read may crash (xdg-desktop-portal-wlr 0.7),
	 * and all other shares with it. */
	SHARE_CLOSE_CAST = 1 << 15,
	SHARE_ANSWER_STOP = 1 << 16, /* if a `stop` is pending */
	SHARE_REFUSE = 1 << 17,      /* `error` to the current message, with the step's code */
	SHARE_RELEASE = 1 << 18,     /* last: forget the share */
};

struct share_step {
	unsigned actions; /* enum share_action */
	enum error_code code;
};

/* Moves *state on and says what to do. `code`: why, for SHARE_FAIL; else unused. */
struct share_step share_state_handle(
	enum share_state *state, enum share_event event, enum error_code code);

/* The page knows the share, and not yet its end. */
bool share_state_is_known(enum share_state state);
