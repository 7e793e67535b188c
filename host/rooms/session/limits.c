#include "rooms/session/limits.h"

#include <arpa/inet.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

const struct limits_settings limits_defaults = {
	.messages = {50, 200},
	.bytes = {65536, 262144},
	.arrivals = {20, 100},
	.sessions_max = 12000,
	.address_sessions_max = 256,
};

/* Thousandths that are spent at `now`. */
static uint64_t spent_now(
	const struct bucket *bucket, const struct bucket_rate *rate, int64_t now) {
	/* A clock that was set back refills nothing. */
	uint64_t passed = now > bucket->at ? (uint64_t)(now - bucket->at) : 0;
	if (passed >= bucket->spent) {
		return rate->per_second > 0 ? 0 : bucket->spent;
	}
	uint64_t refill = passed * rate->per_second;
	return refill < bucket->spent ? bucket->spent - refill : 0;
}

bool bucket_take(
	struct bucket *bucket, const struct bucket_rate *rate, uint32_t amount, int64_t now) {
	if (bucket_wait(bucket, rate, amount, now) > 0 || amount > rate->burst) {
		return false;
	}
	bucket->spent = spent_now(bucket, rate, now) + (uint64_t)amount * 1000;
	bucket->at = MAX(bucket->at, now);
	return true;
}

int64_t bucket_wait(
	const struct bucket *bucket, const struct bucket_rate *rate, uint32_t amount, int64_t now) {
	uint64_t wanted = spent_now(bucket, rate, now) + (uint64_t)MIN(amount, rate->burst) * 1000;
	uint64_t burst = (uint64_t)rate->burst * 1000;
	if (wanted <= burst) {
		return 0;
	}
	if (rate->per_second == 0) {
		return INT64_MAX;
	}
	return (int64_t)((wanted - burst + rate->per_second - 1) / rate->per_second);
}

bool limits_message(struct limits_session *session, const struct limits_settings *settings,
	uint32_t bytes, int64_t now, int64_t *retry_ms) {
	int64_t messages = bucket_wait(&session->messages, &settings->messages, 1, now);
	int64_t volume = bucket_wait(&session->bytes, &settings->bytes, bytes, now);
	*retry_ms = MAX(messages, volume);
	if (*retry_ms > 0 || bytes > settings->bytes.burst) {
		return false;
	}
	return bucket_take(&session->messages, &settings->messages, 1, now) &&
	       bucket_take(&session->bytes, &settings->bytes, bytes, now);
}

struct address {
	struct bucket arrivals;
	uint32_t sessions;
};

struct limits {
	GHashTable *addresses;
	struct limits_settings settings;
	uint32_t sessions;
};

struct limits *limits_create(const struct limits_settings *settings) {
	struct limits *limits = g_new0(struct limits, 1);
	limits->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	limits->settings = *settings;
	return limits;
}

void limits_destroy(struct limits *limits) {
	if (limits != NULL) {
		g_hash_table_destroy(limits->addresses);
		g_free(limits);
	}
}

bool limits_arrive(struct limits *limits, const char *address, int64_t now, int64_t *retry_ms) {
	*retry_ms = 0;
	if (limits->sessions >= limits->settings.sessions_max) {
		return false;
	}
	struct address *from = g_hash_table_lookup(limits->addresses, address);
	if (from == NULL) {
		from = g_new0(struct address, 1);
		g_hash_table_insert(limits->addresses, g_strdup(address), from);
	}
	if (from->sessions >= limits->settings.address_sessions_max) {
		return false;
	}
	*retry_ms = bucket_wait(&from->arrivals, &limits->settings.arrivals, 1, now);
	if (!bucket_take(&from->arrivals, &limits->settings.arrivals, 1, now)) {
		return false;
	}
	from->sessions++;
	limits->sessions++;
	return true;
}

void limits_leave(struct limits *limits, const char *address, int64_t now) {
	struct address *from = g_hash_table_lookup(limits->addresses, address);
	if (from != NULL && from->sessions > 0) {
		from->sessions--;
		limits->sessions--;
		if (from->sessions == 0 &&
			spent_now(&from->arrivals, &limits->settings.arrivals, now) == 0) {
			g_hash_table_remove(limits->addresses, address);
		}
	}
}

uint32_t limits_sessions(const struct limits *limits) {
	return limits->sessions;
}

void limits_tidy(struct limits *limits, int64_t now) {
	GHashTableIter iter;
	gpointer value = NULL;
	g_hash_table_iter_init(&iter, limits->addresses);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct address *from = value;
		if (from->sessions == 0 &&
			spent_now(&from->arrivals, &limits->settings.arrivals, now) == 0) {
			g_hash_table_iter_remove(&iter);
		}
	}
}

void limits_address(const char *address, char out[static 64]) {
	struct in6_addr six;
	if (inet_pton(AF_INET6, address, &six) != 1) {
		(void)snprintf(out, 64, "%s", address);
	} else if (IN6_IS_ADDR_V4MAPPED(&six)) {
		(void)snprintf(out, 64, "%u.%u.%u.%u", six.s6_addr[12], six.s6_addr[13],
			six.s6_addr[14], six.s6_addr[15]);
	} else {
		memset(six.s6_addr + 8, 0, 8);
		(void)inet_ntop(AF_INET6, &six, out, 64);
	}
}
