/*
 * The time that goes forward whatever is done to the wall clock: CLOCK_MONOTONIC, which PipeWire's
 * time stamps are of too.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* In microseconds. */
static inline int64_t clock_us(void) {
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
