/*
 * Pictures scaled down to the size that the peer wants, only where they changed. Pure.
 */
#pragma once

#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* Shrinks the sides (even) to fit in both bounds; their shape is kept and they stay even. Bounds of
 * 0 don't bind; nothing grows. */
void scale_fit(uint32_t max_width, uint32_t max_height, uint32_t *width, uint32_t *height);

/*
 * Brings the damaged parts of `to` up to date with `from`, which is larger. *damage becomes that of
 * `to`. A part is scaled as it would be within the whole: the damage grows to where pixels of both
 * begin together, and by what a filter sees.
 */
void scale_damaged(const struct picture *from, struct picture *to, struct damage *damage);
