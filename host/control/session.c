#include "control/session.h"

/* Nothing of the share is left, and no helper has to be waited for. */
#define FINISH (SESSION_CLOSE_CAST | SESSION_ANSWER_STOP | SESSION_RELEASE)

static struct session_step step(unsigned actions, enum error_code code) {
	return (struct session_step){actions, code};
}

static struct session_step move(enum session_state *state, enum session_state next,
	unsigned actions, enum error_code code) {
	*state = next;
	return step(actions, code);
}

/* What an event means where it has no meaning of its own: the page's messages get `refusal`. */
static struct session_step decline(enum session_event event, enum error_code refusal) {
	switch (event) {
	case SESSION_OPEN:
	case SESSION_CREDIT:
	case SESSION_CONFIGURE:
	case SESSION_KEYFRAME:
	case SESSION_STATS:
	case SESSION_CANCEL:
	case SESSION_STOP:
		return step(SESSION_REFUSE, refusal);
	case SESSION_REMOTE:
		return step(SESSION_DROP_REMOTE, ERROR_NONE);
	case SESSION_GRANT:
	case SESSION_READY:
	case SESSION_GONE:
	case SESSION_FAIL:
	case SESSION_EVENT_COUNT:
		break;
	}
	return step(0, ERROR_NONE);
}

/* Why the three events that end a share end it. */
static enum error_code end_code(enum session_event event, enum error_code code) {
	return event == SESSION_CANCEL ? ERROR_CANCELLED
	       : event == SESSION_STOP ? ERROR_STOPPED
				       : code;
}

static struct session_step handle_asking(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (event) {
	case SESSION_GRANT:
		return move(state, SESSION_GRANTED, SESSION_ANSWER_SHARE | SESSION_START_TIMER,
			ERROR_NONE);
	case SESSION_CANCEL:
	case SESSION_FAIL:
		return move(
			state, SESSION_ENDED, SESSION_FAIL_SHARE | FINISH, end_code(event, code));
	default:
		return decline(event, ERROR_UNKNOWN_SHARE);
	}
}

static struct session_step handle_granted(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (event) {
	case SESSION_OPEN:
		return move(state, SESSION_CONNECTING, SESSION_STOP_TIMER | SESSION_CONNECT,
			ERROR_NONE);
	case SESSION_STOP:
	case SESSION_FAIL:
		return move(state, SESSION_ENDED, SESSION_STOP_TIMER | SESSION_TELL_ENDED | FINISH,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct session_step handle_connecting(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (event) {
	case SESSION_REMOTE:
		return move(state, SESSION_STARTING, SESSION_START_HELPER, ERROR_NONE);
	case SESSION_CANCEL:
	case SESSION_STOP:
	case SESSION_FAIL:
		return move(state, SESSION_ENDED, SESSION_FAIL_OPEN | SESSION_TELL_ENDED | FINISH,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct session_step handle_starting(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (event) {
	case SESSION_READY:
		return move(state, SESSION_LIVE, SESSION_ANSWER_OPEN, ERROR_NONE);
	case SESSION_CANCEL:
	case SESSION_STOP:
	case SESSION_FAIL:
		return move(state, SESSION_CLOSING,
			SESSION_FAIL_OPEN | SESSION_TELL_ENDED | SESSION_STOP_HELPER,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct session_step handle_live(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (event) {
	case SESSION_CREDIT:
		return step(SESSION_PASS_CREDIT, ERROR_NONE);
	case SESSION_CONFIGURE:
		return step(SESSION_PASS_SETTINGS, ERROR_NONE);
	case SESSION_KEYFRAME:
		return step(SESSION_PASS_KEYFRAME, ERROR_NONE);
	case SESSION_STATS:
		return step(SESSION_ANSWER_STATS, ERROR_NONE);
	case SESSION_STOP:
	case SESSION_FAIL:
		return move(state, SESSION_CLOSING, SESSION_TELL_ENDED | SESSION_STOP_HELPER,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct session_step handle_closing(
	enum session_state *state, enum session_event event, enum error_code code) {
	(void)code;
	if (event == SESSION_GONE) {
		return move(state, SESSION_ENDED, FINISH, ERROR_NONE);
	}
	return decline(event, ERROR_UNKNOWN_SHARE);
}

struct session_step session_handle(
	enum session_state *state, enum session_event event, enum error_code code) {
	switch (*state) {
	case SESSION_ASKING:
		return handle_asking(state, event, code);
	case SESSION_GRANTED:
		return handle_granted(state, event, code);
	case SESSION_CONNECTING:
		return handle_connecting(state, event, code);
	case SESSION_STARTING:
		return handle_starting(state, event, code);
	case SESSION_LIVE:
		return handle_live(state, event, code);
	case SESSION_CLOSING:
		return handle_closing(state, event, code);
	case SESSION_ENDED:
	case SESSION_STATE_COUNT:
		break;
	}
	return decline(event, ERROR_UNKNOWN_SHARE);
}
