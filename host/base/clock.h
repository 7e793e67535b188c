/* CLOCK_MONOTONIC, as in PipeWire's time stamps. */
#pragma once

#include <stdint.h>
#include <time.h>

/* In microseconds. */
static inline int64_t clock_us(void) {
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
