/*
 * The fake screen's picture, and how it is put into a PipeWire buffer: rightly, or with a fault
 * that producer.c names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "source/pw_api.h"

/* Room of the damage list. */
#define SCREEN_REGIONS 16
/* The pointer's side. */
#define SCREEN_POINTER 16
/* Its bitmap comes so often: once may be lost. */
#define SCREEN_POINTER_TOLD 3

struct screen {
	/* The layout of a buffer. */
	int32_t padding; /* bytes after each row */
	uint32_t offset; /* bytes before the picture */
	bool bottom_up;
	uint32_t format; /* SPA's */
	/* The picture. */
	uint32_t width;
	uint32_t height;
	uint32_t *canvas; /* 0xRRGGBB */
	struct spa_region damage;
	struct spa_region crop;
	uint32_t transform; /* SPA's */
	bool pointer;       /* a white square of SCREEN_POINTER pixels */
	int32_t pointer_x;
	int32_t pointer_y;
	uint32_t pointer_told; /* how often its bitmap was */
	uint64_t sequence;
	int64_t pts_us; /* of what was sent last; 0: it said none */
	bool shown;     /* this canvas was sent */
};

/* A black canvas of that size. False when it is none. */
bool screen_resize(struct screen *screen, uint32_t width, uint32_t height);
uint32_t screen_row_size(const struct screen *screen);
uint32_t screen_buffer_size(const struct screen *screen);
void screen_paint(struct screen *screen, uint32_t colour, const struct spa_region *where);
/* Light and shade with grain in it all over the canvas. */
void screen_grain(struct screen *screen, uint32_t seed);
/* Fills pixels, metadata and chunk; `faults` are the words of a `frame` command. */
void screen_write(struct screen *screen, struct spa_buffer *buffer, const char *faults);
