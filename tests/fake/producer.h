/*
 * The fake producer's two halves: what it is told (producer.c), and its end of PipeWire's stream
 * (producer_stream.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "screen.h"

struct producer {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_stream *stream;
	struct spa_hook listener;
	struct spa_source *timer;
	struct spa_source *refresh;
	struct spa_source *marker_timer;
	struct screen screen;
	/* How it was started. */
	char formats[64];
	uint32_t pool;
	bool no_damage_meta;
	bool no_cursor_meta;
	bool dmabuf_only;
	const char *name; /* of the stream */
	bool no_flags;    /* buffers don't say what they may be mapped for, as xdpw's until 0.8.1 */
	bool heed_limit;
	bool no_refresh;
	bool at_once;              /* one picture as the stream begins, and no other */
	bool resizing;             /* the buffers are still of the old size */
	struct spa_fraction limit; /* the negotiated maxFramerate */
	uint32_t negotiated;       /* formats so far */
	/* Of `run`. */
	uint32_t frames_left;
	uint32_t frames_sent;
	uint64_t sent_at;     /* in nanoseconds */
	uint64_t cycle_began; /* the same; 0: PipeWire is through with it */
	uint32_t queued;      /* pictures that no cycle took so far, as far as it tells */
	uint32_t box;
	uint32_t marker_counter;
	uint32_t buffers;
	uint32_t bare_formats; /* whose buffers get no memory */
	bool bare;             /* this one's */
	char line[256];
	size_t line_length;
};

/* Writes a line on stdout. */
void producer_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connects the stream; its loop and screen are there. False when PipeWire refuses. */
bool producer_connect(struct producer *producer);
/* Sends the canvas, with the faults that it is told. False: there is no buffer for it. */
bool producer_send(struct producer *producer, const char *faults);
/* Sends the whole screen again, where it was sent before. */
void producer_refresh(struct producer *producer);
/* Offers the formats again, with the screen as it is. */
void producer_offer(struct producer *producer);
void producer_resize(struct producer *producer, uint32_t width, uint32_t height);
