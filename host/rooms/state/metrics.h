/* What /metrics tells, in the text format of Prometheus. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "rooms/net/net.h"
#include "rooms/wire/errors.h"

#define METRICS_BUCKETS 12

/* Of durations; the last one has no bound. */
struct histogram {
	uint64_t counts[METRICS_BUCKETS + 1];
	uint64_t sum_us;
	uint64_t count;
};

struct metrics {
	uint64_t messages_in;
	uint64_t messages_out;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t requests;
	uint64_t refused; /* requests for another host, from another origin, without the secret */
	uint64_t sessions;
	uint64_t resumed;       /* a session found again */
	uint64_t resume_missed; /* one that was gone */
	uint64_t duplicates;    /* messages that came twice */
	uint64_t net_drops[NET_DROPS];
	uint64_t ended[ROOMS_ERROR_COUNT];    /* sessions, by why */
	uint64_t answered[ROOMS_ERROR_COUNT]; /* errors that the hub did not count */
	struct histogram handshake;           /* a carrier's opening to its welcome */
	struct histogram relay;               /* a message's waiting to its writing */
};

struct server;

void histogram_add(struct histogram *histogram, int64_t us);
GBytes *metrics_write(const struct server *server);
