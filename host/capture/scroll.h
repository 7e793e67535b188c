/*
 * Whether text that scrolls goes on as it did. Pure.
 *
 * An encoder finds where moving text came from as long as it moves much as it did before. Where it
 * turns round or is another text, most of the picture is encoded anew, for several times a frame's
 * time, and the pictures that come meanwhile are left out. To the next one the way is then farther
 * than the encoder searches, so that it takes as long again, and so on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/convert.h"

/* So many rows are looked at, of larger pictures the upper ones. */
#define SCROLL_ROWS 2160u
/* So many steps of much the same height make a scroll. */
#define SCROLL_STEADY 3u
/* How far it may go in a step. */
#define SCROLL_MAX 255
/* A step that is longer or shorter by more than this is another motion: encoders search so far
 * around the last one. */
#define SCROLL_CHANGE 32

/* Zero-initialise it. */
struct scroll {
	uint32_t rows[2][SCROLL_ROWS]; /* hashes of the last two pictures' */
	uint32_t newest;               /* which of them is the last */
	uint32_t height;               /* of the last picture; 0: none is of use */
	int32_t shift;   /* rows that the picture has moved up by, with the last step */
	uint32_t steady; /* steps in a row, up to SCROLL_STEADY */
};

/* `picture` changed all over. True when the one before it was a steady scroll's, and this one is
 * not what follows. */
bool scroll_breaks(struct scroll *scroll, const struct picture *picture);

/* Something else happened. */
void scroll_forget(struct scroll *scroll);
