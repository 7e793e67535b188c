#include "control/share_state.h"

/* Nothing of the share is left, and no helper has to be waited for. */
#define FINISH (SHARE_CLOSE_CAST | SHARE_ANSWER_STOP | SHARE_RELEASE)

static struct share_step step(unsigned actions, enum error_code code) {
	return (struct share_step){actions, code};
}

static struct share_step move(
	enum share_state *state, enum share_state next, unsigned actions, enum error_code code) {
	*state = next;
	return step(actions, code);
}

/* What an event means where it has no meaning of its own: the page's messages get `refusal`. */
static struct share_step decline(enum share_event event, enum error_code refusal) {
	switch (event) {
	case SHARE_OPEN:
	case SHARE_CREDIT:
	case SHARE_CONFIGURE:
	case SHARE_KEYFRAME:
	case SHARE_STATS:
	case SHARE_CANCEL:
	case SHARE_STOP:
		return step(SHARE_REFUSE, refusal);
	case SHARE_REMOTE:
		return step(SHARE_DROP_REMOTE, ERROR_NONE);
	case SHARE_GRANT:
	case SHARE_READY:
	case SHARE_GONE:
	case SHARE_FAIL:
	case SHARE_EVENT_COUNT:
		break;
	}
	return step(0, ERROR_NONE);
}

/* Why the three events that end a share end it. */
static enum error_code end_code(enum share_event event, enum error_code code) {
	return event == SHARE_CANCEL ? ERROR_CANCELLED : event == SHARE_STOP ? ERROR_STOPPED : code;
}

static struct share_step handle_asking(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_GRANT:
		return move(
			state, SHARE_GRANTED, SHARE_ANSWER_SHARE | SHARE_START_TIMER, ERROR_NONE);
	case SHARE_CANCEL:
	case SHARE_FAIL:
		return move(state, SHARE_ENDED, SHARE_FAIL_SHARE | FINISH, end_code(event, code));
	default:
		return decline(event, ERROR_UNKNOWN_SHARE);
	}
}

static struct share_step handle_granted(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_OPEN:
		return move(state, SHARE_CONNECTING, SHARE_STOP_TIMER | SHARE_CONNECT, ERROR_NONE);
	case SHARE_STOP:
	case SHARE_FAIL:
		return move(state, SHARE_ENDED, SHARE_STOP_TIMER | SHARE_TELL_ENDED | FINISH,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct share_step handle_connecting(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_REMOTE:
		return move(state, SHARE_STARTING, SHARE_START_HELPER, ERROR_NONE);
	case SHARE_CANCEL:
	case SHARE_STOP:
	case SHARE_FAIL:
		return move(state, SHARE_ENDED, SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct share_step handle_starting(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_READY:
		return move(state, SHARE_LIVE, SHARE_ANSWER_OPEN, ERROR_NONE);
	case SHARE_CANCEL:
	case SHARE_STOP:
	case SHARE_FAIL:
		return move(state, SHARE_CLOSING,
			SHARE_FAIL_OPEN | SHARE_TELL_ENDED | SHARE_STOP_HELPER,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct share_step handle_live(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (event) {
	case SHARE_CREDIT:
		return step(SHARE_PASS_CREDIT, ERROR_NONE);
	case SHARE_CONFIGURE:
		return step(SHARE_PASS_SETTINGS, ERROR_NONE);
	case SHARE_KEYFRAME:
		return step(SHARE_PASS_KEYFRAME, ERROR_NONE);
	case SHARE_STATS:
		return step(SHARE_ANSWER_STATS, ERROR_NONE);
	case SHARE_STOP:
	case SHARE_FAIL:
		return move(state, SHARE_CLOSING, SHARE_TELL_ENDED | SHARE_STOP_HELPER,
			end_code(event, code));
	default:
		return decline(event, ERROR_BAD_STATE);
	}
}

static struct share_step handle_closing(
	enum share_state *state, enum share_event event, enum error_code code) {
	(void)code;
	if (event == SHARE_GONE) {
		return move(state, SHARE_ENDED, FINISH, ERROR_NONE);
	}
	return decline(event, ERROR_UNKNOWN_SHARE);
}

struct share_step share_state_handle(
	enum share_state *state, enum share_event event, enum error_code code) {
	switch (*state) {
	case SHARE_ASKING:
		return handle_asking(state, event, code);
	case SHARE_GRANTED:
		return handle_granted(state, event, code);
	case SHARE_CONNECTING:
		return handle_connecting(state, event, code);
	case SHARE_STARTING:
		return handle_starting(state, event, code);
	case SHARE_LIVE:
		return handle_live(state, event, code);
	case SHARE_CLOSING:
		return handle_closing(state, event, code);
	case SHARE_ENDED:
	case SHARE_STATE_COUNT:
		break;
	}
	return decline(event, ERROR_UNKNOWN_SHARE);
}
