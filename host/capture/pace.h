/*
 * Limits pictures to a rate. Pure: the caller passes the time, in microseconds of one clock.
 *
 * A picture that comes slightly early is let through, so that a producer's jitter costs no
 * pictures; the average stays at the rate.
 */
#pragma once

#include <stdint.h>

struct pace {
	int64_t interval_us;
	int64_t due_us;   /* when the next picture is due; long ago before the first */
	int64_t taken_us; /* when the last picture was taken; long ago before the first */
};

/* fps: at least 1. */
void pace_init(struct pace *pace, uint32_t fps);

/* Changes the rate from the next picture on. */
void pace_set_fps(struct pace *pace, uint32_t fps);

/* Microseconds until the next picture may be taken; 0: now. The first one never waits. */
int64_t pace_wait(const struct pace *pace, int64_t now_us);

/* A picture was taken. */
void pace_took(struct pace *pace, int64_t now_us);
