/* The share's state machine: every event in every state, and what must hold on any walk. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "control/share_state.h"

struct row {
	enum share_state next;
	unsigned actions;
	enum error_code code;
};

/* Short names, so that the table reads as one. Versions of clang-format differ here. */
/* clang-format off */
#define STAY(state) {SHARE_##state, 0, ERROR_NONE}
#define REFUSED(state, code) {SHARE_##state, SHARE_REFUSE, ERROR_##code}
#define DROPPED(state) {SHARE_##state, SHARE_DROP_REMOTE, ERROR_NONE}
#define FINISH (SHARE_CLOSE_CAST | SHARE_ANSWER_STOP | SHARE_RELEASE)

/* SHARE_FAIL comes with ERROR_SESSION_CLOSED here. */
static const struct row rows[SHARE_STATE_COUNT][SHARE_EVENT_COUNT] = {
	[SHARE_ASKING] =
		{
			[SHARE_GRANT] = {SHARE_GRANTED,
				SHARE_ANSWER_SHARE | SHARE_START_TIMER, ERROR_NONE},
			[SHARE_REMOTE] = DROPPED(ASKING),
			[SHARE_READY] = STAY(ASKING),
			[SHARE_GONE] = STAY(ASKING),
			[SHARE_OPEN] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_CREDIT] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_CONFIGURE] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_KEYFRAME] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_STATS] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_CANCEL] = {SHARE_ENDED, SHARE_FAIL_SHARE | FINISH,
				ERROR_CANCELLED},
			[SHARE_STOP] = REFUSED(ASKING, UNKNOWN_SHARE),
			[SHARE_FAIL] = {SHARE_ENDED, SHARE_FAIL_SHARE | FINISH,
				ERROR_SESSION_CLOSED},
		},
	[SHARE_GRANTED] =
		{
			[SHARE_GRANT] = STAY(GRANTED),
			[SHARE_REMOTE] = DROPPED(GRANTED),
			[SHARE_READY] = STAY(GRANTED),
			[SHARE_GONE] = STAY(GRANTED),
			[SHARE_OPEN] = {SHARE_CONNECTING, SHARE_STOP_TIMER | SHARE_CONNECT,
				ERROR_NONE},
			[SHARE_CREDIT] = REFUSED(GRANTED, BAD_STATE),
			[SHARE_CONFIGURE] = REFUSED(GRANTED, BAD_STATE),
			[SHARE_KEYFRAME] = REFUSED(GRANTED, BAD_STATE),
			[SHARE_STATS] = REFUSED(GRANTED, BAD_STATE),
			[SHARE_CANCEL] = REFUSED(GRANTED, BAD_STATE),
			[SHARE_STOP] = {SHARE_ENDED,
				SHARE_STOP_TIMER | SHARE_TELL_ENDED | FINISH, ERROR_STOPPED},
			[SHARE_FAIL] = {SHARE_ENDED,
				SHARE_STOP_TIMER | SHARE_TELL_ENDED | FINISH,
				ERROR_SESSION_CLOSED},
		},
	[SHARE_CONNECTING] =
		{
			[SHARE_GRANT] = STAY(CONNECTING),
			[SHARE_REMOTE] = {SHARE_STARTING, SHARE_START_HELPER, ERROR_NONE},
			[SHARE_READY] = STAY(CONNECTING),
			[SHARE_GONE] = STAY(CONNECTING),
			[SHARE_OPEN] = REFUSED(CONNECTING, BAD_STATE),
			[SHARE_CREDIT] = REFUSED(CONNECTING, BAD_STATE),
			[SHARE_CONFIGURE] = REFUSED(CONNECTING, BAD_STATE),
			[SHARE_KEYFRAME] = REFUSED(CONNECTING, BAD_STATE),
			[SHARE_STATS] = REFUSED(CONNECTING, BAD_STATE),
			[SHARE_CANCEL] = {SHARE_ENDED,
				SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH, ERROR_CANCELLED},
			[SHARE_STOP] = {SHARE_ENDED,
				SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH, ERROR_STOPPED},
			[SHARE_FAIL] =
				{SHARE_ENDED, SHARE_FAIL_OPEN | SHARE_TELL_ENDED | FINISH,
					ERROR_SESSION_CLOSED},
		},
	[SHARE_STARTING] =
		{
			[SHARE_GRANT] = STAY(STARTING),
			[SHARE_REMOTE] = DROPPED(STARTING),
			[SHARE_READY] = {SHARE_LIVE, SHARE_ANSWER_OPEN, ERROR_NONE},
			[SHARE_GONE] = STAY(STARTING),
			[SHARE_OPEN] = REFUSED(STARTING, BAD_STATE),
			[SHARE_CREDIT] = REFUSED(STARTING, BAD_STATE),
			[SHARE_CONFIGURE] = REFUSED(STARTING, BAD_STATE),
			[SHARE_KEYFRAME] = REFUSED(STARTING, BAD_STATE),
			[SHARE_STATS] = REFUSED(STARTING, BAD_STATE),
			[SHARE_CANCEL] = {SHARE_CLOSING,
				SHARE_FAIL_OPEN | SHARE_TELL_ENDED | SHARE_STOP_HELPER,
				ERROR_CANCELLED},
			[SHARE_STOP] = {SHARE_CLOSING,
				SHARE_FAIL_OPEN | SHARE_TELL_ENDED | SHARE_STOP_HELPER,
				ERROR_STOPPED},
			[SHARE_FAIL] = {SHARE_CLOSING,
				SHARE_FAIL_OPEN | SHARE_TELL_ENDED | SHARE_STOP_HELPER,
				ERROR_SESSION_CLOSED},
		},
	[SHARE_LIVE] =
		{
			[SHARE_GRANT] = STAY(LIVE),
			[SHARE_REMOTE] = DROPPED(LIVE),
			[SHARE_READY] = STAY(LIVE),
			[SHARE_GONE] = STAY(LIVE),
			[SHARE_OPEN] = REFUSED(LIVE, BAD_STATE),
			[SHARE_CREDIT] = {SHARE_LIVE, SHARE_PASS_CREDIT, ERROR_NONE},
			[SHARE_CONFIGURE] = {SHARE_LIVE, SHARE_PASS_SETTINGS, ERROR_NONE},
			[SHARE_KEYFRAME] = {SHARE_LIVE, SHARE_PASS_KEYFRAME, ERROR_NONE},
			[SHARE_STATS] = {SHARE_LIVE, SHARE_ANSWER_STATS, ERROR_NONE},
			[SHARE_CANCEL] = REFUSED(LIVE, BAD_STATE),
			[SHARE_STOP] = {SHARE_CLOSING, SHARE_TELL_ENDED | SHARE_STOP_HELPER,
				ERROR_STOPPED},
			[SHARE_FAIL] = {SHARE_CLOSING, SHARE_TELL_ENDED | SHARE_STOP_HELPER,
				ERROR_SESSION_CLOSED},
		},
	[SHARE_CLOSING] =
		{
			[SHARE_GRANT] = STAY(CLOSING),
			[SHARE_REMOTE] = DROPPED(CLOSING),
			[SHARE_READY] = STAY(CLOSING),
			[SHARE_GONE] = {SHARE_ENDED, FINISH, ERROR_NONE},
			[SHARE_OPEN] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_CREDIT] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_CONFIGURE] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_KEYFRAME] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_STATS] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_CANCEL] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_STOP] = REFUSED(CLOSING, UNKNOWN_SHARE),
			[SHARE_FAIL] = STAY(CLOSING),
		},
	[SHARE_ENDED] =
		{
			[SHARE_GRANT] = STAY(ENDED),
			[SHARE_REMOTE] = DROPPED(ENDED),
			[SHARE_READY] = STAY(ENDED),
			[SHARE_GONE] = STAY(ENDED),
			[SHARE_OPEN] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_CREDIT] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_CONFIGURE] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_KEYFRAME] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_STATS] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_CANCEL] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_STOP] = REFUSED(ENDED, UNKNOWN_SHARE),
			[SHARE_FAIL] = STAY(ENDED),
		},
};
/* clang-format on */

