/*
 * The desktop's marker on the fake screen: the cells of tests/desktop/marker, which
 * tests/desktop/marker.js reads from decoded frames.
 */
#pragma once

#include <stdint.h>

#include "screen.h"

/* Paints the marker at the top left, as large as the upper left quarter of the screen allows. It
 * tells `time_ms` (since 1970, 48 bits) and `counter` (24 bits). Only its own area is damaged. */
void marker_paint(struct screen *screen, uint64_t time_ms, uint32_t counter);
