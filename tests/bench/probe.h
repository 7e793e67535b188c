/*
 * When an engine took a buffer from PipeWire, gave it back and wrote out a frame: noted by a
 * library that is loaded into the engine (probe.c), in memory that bench-cell shares with it. It
 * costs a clock reading and a few stores an event, in every engine alike, and needs nothing of the
 * engine.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define PROBE_EVENTS_MAX 65536u
/* The environment variable that holds the number of the shared memory's descriptor. */
#define PROBE_VARIABLE "PORTLIGHT_BENCH_PROBE"

enum probe_kind {
	PROBE_DEQUEUED = 1, /* pw_stream_dequeue_buffer() returned a buffer */
	PROBE_QUEUED = 2,   /* pw_stream_queue_buffer() was called */
	PROBE_SENT = 3,     /* sendmsg() wrote a packet to descriptor 3 */
};

struct probe_event {
	uint32_t kind;
	uint32_t bytes;  /* SENT: of the packet */
	int64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t buffer; /* DEQUEUED, QUEUED: which one */
};

/* Events past the end are counted and lost. */
struct probe_log {
	_Atomic uint32_t count;
	struct probe_event events[PROBE_EVENTS_MAX];
};
