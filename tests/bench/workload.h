/*
 * What happens on the benchmark's screen: deterministic moving pictures of real text in real fonts,
 * with the true damage of each. The same name, size and number of steps always give the same
 * pixels, in every process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_AREAS_MAX 4

struct area {
	int32_t x;
	int32_t y;
	int32_t width;
	int32_t height;
};

struct workload;

/*
 *	still		a page of text that stays
 *	typing		a character a step into a page of source code
 *	scroll		a long text under a fixed bar, 24 lines of pixels a step
 *	scroll-turns	the same, 25 steps down and 15 up
 *	scroll-jumps	120 lines of pixels at once, each eighth step
 *	drag		a window of text moved over a page of text
 *	slides		another slide every 45 steps, nothing between them
 *	video-window	854x480 of moving pictures in a page of text
 *	video-full	moving pictures all over
 *	share=PERCENT	scrolling text in a part of a page that has this share of its pixels
 *
 * At heights other than 1080 everything is scaled. Every picture that differs from the one before
 * carries the number of its step in black and white blocks at its upper left corner, for
 * workload_read_step(). NULL when the name is none of these or memory ran out.
 */
struct workload *workload_create(const char *name, uint32_t width, uint32_t height);
void workload_destroy(struct workload *workload);

/* The picture: width x height pixels of B, G, R and an unused byte, rows without padding. */
const uint32_t *workload_pixels(const struct workload *workload);

/*
 * Draws the next picture; the first one is drawn already. Returns how many areas changed (0:
 * nothing did), and which. They lie within the picture and contain every pixel that changed.
 */
size_t workload_step(struct workload *workload, struct area areas[WORKLOAD_AREAS_MAX]);

/* Which step a picture shows, by its brightness (`stride` bytes a row). False when that can't be
 * read: the picture is none of a workload, or too bad. */
bool workload_read_step(const uint8_t *luma, int stride, uint32_t *step);
