/* The share's state machine: every event in every state, and what must hold on any walk. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "control/session.h"

struct row {
	enum session_state next;
	unsigned actions;
	enum error_code code;
};

/* Short names, so that the table reads as one. Versions of clang-format differ here. */
/* clang-format off */
#define STAY(state) {SESSION_##state, 0, ERROR_NONE}
#define REFUSED(state, code) {SESSION_##state, SESSION_REFUSE, ERROR_##code}
#define DROPPED(state) {SESSION_##state, SESSION_DROP_REMOTE, ERROR_NONE}
#define FINISH (SESSION_CLOSE_CAST | SESSION_ANSWER_STOP | SESSION_RELEASE)

/* SESSION_FAIL comes with ERROR_SESSION_CLOSED here. */
static const struct row rows[SESSION_STATE_COUNT][SESSION_EVENT_COUNT] = {
	[SESSION_ASKING] =
		{
			[SESSION_GRANT] = {SESSION_GRANTED,
				SESSION_ANSWER_SHARE | SESSION_START_TIMER, ERROR_NONE},
			[SESSION_REMOTE] = DROPPED(ASKING),
			[SESSION_READY] = STAY(ASKING),
			[SESSION_GONE] = STAY(ASKING),
			[SESSION_OPEN] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_CREDIT] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_CONFIGURE] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_KEYFRAME] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_STATS] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_CANCEL] = {SESSION_ENDED, SESSION_FAIL_SHARE | FINISH,
				ERROR_CANCELLED},
			[SESSION_STOP] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SESSION_FAIL] = {SESSION_ENDED, SESSION_FAIL_SHARE | FINISH,
				ERROR_SESSION_CLOSED},
		},
	[SESSION_GRANTED] =
		{
			[SESSION_GRANT] = STAY(GRANTED),
			[SESSION_REMOTE] = DROPPED(GRANTED),
			[SESSION_READY] = STAY(GRANTED),
			[SESSION_GONE] = STAY(GRANTED),
			[SESSION_OPEN] = {SESSION_CONNECTING, SESSION_STOP_TIMER | SESSION_CONNECT,
				ERROR_NONE},
			[SESSION_CREDIT] = REFUSED(GRANTED, BAD_STATE),
			[SESSION_CONFIGURE] = REFUSED(GRANTED, BAD_STATE),
			[SESSION_KEYFRAME] = REFUSED(GRANTED, BAD_STATE),
			[SESSION_STATS] = REFUSED(GRANTED, BAD_STATE),
			[SESSION_CANCEL] = REFUSED(GRANTED, BAD_STATE),
			[SESSION_STOP] = {SESSION_ENDED,
				SESSION_STOP_TIMER | SESSION_TELL_ENDED | FINISH, ERROR_STOPPED},
			[SESSION_FAIL] = {SESSION_ENDED,
				SESSION_STOP_TIMER | SESSION_TELL_ENDED | FINISH,
				ERROR_SESSION_CLOSED},
		},
	[SESSION_CONNECTING] =
		{
			[SESSION_GRANT] = STAY(CONNECTING),
			[SESSION_REMOTE] = {SESSION_STARTING, SESSION_START_HELPER, ERROR_NONE},
			[SESSION_READY] = STAY(CONNECTING),
			[SESSION_GONE] = STAY(CONNECTING),
			[SESSION_OPEN] = REFUSED(CONNECTING, BAD_STATE),
			[SESSION_CREDIT] = REFUSED(CONNECTING, BAD_STATE),
			[SESSION_CONFIGURE] = REFUSED(CONNECTING, BAD_STATE),
			[SESSION_KEYFRAME] = REFUSED(CONNECTING, BAD_STATE),
			[SESSION_STATS] = REFUSED(CONNECTING, BAD_STATE),
			[SESSION_CANCEL] = {SESSION_ENDED,
				SESSION_FAIL_OPEN | SESSION_TELL_ENDED | FINISH, ERROR_CANCELLED},
			[SESSION_STOP] = {SESSION_ENDED,
				SESSION_FAIL_OPEN | SESSION_TELL_ENDED | FINISH, ERROR_STOPPED},
			[SESSION_FAIL] =
				{SESSION_ENDED, SESSION_FAIL_OPEN | SESSION_TELL_ENDED | FINISH,
					ERROR_SESSION_CLOSED},
		},
	[SESSION_STARTING] =
		{
			[SESSION_GRANT] = STAY(STARTING),
			[SESSION_REMOTE] = DROPPED(STARTING),
			[SESSION_READY] = {SESSION_LIVE, SESSION_ANSWER_OPEN, ERROR_NONE},
			[SESSION_GONE] = STAY(STARTING),
			[SESSION_OPEN] = REFUSED(STARTING, BAD_STATE),
			[SESSION_CREDIT] = REFUSED(STARTING, BAD_STATE),
			[SESSION_CONFIGURE] = REFUSED(STARTING, BAD_STATE),
			[SESSION_KEYFRAME] = REFUSED(STARTING, BAD_STATE),
			[SESSION_STATS] = REFUSED(STARTING, BAD_STATE),
			[SESSION_CANCEL] = {SESSION_CLOSING,
				SESSION_FAIL_OPEN | SESSION_TELL_ENDED | SESSION_STOP_HELPER,
				ERROR_CANCELLED},
			[SESSION_STOP] = {SESSION_CLOSING,
				SESSION_FAIL_OPEN | SESSION_TELL_ENDED | SESSION_STOP_HELPER,
				ERROR_STOPPED},
			[SESSION_FAIL] = {SESSION_CLOSING,
				SESSION_FAIL_OPEN | SESSION_TELL_ENDED | SESSION_STOP_HELPER,
				ERROR_SESSION_CLOSED},
		},
	[SESSION_LIVE] =
		{
			[SESSION_GRANT] = STAY(LIVE),
			[SESSION_REMOTE] = DROPPED(LIVE),
			[SESSION_READY] = STAY(LIVE),
			[SESSION_GONE] = STAY(LIVE),
			[SESSION_OPEN] = REFUSED(LIVE, BAD_STATE),
			[SESSION_CREDIT] = {SESSION_LIVE, SESSION_PASS_CREDIT, ERROR_NONE},
			[SESSION_CONFIGURE] = {SESSION_LIVE, SESSION_PASS_SETTINGS, ERROR_NONE},
			[SESSION_KEYFRAME] = {SESSION_LIVE, SESSION_PASS_KEYFRAME, ERROR_NONE},
			[SESSION_STATS] = {SESSION_LIVE, SESSION_ANSWER_STATS, ERROR_NONE},
			[SESSION_CANCEL] = REFUSED(LIVE, BAD_STATE),
			[SESSION_STOP] = {SESSION_CLOSING, SESSION_TELL_ENDED | SESSION_STOP_HELPER,
				ERROR_STOPPED},
			[SESSION_FAIL] = {SESSION_CLOSING, SESSION_TELL_ENDED | SESSION_STOP_HELPER,
				ERROR_SESSION_CLOSED},
		},
	[SESSION_CLOSING] =
		{
			[SESSION_GRANT] = STAY(CLOSING),
			[SESSION_REMOTE] = DROPPED(CLOSING),
			[SESSION_READY] = STAY(CLOSING),
			[SESSION_GONE] = {SESSION_ENDED, FINISH, ERROR_NONE},
			[SESSION_OPEN] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_CREDIT] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_CONFIGURE] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_KEYFRAME] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_STATS] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_CANCEL] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_STOP] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SESSION_FAIL] = STAY(CLOSING),
		},
	[SESSION_ENDED] =
		{
			[SESSION_GRANT] = STAY(ENDED),
			[SESSION_REMOTE] = DROPPED(ENDED),
			[SESSION_READY] = STAY(ENDED),
			[SESSION_GONE] = STAY(ENDED),
			[SESSION_OPEN] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_CREDIT] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_CONFIGURE] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_KEYFRAME] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_STATS] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_CANCEL] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_STOP] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SESSION_FAIL] = STAY(ENDED),
		},
};
/* clang-format on */

