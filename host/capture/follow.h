/*
 * Decides how VP8 follows scrolling text: when it searches far for moved text, and when it encodes
 * fast instead. Pure.
 */
#pragma once

#include "capture/codec_choice.h"
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

/* Before each encode: sets the wish's `way` and `hurried`. `fresh`: a keyframe will be encoded. */
void follow_see(struct follow *follow, const struct picture *picture,
	const struct codec_choice_view *view, bool fresh, struct encoder_wish *wish);

/* After the encode, which began at `began_us` and took `encode_us`. */
void follow_encoded(struct follow *follow, const struct encoder_wish *wish, int64_t began_us,
	int64_t encode_us);
