/*
 * Which codec a share is encoded with whose viewer takes either. Pure: the caller brings the time
 * (microseconds of one clock).
 *
 * VP9 is better where little changes, in cost and in what it shows. Where most of the screen keeps
 * changing it takes twice as long as VP8 to encode, and half as long again to decode, so VP8 is
 * chosen while so much does that this counts, or more than VP9 can encode in time. Only what lasts
 * changes the choice: each change costs a keyframe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/packet.h"

/* So long it has to be heavy for VP8, and then calm for VP9 again; spells of the other kind count
 * against it. */
#define CODEC_CHOICE_HEAVY_US INT64_C(1000000)
#define CODEC_CHOICE_CALM_US INT64_C(2000000)
/* Pictures that follow each other so closely are motion. */
#define CODEC_CHOICE_FAST_US INT64_C(83000)
/* So are slower ones with so many changed pixels a second: all of 3840x2160 three times. */
#define CODEC_CHOICE_FAST_PIXELS INT64_C(24000000)
/* VP8 has 14 bits for a side. VP9 has 16, more than the protocol. */
#define CODEC_CHOICE_VP8_SIDE_MAX 16383u

struct codec_choice {
	enum packet_codec codec; /* VP8 or VP9 */
	bool fixed;
	int64_t seen_us;  /* -1: never */
	int64_t heavy_us; /* 0 to CODEC_CHOICE_HEAVY_US */
};

/* What is to be encoded now. */
struct codec_choice_view {
	int64_t now_us;
	uint64_t changed;    /* pixels; 0: the picture rests */
	uint64_t pixels;     /* of the picture */
	bool vp9_only;       /* it is too long or too high for VP8 */
	int64_t encode_us;   /* how long the last encode took */
	int64_t interval_us; /* between two pictures at the rate that is asked for */
};

/* True when at least half of the picture changed. */
static inline bool codec_choice_most_changed(const struct codec_choice_view *view) {
	return 2 * view->changed >= view->pixels;
}

/* `asked` as in OPEN; only with PACKET_CODEC_AUTO the choice ever changes. */
void codec_choice_init(struct codec_choice *choice, enum packet_codec asked);

/* Whether VP8 can encode pictures of that size. */
bool codec_choice_vp8_fits(uint32_t width, uint32_t height);

/* Before every encode: the codec for it. */
enum packet_codec codec_choice_see(
	struct codec_choice *choice, const struct codec_choice_view *view);

/* When a picture that rests from now on is due for another codec; INT64_MAX: never. */
int64_t codec_choice_rest_us(const struct codec_choice *choice);
