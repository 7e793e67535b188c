/*
 * What one session, one address and all together may use. No I/O, no clock: `now` is monotonic time
 * in milliseconds. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
	uint32_t per_second;
	uint32_t burst; /* at most 4,000,000 */
};

/* Zeroed: full. 16 bytes. */
struct bucket {
	int64_t at;     /* of the last take */
	uint64_t spent; /* thousandths; refilled by time */
};

/* Takes `amount` (at most the burst) if it is there. */
bool bucket_take(
	struct bucket *bucket, const struct bucket_rate *rate, uint32_t amount, int64_t now);
/* Milliseconds until `amount` will be there; 0: now. An amount past the burst counts as the burst.
 */
int64_t bucket_wait(
	const struct bucket *bucket, const struct bucket_rate *rate, uint32_t amount, int64_t now);

struct limits_settings {
	struct bucket_rate messages;   /* of a session: 50, 200 */
	struct bucket_rate bytes;      /* of a session: 65536, 262144 */
	struct bucket_rate arrivals;   /* new sessions of an address: 20, 100 */
	uint32_t sessions_max;         /* of all: 12000 */
	uint32_t address_sessions_max; /* 256 */
};
extern const struct limits_settings limits_defaults;

/* In a session. */
struct limits_session {
	struct bucket messages;
	struct bucket bytes;
};
/* Counts one message of `bytes`. False: refused and not counted; `retry_ms` says when it would
 * pass. */
bool limits_message(struct limits_session *session, const struct limits_settings *settings,
	uint32_t bytes, int64_t now, int64_t *retry_ms);

/* Sessions by address. An address is any text: IPv4, the first 64 bits of IPv6, "unix". */
struct limits;
struct limits *limits_create(const struct limits_settings *settings);
void limits_destroy(struct limits *limits); /* takes NULL */
/* A new session of this address, or false: too many, or too fast (`retry_ms`). */
bool limits_arrive(struct limits *limits, const char *address, int64_t now, int64_t *retry_ms);
/* A session that arrived is over. */
void limits_leave(struct limits *limits, const char *address, int64_t now);
uint32_t limits_sessions(const struct limits *limits);
/* Forgets addresses without sessions whose bucket is full again; call it every minute or so. */
void limits_tidy(struct limits *limits, int64_t now);
/* `address` as it is counted: IPv6 to its /64, IPv4 in IPv6 as IPv4. */
void limits_address(const char *address, char out[static 64]);
