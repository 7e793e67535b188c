/*
 * Whether pixels that a compositor calls unchanged are so: parts of its picture are converted again
 * and compared with ours. And which pixels changed where it says nothing at all. Pure.
 *
 * Each picture has some tiles checked, all of them in turn; one that comes after a rest is checked
 * throughout. A compositor that was caught once is not believed any more: all of its pictures are
 * checked throughout from then on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

#define DIFF_TILE 64u
/* In so many pictures every tile had its turn. */
#define DIFF_PICTURES 64u

/* Zero-initialise it. */
struct diff {
	uint32_t next; /* the tile whose turn it is */
	bool distrust; /* stale pixels were found */
};

/*
 * `picture` was brought up to date with `pixels` by the damage that came with them. Corrects the
 * tiles that are wrong nevertheless, and adds them to `damage`. Returns how many there were. A tile
 * that the damage covers was read whole, and is not read again.
 */
uint32_t diff_check(struct diff *diff, const struct pixels *pixels, bool throughout,
	struct picture *picture, struct damage *damage);

/* Where nobody says what changed since `picture` was made of such pixels: finds it, and brings the
 * picture up to date. The parts that changed are added to `damage`. */
void diff_find(const struct pixels *pixels, struct picture *picture, struct damage *damage);
