#include "capture/pace.h"

void pace_init(struct pace *pace, uint32_t fps) {
	pace->interval_us = 1000000 / fps;
	pace->due_us = INT64_MIN;
}

void pace_set_fps(struct pace *pace, uint32_t fps) {
	int64_t interval = 1000000 / fps;
	if (pace->due_us != INT64_MIN) {
		pace->due_us += interval - pace->interval_us;
	}
	pace->interval_us = interval;
}

int64_t pace_wait(const struct pace *pace, int64_t now_us) {
	if (pace->due_us == INT64_MIN || now_us >= pace->due_us - pace->interval_us / 4) {
		return 0;
	}
	return pace->due_us - now_us;
}

void pace_took(struct pace *pace, int64_t now_us) {
	/* After a pause the past counts for nothing: no burst makes up for it. */
	if (pace->due_us < now_us - pace->interval_us / 2) {
		pace->due_us = now_us;
	}
	pace->due_us += pace->interval_us;
}
