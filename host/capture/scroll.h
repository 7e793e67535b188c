/*
 * Whether text that scrolls goes on as it did. Pure.
 *
 * An encoder finds where moving text came from as long as it moves much as it did before: it looks
 * near the last picture's motion vectors. Where text begins to scroll or turns round, it has to
 * search farther, which takes several times a frame's time. Where it can't, or the text is another
 * one, most of the picture is encoded anew, which takes as long. The pictures that come meanwhile
 * are left out, and to the next one the way is farther again, and so on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"

/* So many rows are looked at, of larger pictures the upper ones. */
#define SCROLL_ROWS 2160u
/* So many steps of much the same height make a scroll. */
#define SCROLL_STEADY 3u
/* How many rows it may go in a step. */
#define SCROLL_MAX 255
/* VP8 at its usual speed finds what is so many rows from where it looks first, if not always. */
#define SCROLL_NEAR 16
/* What is so far away it still finds when it searches far, in twice the time that it takes to
 * encode the picture anew. */
#define SCROLL_FAR 128
/* A step that is longer or shorter by more than this is another motion. */
#define SCROLL_CHANGE 32

/* Zero-initialise it. */
struct scroll {
	uint32_t rows[2][SCROLL_ROWS]; /* hashes of the last two pictures' */
	uint32_t newest;               /* which of them is the last */
	uint32_t height;               /* of the last picture; 0: none is of use */
	int32_t shift;   /* rows that the picture has moved up by, with the last step */
	uint32_t steady; /* steps in a row, up to SCROLL_STEADY */
	bool moves;      /* it has not rested since the last picture */
};

struct scroll_step {
	/* Rows between where it is and where an encoder looks first; 0: that is near, or there is
	 * no telling. */
	uint32_t way;
	bool starts; /* after a rest */
	bool breaks; /* this is not what follows a steady scroll */
};

/* `picture` changed all over. */
struct scroll_step scroll_see(struct scroll *scroll, const struct picture *picture);

/* Something else happened, or the encoder knows nothing of the last step any more. The rows stay
 * what they were: little of them changes between two scrolls. */
void scroll_rest(struct scroll *scroll);
