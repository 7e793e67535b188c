#include "control/share_state.h"

#include <stddef.h>

/* No helper runs: ends everything else. */
#define FINISH (SHARE_CLOSE_CAST | SHARE_ANSWER_STOP | SHARE_RELEASE)
/* Ends the helper first. */
#define CLOSE (SHARE_TELL_ENDED | SHARE_STOP_HELPER)

struct transition {
	enum share_state state;
	enum share_event event;
	enum share_state next;
	unsigned actions;
};

static const struct transition transitions[] = {
	{SHARE_ASKING, SHARE_GRANT, SHARE_GRANTED, SHARE_ANSWER_SHARE | SHARE_START_TIMER},
	{SHARE_ASKING, SHARE_CANCEL, SHARE_ENDED, SHARE_FAIL_SHARE | FINISH},
	{SHARE_ASKING, SHARE_FAIL, SHARE_ENDED, SHARE_FAIL_SHARE | FINISH},

	{SHARE_GRANTED, SHARE_OPEN, SHARE_CONNECTING, SHARE_STOP_TIMER | SHARE_CONNECT},
	{SHARE_GRANTED, SHARE_STOP, SHARE_ENDED, SHARE_STOP_TIMER | SHARE_TELL_ENDED | FINISH},
	{SHARE_GRANTED, SHARE_FAIL, SHARE_ENDED, SHARE_STOP_TIMER | SHARE_TELL_ENDED | FINISH},

	{SHARE_CONNECTING, SHARE_REMOTE, SHARE_STARTING, SHARE_START_HELPER},
	{SHARE_CONNECTING, SHARE_CANCEL, SHARE_ENDED, SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH},
	{SHARE_CONNECTING, SHARE_STOP, SHARE_ENDED, SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH},
	{SHARE_CONNECTING, SHARE_FAIL, SHARE_ENDED, SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH},

	{SHARE_STARTING, SHARE_READY, SHARE_LIVE, SHARE_ANSWER_OPEN},
	{SHARE_STARTING, SHARE_CANCEL, SHARE_CLOSING, SHARE_FAIL_OPEN | CLOSE},
	{SHARE_STARTING, SHARE_STOP, SHARE_CLOSING, SHARE_FAIL_OPEN | CLOSE},
	{SHARE_STARTING, SHARE_FAIL, SHARE_CLOSING, SHARE_FAIL_OPEN | CLOSE},

	{SHARE_LIVE, SHARE_CREDIT, SHARE_LIVE, SHARE_PASS_CREDIT},
	{SHARE_LIVE, SHARE_CONFIGURE, SHARE_LIVE, SHARE_PASS_SETTINGS},
	{SHARE_LIVE, SHARE_KEYFRAME, SHARE_LIVE, SHARE_PASS_KEYFRAME},
	{SHARE_LIVE, SHARE_STATS, SHARE_LIVE, SHARE_ANSWER_STATS},
	{SHARE_LIVE, SHARE_STOP, SHARE_CLOSING, CLOSE},
	{SHARE_LIVE, SHARE_FAIL, SHARE_CLOSING, CLOSE},

	{SHARE_CLOSING, SHARE_GONE, SHARE_ENDED, FINISH},
};

/* Why the three events that end a share end it. */
static enum error_code end_code(enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_CANCEL:
		return ERROR_CANCELLED;
	case SHARE_STOP:
		return ERROR_STOPPED;
	case SHARE_FAIL:
		return code;
	default:
		return ERROR_NONE;
	}
}

bool share_state_is_known(enum share_state state) {
	return state > SHARE_ASKING && state < SHARE_CLOSING;
}

/* An event that changes nothing: a message from the page is refused. */
static struct share_step decline(enum share_state state, enum share_event event) {
	if (event == SHARE_REMOTE) {
		return (struct share_step){SHARE_DROP_REMOTE, ERROR_NONE};
	}
	if (event < SHARE_OPEN || event > SHARE_STOP) {
		return (struct share_step){0, ERROR_NONE};
	}
	return (struct share_step){
		SHARE_REFUSE, share_state_is_known(state) ? ERROR_BAD_STATE : ERROR_UNKNOWN_SHARE};
}

struct share_step share_state_handle(
	enum share_state *state, enum share_event event, enum error_code code) {
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		const struct transition *transition = &transitions[i];
		if (transition->state == *state && transition->event == event) {
			*state = transition->next;
			return (struct share_step){transition->actions, end_code(event, code)};
		}
	}
	return decline(*state, event);
}
