/*
 * What it is that changes on a screen: drawn things (text, windows), or moving pictures. Encoders
 * have ways for either that are dear, and worse, for the other. Pure.
 *
 * Drawn things have neighbouring pixels of the same brightness nearly everywhere, moving pictures
 * have few. Only several changes in a row of much of the screen count as moving pictures; anything
 * drawn, or rest, ends them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* Zero-initialise it. */
struct motion {
	uint32_t seen;    /* how many changes in a row were pictures, up to a bound */
	bool moving;      /* moving pictures are what changes */
	uint64_t changed; /* pixels, with the last change */
};

/* So many changes in a row make moving pictures. */
#define MOTION_CHANGES 6u

/* `picture` changed where `damage` says; empty: it rests. */
void motion_see(struct motion *motion, const struct picture *picture, const struct damage *damage);
