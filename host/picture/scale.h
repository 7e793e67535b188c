/*
 * Scales pictures down to the size that the peer asked for, only where they changed. Pure.
 */
#pragma once

#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"

/* Shrinks the sides (even) to fit both bounds, keeping the aspect ratio, to even sides. A bound of
 * 0 is none; nothing grows. */
void scale_fit(uint32_t max_width, uint32_t max_height, uint32_t *width, uint32_t *height);

/*
 * Brings the damaged parts of `to` up to date with `from`, which is larger. *damage becomes that of
 * `to`. The damage grows by the reach of the filter, and to where pixel borders of both coincide:
 * each part then looks as if the whole picture had been scaled.
 */
void scale_damaged(const struct picture *from, struct picture *to, struct damage *damage);
