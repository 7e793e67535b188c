#include "capture/codec_choice.h"

#include <sys/param.h>

/* After a longer gap, the time since the last encode was not all heavy. */
#define GAP_MAX_US 250000
/* Longer rests make no difference; the cap keeps products within 64 bits. */
#define REST_MAX_US INT64_C(60000000)
/* Above this rate, readable text matters more than every single picture. */
#define SMOOTH_US (1000000 / 30)

void codec_choice_init(struct codec_choice *choice, enum packet_codec asked) {
	*choice = (struct codec_choice){
		.codec = asked == PACKET_CODEC_AUTO ? PACKET_CODEC_VP9 : asked,
		.fixed = asked != PACKET_CODEC_AUTO,
	};
}

/* `passed_us`: since the last picture. Once VP8 is chosen, slower motion keeps it. */
static bool is_heavy(const struct codec_choice *choice, const struct codec_choice_view *view,
	int64_t passed_us) {
	bool late = view->encode_us > MAX(view->interval_us, SMOOTH_US);
	bool fast = passed_us <= CODEC_CHOICE_FAST_US ||
		    (int64_t)view->changed * 1000000 >= CODEC_CHOICE_FAST_PIXELS * passed_us;
	return codec_choice_most_changed(view) &&
	       (fast || late || choice->codec == PACKET_CODEC_VP8);
}

enum packet_codec codec_choice_see(
	struct codec_choice *choice, const struct codec_choice_view *view) {
	if (choice->fixed) {
		return choice->codec;
	}
	int64_t passed = MIN(view->now_us - choice->seen_us, REST_MAX_US);
	choice->seen_us = view->now_us;
	int64_t heavy = is_heavy(choice, view, passed) ? MIN(passed, GAP_MAX_US) : 0;
	int64_t calm = (passed - heavy) * CODEC_CHOICE_HEAVY_US / CODEC_CHOICE_CALM_US;
	heavy += MAX(choice->heavy_us - calm, 0);
	choice->heavy_us = MIN(heavy, CODEC_CHOICE_HEAVY_US);
	if (!codec_choice_vp8_fits(view->width, view->height) || choice->heavy_us == 0) {
		choice->codec = PACKET_CODEC_VP9;
	} else if (choice->heavy_us == CODEC_CHOICE_HEAVY_US) {
		choice->codec = PACKET_CODEC_VP8;
	}
	return choice->codec;
}

int64_t codec_choice_rest_us(const struct codec_choice *choice) {
	if (choice->fixed || choice->codec == PACKET_CODEC_VP9) {
		return INT64_MAX;
	}
	return choice->seen_us + choice->heavy_us * CODEC_CHOICE_CALM_US / CODEC_CHOICE_HEAVY_US;
}
