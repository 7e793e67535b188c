/*
 * Makes the picture to encode from lent pixels, or a region of them, only where they changed:
 * converts, draws the cursor in, turns upright, scales down. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/cursor.h"
#include "picture/damage.h"
#include "picture/orientation.h"

struct canvas {
	enum packet_chroma chroma;
	uint32_t max_width; /* of the result; 0: no bound */
	uint32_t max_height;
	struct rect region; /* the wanted part of the upright pixels; empty: all */
	struct rect crop;   /* the part of the pixels, as in the buffer, that `raw` has */
	bool stale;         /* `raw` misses newer pixels */
	enum orientation orientation;
	struct cursor cursor;
	struct picture raw; /* as in the buffer; the cursor's place is relative to it */
	/* The result is one of these, since `raw` may change while it is encoded. */
	struct picture upright; /* empty if only the scaled one is needed */
	struct picture scaled;  /* empty if the upright one has the right size */
	struct damage damage;   /* of `raw`, not composed yet */
	struct damage behind;   /* where `upright` is newer than `raw` */
};

void canvas_init(
	struct canvas *canvas, enum packet_chroma chroma, uint32_t max_width, uint32_t max_height);
void canvas_finish(struct canvas *canvas);

/* True until pixels were read; nothing can be composed before. */
bool canvas_is_empty(const struct canvas *canvas);

/*
 * Reads what changed in `pixels` since the last call; they are no longer needed on return. If
 * `damage` is NULL, finds that by comparing. Does nothing if the region lies outside of the pixels.
 * False when out of memory.
 */
bool canvas_read(struct canvas *canvas, const struct pixels *pixels, enum orientation orientation,
	const struct damage *damage);

/* Returns the picture to encode, and what changed in it since the last call. It belongs to the
 * canvas and is valid until the next call; canvas_read() leaves it alone. False when out of memory.
 */
bool canvas_compose(struct canvas *canvas, const struct picture **picture, struct damage *damage);

/* Turns the upright sides of pixels into those of the result before it is scaled. False if the
 * region lies outside of them. */
bool canvas_full_size(const struct canvas *canvas, uint32_t *width, uint32_t *height);

/* The same for the result itself. */
bool canvas_size(const struct canvas *canvas, uint32_t *width, uint32_t *height);

/* Turns a point of the pixels that were read into one of the result. Either may be outside. */
void canvas_point(const struct canvas *canvas, int32_t *x, int32_t *y);