static void every_event_in_every_state(void **unused) {
	(void)unused;
	for (int from = 0; from < SHARE_STATE_COUNT; from++) {
		for (int event = 0; event < SHARE_EVENT_COUNT; event++) {
			const struct row *row = &rows[from][event];
			enum share_state state = (enum share_state)from;
			struct share_step step = share_state_handle(
				&state, (enum share_event)event, ERROR_SESSION_CLOSED);
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

static void follow(struct walk *walk, unsigned actions, enum share_event event) {
	assert_int_equal(walk->released, 0);
	walk->timer_runs |= (actions & SHARE_START_TIMER) != 0;
	walk->timer_runs &= (actions & SHARE_STOP_TIMER) == 0;
	walk->granted |= (actions & SHARE_ANSWER_SHARE) != 0;
	walk->shares_answered += (actions & (SHARE_ANSWER_SHARE | SHARE_FAIL_SHARE)) != 0;
	if (event == SHARE_OPEN && (actions & SHARE_REFUSE) == 0) {
		walk->opens_pending++;
	}
	if ((actions & (SHARE_ANSWER_OPEN | SHARE_FAIL_OPEN)) != 0) {
		walk->opens_pending--;
	}
	assert_in_range(walk->opens_pending, 0, 1);
	if ((actions & SHARE_START_HELPER) != 0) {
		assert_false(walk->helper_runs);
		walk->helper_runs = walk->helper_ran = true;
	}
	if ((actions & (SHARE_PASS_CREDIT | SHARE_PASS_KEYFRAME | SHARE_PASS_SETTINGS |
			       SHARE_ANSWER_STATS | SHARE_STOP_HELPER)) != 0) {
		assert_true(walk->helper_runs);
		assert_int_equal(
			walk->told_ended, 0); /* the helper is stopped once, with `ended` */
	}
	walk->told_ended += (actions & SHARE_TELL_ENDED) != 0;
	walk->helper_runs &= event != SHARE_GONE;
	if ((actions & SHARE_CLOSE_CAST) != 0) {
		assert_false(walk->helper_runs);
		walk->cast_closed++;
	}
	walk->released += (actions & SHARE_RELEASE) != 0;
}

/* An event that the parts could deliver now: a helper that runs not is not heard. */
static bool possible(const struct walk *walk, enum share_event event) {
	switch (event) {
	case SHARE_READY:
		return walk->helper_runs && walk->told_ended == 0;
	case SHARE_GONE:
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
		enum share_state state = SHARE_ASKING;
		for (int steps = 0; steps < 400 && state != SHARE_ENDED; steps++) {
			enum share_event event = (enum share_event)(rand() % SHARE_EVENT_COUNT);
			if (!possible(&walk, event)) {
				continue;
			}
			struct share_step step =
				share_state_handle(&state, event, ERROR_HELPER_CRASHED);
			if (event == SHARE_REMOTE) {
				/* A descriptor that came is used once or closed once. */
				unsigned uses =
					step.actions & (SHARE_START_HELPER | SHARE_DROP_REMOTE);
				assert_true(
					uses == SHARE_START_HELPER || uses == SHARE_DROP_REMOTE);
			}
			follow(&walk, step.actions, event);
		}
		assert_int_equal(state, SHARE_ENDED);
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