static void every_event_in_every_state(void **unused) {
	(void)unused;
	for (int from = 0; from < SESSION_STATE_COUNT; from++) {
		for (int event = 0; event < SESSION_EVENT_COUNT; event++) {
			const struct row *row = &rows[from][event];
			enum session_state state = (enum session_state)from;
			struct session_step step = session_handle(
				&state, (enum session_event)event, ERROR_SESSION_CLOSED);
			if (state != row->next || step.actions != row->actions ||
				step.code != row->code) {
				fail_msg("state %d, event %d: -> %d, actions %#x, code %s", from,
					event, (int)state, step.actions,
					error_code_string(step.code));
			}
		}
	}
}

/* What the page and the parts have seen on one walk. */
struct walk {
	int shares_answered; /* result or error */
	int opens_pending;
	int told_ended;
	bool granted;
	bool helper_ran;
	bool helper_runs;
	bool timer_runs;
	int cast_closed;
	int released;
};

static void follow(struct walk *walk, unsigned actions, enum session_event event) {
	assert_int_equal(walk->released, 0);
	walk->timer_runs |= (actions & SESSION_START_TIMER) != 0;
	walk->timer_runs &= (actions & SESSION_STOP_TIMER) == 0;
	walk->granted |= (actions & SESSION_ANSWER_SHARE) != 0;
	walk->shares_answered += (actions & (SESSION_ANSWER_SHARE | SESSION_FAIL_SHARE)) != 0;
	if (event == SESSION_OPEN && (actions & SESSION_REFUSE) == 0) {
		walk->opens_pending++;
	}
	if ((actions & (SESSION_ANSWER_OPEN | SESSION_FAIL_OPEN)) != 0) {
		walk->opens_pending--;
	}
	assert_in_range(walk->opens_pending, 0, 1);
	if ((actions & SESSION_START_HELPER) != 0) {
		assert_false(walk->helper_runs);
		walk->helper_runs = walk->helper_ran = true;
	}
	if ((actions & (SESSION_PASS_CREDIT | SESSION_PASS_KEYFRAME | SESSION_PASS_SETTINGS |
			       SESSION_ANSWER_STATS | SESSION_STOP_HELPER)) != 0) {
		assert_true(walk->helper_runs);
		assert_int_equal(
			walk->told_ended, 0); /* the helper is stopped once, with `ended` */
	}
	walk->told_ended += (actions & SESSION_TELL_ENDED) != 0;
	walk->helper_runs &= event != SESSION_GONE;
	if ((actions & SESSION_CLOSE_CAST) != 0) {
		assert_false(walk->helper_runs);
		walk->cast_closed++;
	}
	walk->released += (actions & SESSION_RELEASE) != 0;
}

