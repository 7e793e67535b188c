/*
 * The life of one share, as a pure state machine: events in, actions out. It does no I/O and holds
 * nothing but its state; share.c carries the actions out. Every event is defined in every state.
 *
 *	ASKING -> GRANTED -> CONNECTING -> STARTING -> LIVE -> CLOSING -> ENDED
 */
#pragma once

#include "wire/errors.h"

enum session_state {
	SESSION_ASKING,     /* the portal asks the person; the page does not know the share yet */
	SESSION_GRANTED,    /* the person agreed; the page may open it */
	SESSION_CONNECTING, /* waiting for the PipeWire remote */
	SESSION_STARTING,   /* the helper runs, no picture yet */
	SESSION_LIVE,
	SESSION_CLOSING, /* the page knows that it ended; the helper is on its way out */
	SESSION_ENDED,   /* nothing is left */
	SESSION_STATE_COUNT
};

enum session_event {
	/* from the portal */
	SESSION_GRANT,
	SESSION_REMOTE,
	/* from the helper */
	SESSION_READY,
	SESSION_GONE, /* its process was reaped */
	/* from the page */
	SESSION_OPEN,
	SESSION_CREDIT,
	SESSION_CONFIGURE,
	SESSION_KEYFRAME,
	SESSION_STATS,
	SESSION_CANCEL, /* of the pending `share` or `open` */
	SESSION_STOP,
	/* from anywhere: denied, closed by the desktop, crashed, not opened in time, shutdown */
	SESSION_FAIL,
	SESSION_EVENT_COUNT
};

/* Or'ed together; to be carried out in this order. */
enum session_action {
	SESSION_START_TIMER =
		1 << 0, /* SESSION_FAIL with ERROR_STOPPED when the page does not open */
	SESSION_STOP_TIMER = 1 << 1,
	SESSION_CONNECT = 1 << 2, /* ask the portal for the PipeWire remote */
	SESSION_START_HELPER = 1 << 3,
	SESSION_DROP_REMOTE = 1 << 4, /* the descriptor that came is of no use any more */
	SESSION_PASS_CREDIT = 1 << 5,
	SESSION_PASS_KEYFRAME = 1 << 6,
	SESSION_PASS_SETTINGS = 1 << 7,
	SESSION_ANSWER_SHARE = 1 << 8,
	SESSION_ANSWER_OPEN = 1 << 9,
	SESSION_ANSWER_STATS = 1 << 10,
	SESSION_FAIL_SHARE = 1 << 11,  /* `error` to the pending `share`, with the step's code */
	SESSION_FAIL_OPEN = 1 << 12,   /* the same for `open` */
	SESSION_TELL_ENDED = 1 << 13,  /* `ended`, with the step's code */
	SESSION_STOP_HELPER = 1 << 14, /* SESSION_GONE follows */
	/* Withdraw from the portal, whatever step it is at. Never while a helper is there: a portal
	 * whose session closes under a stream that is still read may crash (xdg-desktop-portal-wlr
	 * 0.7), and takes all other shares with it. */
	SESSION_CLOSE_CAST = 1 << 15,
	SESSION_ANSWER_STOP = 1 << 16, /* if a `stop` is pending */
	SESSION_REFUSE = 1 << 17,      /* `error` to the message at hand, with the step's code */
	SESSION_RELEASE = 1 << 18,     /* last: forget the share */
};

struct session_step {
	unsigned actions; /* enum session_action */
	enum error_code code;
};

/* Moves *state on and says what is to be done. `code` is why, for SESSION_FAIL; else unused. */
struct session_step session_handle(
	enum session_state *state, enum session_event event, enum error_code code);
