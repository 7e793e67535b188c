/*
 * Finds which pixels changed where the compositor doesn't say: converts the new pixels block by
 * block and compares them with the picture made of the old ones. GNOME 43 sends no damage at all,
 * and xdg-desktop-portal-wlr up to 0.8.1 sends wrong damage (source/stream.c).
 */
#pragma once

#include "picture/convert.h"
#include "picture/damage.h"
#include "picture/pixel_file.h"

/* Changes are found in tiles of this width, in pixels, and DIFF_ROWS high. */
#define DIFF_TILE 64
#define DIFF_ROWS PIXEL_FILE_ROWS

/* Brings `picture`, which was made of earlier pixels and whose size is that of `pixels`, up to
 * date, and adds the tiles that changed to `damage`. */
void diff_find(const struct pixels *pixels, struct picture *picture, struct damage *damage);