/* An event that the parts could deliver now: a helper that runs not is not heard. */
static bool possible(const struct walk *walk, enum session_event event) {
	switch (event) {
	case SESSION_READY:
		return walk->helper_runs && walk->told_ended == 0;
	case SESSION_GONE:
		return walk->helper_runs && walk->told_ended > 0;
	default:
		return true;
	}
}

static void any_walk_ends_everything_once(void **unused) {
	(void)unused;
	srand(20240229);
	int walks_with_helper = 0;
	for (int i = 0; i < 20000; i++) {
		struct walk walk = {0};
		enum session_state state = SESSION_ASKING;
		for (int steps = 0; steps < 400 && state != SESSION_ENDED; steps++) {
			enum session_event event =
				(enum session_event)(rand() % SESSION_EVENT_COUNT);
			if (!possible(&walk, event)) {
				continue;
			}
			struct session_step step =
				session_handle(&state, event, ERROR_HELPER_CRASHED);
			if (event == SESSION_REMOTE) {
				/* A descriptor that came is used once or closed once. */
				unsigned uses =
					step.actions & (SESSION_START_HELPER | SESSION_DROP_REMOTE);
				assert_true(uses == SESSION_START_HELPER ||
					    uses == SESSION_DROP_REMOTE);
			}
			follow(&walk, step.actions, event);
		}
		assert_int_equal(state, SESSION_ENDED);
		assert_int_equal(walk.shares_answered, 1);
		assert_int_equal(walk.opens_pending, 0);
		assert_int_equal(walk.told_ended, walk.granted ? 1 : 0);
		assert_int_equal(walk.cast_closed, 1);
		assert_false(walk.timer_runs);
		assert_int_equal(walk.released, 1);
		walks_with_helper += walk.helper_ran;
	}
	assert_true(walks_with_helper > 100);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_every_state),
		cmocka_unit_test(any_walk_ends_everything_once),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
