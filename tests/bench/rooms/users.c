#include <stdlib.h>

#include "load.h"

/* docs/examples/rooms/server.js. */
#define RETRY_US 250000
#define RETRY_MOST_US 8000000
#define RETRY_SPREAD 3.5
#define CARRIERS 2
#define ACK_US 1000000
/* Users are looked at in so many parts of a second. */
#define SLICES 50

void user_come(struct user *user) {
	if (user->state == USER_BROKEN) {
		load.broken--;
	}
	user->state = USER_COMING;
	client_connect(&user->client, speak_protocol());
}

void user_there(struct user *user) {
	user->state = USER_THERE;
	user->failures = 0;
	load.there++;
}

void user_broke(struct user *user) {
	if (user->state == USER_THERE) {
		load.there--;
	} else {
		user->failures++;
	}
	int64_t wait = (int64_t)RETRY_US << user->failures / CARRIERS;
	wait = wait > RETRY_MOST_US ? RETRY_MOST_US : wait;
	user->state = USER_BROKEN;
	load.broken++;
	double spread = user->failures > 0 ? 1 : RETRY_SPREAD;
	user->again_us = clients_now() + (int64_t)((double)wait * (0.5 + spread * drand48()));
}

void user_break(struct user *user) {
	client_drop(&user->client);
	user_broke(user);
}

static void look_after(struct user *user, int64_t now) {
	if (user->state == USER_BROKEN && now >= user->again_us) {
		user_come(user);
	}
}

bool users_step(int64_t until_us) {
	static int64_t next_us;
	static uint32_t slice;
	int64_t now = clients_now();
	while (now >= next_us) {
		next_us = (next_us == 0 ? now : next_us) + ACK_US / SLICES;
		for (uint32_t i = slice; load.rooms && i < load.count; i += SLICES) {
			struct user *user = &load.users[i];
			if (user->state == USER_THERE && user->owed > 0) {
				speak_acknowledge(user);
			}
		}
		for (uint32_t i = 0; load.broken > 0 && i < load.count; i++) {
			look_after(&load.users[i], now);
		}
		slice = (slice + 1) % SLICES;
	}
	return clients_step(until_us < next_us ? until_us : next_us);
}
