#include "capture/follow.h"

/* Where pictures are further apart than this, a slow one delays no other by two, and there is
 * nothing to hurry for. */
#define HURRY_INTERVAL_MAX_US 50000
/* While an encoder searches, pictures are left out, and the next one is farther away: in mid-scroll
 * one search after the other would not end. So many times as long as the last one took pass until
 * the next, */
#define SEARCH_REST 10
/* and so many where it took longer than two pictures. */
#define SEARCH_REST_SLOW 100

/* Something small that changes between two steps, as a pointer, is no rest: who scrolls on would
 * wait for one search after the other. */
#define START_REST_US 100000

static bool may_search(const struct follow *follow, const struct follow_view *view) {
	bool slow = follow->search_us > 2 * view->interval_us;
	int64_t rest = follow->search_us * (slow ? SEARCH_REST_SLOW : SEARCH_REST);
	return view->now_us - follow->searched_us >= rest;
}

void follow_see(struct follow *follow, const struct picture *picture,
	const struct follow_view *view, struct encoder_wish *wish) {
	struct scroll_step step = {0};
	if (view->all) {
		step = scroll_see(&follow->scroll, picture);
	}
	if (!view->all || view->fresh) {
		scroll_rest(&follow->scroll);
	}
	/* VP9 finds what moves in its own ways. */
	bool known = !view->fresh && wish->codec == PACKET_CODEC_VP8;
	follow->started = step.starts && view->now_us - follow->seen_us >= START_REST_US;
	bool search = known && (follow->started || may_search(follow, view));
	/* After a keyframe nothing is known of the steps before, and the next one is a beginning.
	 */
	if (view->fresh) {
		follow->seen_us = view->now_us - START_REST_US;
	} else if (view->all) {
		follow->seen_us = view->now_us;
	}
	wish->way = search ? step.way : 0;
	wish->hurried = known && step.breaks && wish->way == 0 &&
			view->interval_us <= HURRY_INTERVAL_MAX_US;
}

void follow_encoded(struct follow *follow, const struct encoder_wish *wish, int64_t began_us,
	int64_t encode_us) {
	/* One that begins a scroll says nothing of these: after a keyframe, which is coarse, it
	 * takes longer. */
	if (wish->way > 0 && !follow->started) {
		follow->search_us = encode_us;
		follow->searched_us = began_us;
	}
}
