/* Pages of text: drawn by Pango in DejaVu, with words from a fixed generator. */
#pragma once

#include <cairo/cairo.h>
#include <stdint.h>

enum page_kind { PAGE_PROSE, PAGE_CODE, PAGE_SLIDE };

/* A small generator of numbers; its state is the caller's. */
uint32_t page_random(uint32_t *state);

/* A page width x height, as CAIRO_FORMAT_RGB24; `scale` 1 fits 1080 lines, `seed` chooses the
 * words. The caller destroys it. */
cairo_surface_t *page_create(
	enum page_kind kind, uint32_t width, uint32_t height, double scale, uint32_t seed);

/* One line of `text` in the code's font, its upper left corner at x, y. */
void page_write_code(cairo_t *context, double x, double y, double scale, const char *text);

/* Sides of a character of the code's font. */
void page_measure_code(double scale, uint32_t *width, uint32_t *height);
