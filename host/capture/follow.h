/*
 * Decides how VP8 follows scrolling text: when it searches far for moved text, and when it encodes
 * fast instead. Pure.
 */
#pragma once

#include "capture/scroll.h"
#include "encode/encoder.h"

/* Zero-initialise it. */
struct follow {
	struct scroll scroll;
	int64_t search_us;   /* how long the last encode with a search in mid-scroll took */
	int64_t searched_us; /* when that was */
	int64_t seen_us;     /* when most of the picture changed last */
	bool started;        /* the last picture started a scroll */
};

struct follow_view {
	int64_t now_us;
	int64_t interval_us; /* between two pictures at the requested rate */
	bool all;            /* most of the picture changed, and it isn't film */
	bool fresh;          /* it is encoded as a keyframe */
};

/* Before each encode: sets the wish's `way` and `hurried`. */
void follow_see(struct follow *follow, const struct picture *picture,
	const struct follow_view *view, struct encoder_wish *wish);

/* After the encode, which began at `began_us` and took `encode_us`. */
void follow_encoded(struct follow *follow, const struct encoder_wish *wish, int64_t began_us,
	int64_t encode_us);
