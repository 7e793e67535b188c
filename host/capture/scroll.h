/*
 * Tells whether scrolling text goes on as before. Pure.
 *
 * An encoder finds where text moved from as long as the motion stays similar, because it starts
 * searching at the last picture's motion vectors. When text starts to scroll or reverses, it has to
 * search farther, which takes several times as long as a frame. When that fails, or the text is
 * new, most of the picture is encoded from scratch, which takes as long. Pictures that arrive
 * meanwhile are skipped, so the next one has moved even farther, and so on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"

/* Only the upper rows of larger pictures are compared. */
#define SCROLL_ROWS 2160u
/* This many similar steps in a row make a steady scroll. */
#define SCROLL_STEADY 3u
/* The longest step that is recognised, in rows. */
#define SCROLL_MAX 255
/* VP8's usual search mostly finds what is this many rows from where it starts, */
#define SCROLL_NEAR 16
/* and its far search what is this many, in twice the time of encoding the picture from scratch. */
#define SCROLL_FAR 128
/* A step that differs from the last one by more rows than this is another motion. */
#define SCROLL_CHANGE 32

/* Zero-initialise it. */
struct scroll {
	uint32_t rows[2][SCROLL_ROWS]; /* hashes of the last two pictures' rows */
	uint32_t newest;               /* index of the last picture's */
	uint32_t height;               /* of the last picture; 0: there is none */
	int32_t shift;                 /* rows that the last step moved up by; 0: unknown */
	uint32_t steady;               /* similar steps in a row, up to SCROLL_STEADY */
	bool moves;                    /* no rest since the last picture */
};

struct scroll_step {
	/* Rows from where an encoder starts its search to where the text is; 0: near or unknown. */
	uint32_t way;
	bool starts; /* the first step after a rest */
	bool breaks; /* this doesn't continue a steady scroll */
};

/* Most of `picture` changed. */
struct scroll_step scroll_see(struct scroll *scroll, const struct picture *picture);

/* Something else happened, or the encoder lost the last step. The rows are kept, because little of
 * them changes between two scrolls. */
void scroll_rest(struct scroll *scroll);
