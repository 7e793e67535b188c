/*
 * Tells moving pictures (film) from drawn ones (text, windows), because encoder settings that suit
 * one are slow and worse for the other. Pure.
 *
 * In drawn pictures nearly all neighbouring pixels have the same brightness, in film few do. Only
 * several changes in a row of much of the screen count as film; anything drawn, or rest, ends it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* Zero-initialise it. */
struct motion {
	uint32_t seen;    /* changes in a row that looked like film, up to MOTION_CHANGES */
	bool moving;      /* a film is playing */
	uint64_t changed; /* pixels that changed last */
};

/* This many changes in a row make a film. */
#define MOTION_CHANGES 6u

/* `picture` changed where `damage` says; empty damage: it rests. */
void motion_see(struct motion *motion, const struct picture *picture, const struct damage *damage);
