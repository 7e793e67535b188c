/* What a process costs, seen from outside. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cost {
	int64_t at_us;    /* CLOCK_MONOTONIC */
	int64_t cpu_ns;   /* of all its threads, also of those that ended */
	uint64_t wakeups; /* voluntary context switches of the threads that live */
};

int64_t clock_us(void);

/* False when the process is gone. */
bool process_cost(pid_t pid, struct cost *cost);
/* The most memory that was resident at once, in KiB; 0 when the process is gone. */
uint64_t process_peak_kib(pid_t pid);
/* Ends it at the latest after timeout_ms, by force if need be. Returns its exit status, or -1 when
 * it did not exit by itself with one. */
int process_end(pid_t pid, int timeout_ms);
