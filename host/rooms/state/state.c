#include "rooms/state/state.h"

#include <stdlib.h>
#include <sys/random.h>

#define RETRY_LEAST_MS 500
#define RETRY_SPREAD_MS 4500

int64_t server_retry_ms(void) {
	return RETRY_LEAST_MS + g_random_int_range(0, RETRY_SPREAD_MS);
}

int64_t server_wall_ms(void) {
	return g_get_real_time() / 1000;
}

void server_random(void *bytes, size_t length) {
	/* Up to 256 bytes it can't be interrupted. */
	if (getrandom(bytes, length, 0) != (ssize_t)length) {
		abort();
	}
}
