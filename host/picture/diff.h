/*
 * Which pixels changed, where the compositor doesn't say: the new pixels are converted block by
 * block and compared with the picture made of the old ones. GNOME 43 sends no damage at all. And
 * that of xdg-desktop-portal-wlr up to 0.8.1 is wrong (source/stream.c).
 */
#pragma once

#include "picture/convert.h"
#include "picture/damage.h"
#include "picture/pixel_file.h"

/* The width of the parts that a change is narrowed down to, in pixels. They are DIFF_ROWS high. */
#define DIFF_TILE 64
#define DIFF_ROWS PIXEL_FILE_ROWS

/* Brings `picture`, which has even sides and was made of earlier pixels of this size, up to date,
 * and adds the parts that changed to `damage`. */
void diff_find(const struct pixels *pixels, struct picture *picture, struct damage *damage);
