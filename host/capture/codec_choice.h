/*
 * Chooses the codec of a share whose viewer takes either. Pure: the caller passes the time, in
 * microseconds of one clock.
 *
 * VP9 is cheaper and looks better where little changes. Where most of the screen keeps changing, it
 * takes twice as long as VP8 to encode and half as long again to decode. VP8 is chosen while such
 * changes are frequent, or take VP9 too long to encode. Only a lasting change of load changes the
 * codec, because that costs a keyframe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/packet.h"

/* The load has to be heavy this long for VP8, and then calm this long for VP9 again; time of the
 * other kind is subtracted. */
#define CODEC_CHOICE_HEAVY_US INT64_C(1000000)
#define CODEC_CHOICE_CALM_US INT64_C(2000000)
/* Pictures that follow each other this closely are motion. */
#define CODEC_CHOICE_FAST_US INT64_C(83000)
/* So are slower ones with this many changed pixels a second: all of 3840x2160 three times. */
#define CODEC_CHOICE_FAST_PIXELS INT64_C(24000000)
/* VP8 has 14 bits for a side. VP9 has 16, more than the protocol. */
#define CODEC_CHOICE_VP8_SIDE_MAX 16383u

struct codec_choice {
	enum packet_codec codec; /* VP8 or VP9 */
	bool fixed;
	int64_t seen_us;  /* when it was asked last */
	int64_t heavy_us; /* 0 to CODEC_CHOICE_HEAVY_US */
};

/* What is about to be encoded. */
struct codec_choice_view {
	int64_t now_us;
	uint64_t changed; /* pixels; 0: the picture rests */
	uint32_t width;   /* of the picture */
	uint32_t height;
	int64_t encode_us;   /* how long the last encode took */
	int64_t interval_us; /* between two pictures at the requested rate */
};

/* True when at least half of the picture changed. */
static inline bool codec_choice_most_changed(const struct codec_choice_view *view) {
	return 2 * view->changed >= (uint64_t)view->width * view->height;
}

/* True when VP8 can encode pictures of that size. */
static inline bool codec_choice_vp8_fits(uint32_t width, uint32_t height) {
	return width <= CODEC_CHOICE_VP8_SIDE_MAX && height <= CODEC_CHOICE_VP8_SIDE_MAX;
}

/* `asked` is the codec from OPEN; the choice only changes for PACKET_CODEC_AUTO. */
void codec_choice_init(struct codec_choice *choice, enum packet_codec asked);

/* Before every encode: returns the codec for it. */
enum packet_codec codec_choice_see(
	struct codec_choice *choice, const struct codec_choice_view *view);

/* When a picture that rests from now on has to be encoded with VP9 again; INT64_MAX: never. */
int64_t codec_choice_rest_us(const struct codec_choice *choice);
