#include "capture/follow.h"

/* Where pictures are further apart than this, a slow one delays at most one other, and there is no
 * need to hurry. */
#define HURRY_INTERVAL_MAX_US 50000
/* While the encoder searches, pictures are skipped, so the next one has moved farther: in
 * mid-scroll one search would follow another. So the next search waits this many times as long as
 * the last one took, */
#define SEARCH_REST 10
/* or this many times if that was longer than two pictures. */
#define SEARCH_REST_SLOW 100
/* A scroll starts after this long a rest. Something small that changes between two steps, like a
 * pointer, is no rest: otherwise every step of the scroll would search. */
#define START_REST_US 100000

static bool may_search(const struct follow *follow, const struct codec_choice_view *view) {
	bool slow = follow->search_us > 2 * view->interval_us;
	int64_t rest = follow->search_us * (slow ? SEARCH_REST_SLOW : SEARCH_REST);
	return view->now_us - follow->searched_us >= rest;
}

void follow_see(struct follow *follow, const struct picture *picture,
	const struct codec_choice_view *view, bool fresh, struct encoder_wish *wish) {
	struct scroll_step step = {0};
	bool all = codec_choice_most_changed(view) && !wish->moving;
	if (all) {
		step = scroll_see(&follow->scroll, picture);
	}
	if (!all || fresh) {
		scroll_rest(&follow->scroll);
	}
	/* VP9 finds moved text by itself. */
	bool known = !fresh && wish->codec == PACKET_CODEC_VP8;
	follow->started = step.starts && view->now_us - follow->seen_us >= START_REST_US;
	bool search = known && (follow->started || may_search(follow, view));
	/* After a keyframe the encoder has no earlier motion: the next step starts a scroll. */
	if (fresh) {
		follow->seen_us = view->now_us - START_REST_US;
	} else if (all) {
		follow->seen_us = view->now_us;
	}
	wish->way = search ? step.way : 0;
	wish->hurried = known && step.breaks && wish->way == 0 &&
			view->interval_us <= HURRY_INTERVAL_MAX_US;
}

void follow_encoded(struct follow *follow, const struct encoder_wish *wish, int64_t began_us,
	int64_t encode_us) {
	/* The start of a scroll doesn't count: after a coarse keyframe it takes longer. */
	if (wish->way > 0 && !follow->started) {
		follow->search_us = encode_us;
		follow->searched_us = began_us;
	}
}
