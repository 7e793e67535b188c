#include "capture/pace.h"

#include <sys/param.h>

void pace_init(struct pace *pace, uint32_t fps) {
	*pace = (struct pace){
		.interval_us = 1000000 / fps,
		.due_us = INT64_MIN / 2,
		.taken_us = INT64_MIN / 2,
	};
}

void pace_set_fps(struct pace *pace, uint32_t fps) {
	int64_t interval = 1000000 / fps;
	pace->due_us += interval - pace->interval_us;
	pace->interval_us = interval;
}

int64_t pace_wait(const struct pace *pace, int64_t now_us) {
	int64_t early = pace->due_us - pace->interval_us / 4;
	int64_t apart = pace->taken_us + pace->interval_us / 2;
	if (now_us >= early && now_us >= apart) {
		return 0;
	}
	return MAX(pace->due_us, apart) - now_us;
}

void pace_took(struct pace *pace, int64_t now_us) {
	/* No burst makes up for a pause. But some lateness has to be kept: otherwise one late
	 * picture would delay every following one of a producer at exactly this rate. */
	int64_t late = pace->interval_us - pace->interval_us / 4;
	pace->due_us = MAX(pace->due_us, now_us - late) + pace->interval_us;
	pace->taken_us = now_us;
}
