/*
 * From lent pixels, or a region of them, to the picture that is encoded, only where they changed:
 * converted, checked, the cursor drawn in, turned upright, scaled down. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/cursor.h"
#include "picture/damage.h"
#include "picture/diff.h"
#include "picture/orientation.h"

struct canvas {
	enum packet_chroma chroma;
	uint32_t max_width; /* of the result; 0: no bound */
	uint32_t max_height;
	struct rect region; /* what is wanted of the upright pixels; empty: all */
	struct rect crop;   /* what `raw` has of the pixels as they are in the buffer */
	bool stale;         /* pixels came since of which `raw` has nothing */
	enum orientation orientation;
	struct diff diff;
	struct cursor cursor;
	struct picture raw; /* as in the buffer; the cursor's place is relative to it */
	/* What is composed is a copy, or was exchanged with `raw`, which may change while it is
	 * encoded. */
	struct picture upright; /* empty where only the scaled one is needed */
	struct picture scaled;  /* empty where the upright one has the right size */
	struct damage damage;   /* of `raw`, not composed yet */
	struct damage behind;   /* where `upright` is newer than `raw` */
};

void canvas_init(
	struct canvas *canvas, enum packet_chroma chroma, uint32_t max_width, uint32_t max_height);
void canvas_finish(struct canvas *canvas);

/* Nothing can be composed before pixels were read. */
bool canvas_is_empty(const struct canvas *canvas);

/*
 * Takes in what changed in `pixels` since they were read last; they are not needed any more on
 * return. `damage` NULL: that is found by looking. `throughout`: checks all of what is said not to
 * have changed. Pixels that the region lies outside of change nothing. False when memory ran out.
 */
bool canvas_read(struct canvas *canvas, const struct pixels *pixels, enum orientation orientation,
	const struct damage *damage, bool throughout);

/* The picture to encode, and what of it changed since it was composed last. It is the canvas's and
 * holds until the next call of this; canvas_read() leaves it alone. False when memory ran out. */
bool canvas_compose(struct canvas *canvas, const struct picture **picture, struct damage *damage);

/* The sides, before they are scaled to fit, for pixels whose upright sides are given. False when
 * the region lies outside of them. */
bool canvas_full_size(const struct canvas *canvas, uint32_t *width, uint32_t *height);

/* The same of the result. */
bool canvas_size(const struct canvas *canvas, uint32_t *width, uint32_t *height);

/* Where a point of the pixels is in the result; outside of it too. */
void canvas_point(const struct canvas *canvas, int32_t *x, int32_t *y);
