#include <inttypes.h>
#include <stdlib.h>

#include "load.h"

#define SECOND 1000000
#define PATIENCE (60 * (int64_t)SECOND)

/* How long relayed messages took, in microseconds. */
static struct {
	uint32_t *us;
	size_t count;
	size_t room;
} times;

static void times_clear(void) {
	times.count = 0;
}

static void times_add(int64_t us) {
	if (times.count == times.room) {
		times.room = times.room == 0 ? 65536 : 2 * times.room;
		times.us = realloc(times.us, times.room * sizeof(*times.us));
		if (times.us == NULL) {
			abort();
		}
	}
	times.us[times.count++] = us < 0 ? 0 : (uint32_t)us;
}

static int by_time(const void *a, const void *b) {
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

/* Milliseconds, after qsort. */
static double times_at(double share) {
	return times.count == 0 ? -1 : times.us[(size_t)((double)(times.count - 1) * share)] / 1e3;
}

static void say_times(const char *name) {
	qsort(times.us, times.count, sizeof(*times.us), by_time);
	(void)printf("\"%s\":{\"count\":%zu,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name,
		times.count, times_at(0.5), times_at(0.99), times_at(1));
}

static void done(int64_t began) {
	(void)printf("\"seconds\":%.3f,\"refused\":%" PRIu64 ",\"lost\":%" PRIu64
		     ",\"twice\":%" PRIu64 "}\n",
		(double)(clients_now() - began) / SECOND, load.refused, load.lost, load.twice);
	(void)fflush(stdout);
	load.refused = load.lost = load.twice = 0;
	load.relayed = NULL;
	load.body = NULL;
}

/* `at_once`: so many are on their way. */
void phase_connect(uint32_t at_once) {
	int64_t began = clients_now();
	uint32_t next = 0;
	while (load.there < load.count && clients_now() - began < PATIENCE) {
		while (next < load.count && next - load.there - load.broken < at_once) {
			user_come(&load.users[next++]);
		}
		(void)users_step(clients_now() + SECOND / 100);
	}
	(void)printf("{\"there\":%u,\"perSecond\":%.0f,", load.there,
		load.there / ((double)(clients_now() - began) / SECOND));
	done(began);
}

void phase_call(void) {
	int64_t began = clients_now();
	for (uint32_t i = 0; i < load.count; i += 2) {
		speak_call(&load.users[i]);
		(void)users_step(0);
	}
	while (load.calls_heard < load.count / 2 && clients_now() - began < PATIENCE) {
		(void)users_step(clients_now() + SECOND / 100);
	}
	(void)printf("{\"calls\":%u,", load.calls_heard);
	done(began);
}

static void note_time(struct user *from, struct user *to, int64_t sent_us) {
	(void)from;
	(void)to;
	times_add(clients_now() - sent_us);
}

/* Sends what a schedule has due, spread over `count` users. */
struct schedule {
	int64_t began;
	double per_second;
	uint64_t sent;
	uint32_t first;
	uint32_t count;
};

static int64_t schedule_next(const struct schedule *schedule) {
	return schedule->began + (int64_t)((double)schedule->sent * SECOND / schedule->per_second);
}

static void schedule_send(struct schedule *schedule) {
	int64_t due = 0;
	/* What comes must be read, too, by who is late. */
	for (int i = 0; i < 64 && (due = schedule_next(schedule)) <= clients_now(); i++) {
		uint32_t index =
			schedule->first + (uint32_t)(schedule->sent++ * 7919 % schedule->count);
		if (load.users[index].state == USER_THERE) {
			/* By when it was due: a late sender counts, too. */
			speak_relay(&load.users[index], due);
		}
	}
}

static void run_schedule(struct schedule *schedule, int64_t until) {
	while (clients_now() < until) {
		schedule_send(schedule);
		(void)users_step(schedule_next(schedule));
	}
}

static void settle(void) {
	int64_t until = clients_now() + SECOND / 2;
	while (clients_now() < until) {
		(void)users_step(until);
	}
}

void phase_rate(uint32_t per_second, uint32_t seconds) {
	int64_t began = clients_now();
	struct schedule schedule = {began, per_second, 0, 0, load.count};
	times_clear();
	load.relayed = note_time;
	run_schedule(&schedule, began + (int64_t)seconds * SECOND);
	settle();
	(void)printf("{\"sent\":%" PRIu64 ",", schedule.sent);
	say_times("ms");
	done(began);
}

/* Each relayed message is followed by the next one of its sender, up to a total. */
static struct {
	uint64_t sent;
	uint64_t came;
	uint64_t total;
} chain;

static void next_in_chain(struct user *from, struct user *to, int64_t sent_us) {
	(void)to;
	(void)sent_us;
	chain.came++;
	if (chain.sent < chain.total) {
		chain.sent++;
		speak_relay(from, clients_now());
	}
}

static void begin_chain(uint32_t pairs, uint32_t window, uint64_t total) {
	chain.sent = chain.came = 0;
	chain.total = total;
	load.relayed = next_in_chain;
	for (uint32_t i = 0; i < 2 * pairs * window; i++) {
		chain.sent++;
		speak_relay(&load.users[i % (2 * pairs)], clients_now());
	}
}

void phase_most(uint32_t pairs, uint32_t seconds) {
	int64_t began = clients_now();
	int64_t until = began + (int64_t)seconds * SECOND;
	begin_chain(pairs, 1, UINT64_MAX);
	while (clients_now() < until) {
		(void)users_step(until);
	}
	(void)printf("{\"perSecond\":%.0f,",
		(double)chain.came / ((double)(clients_now() - began) / SECOND));
	chain.total = 0;
	settle();
	done(began);
}

void phase_exact(uint32_t pairs, uint64_t total, uint32_t breaks) {
	int64_t began = clients_now();
	int64_t heard = began;
	uint64_t before = 0;
	uint32_t broken = 0;
	load.resumed = load.restarted = 0;
	begin_chain(pairs, 4, total);
	while (chain.came < total && clients_now() - heard < PATIENCE) {
		while (broken < breaks && chain.came >= total / (breaks + 1) * (broken + 1)) {
			struct user *user = &load.users[(uint32_t)lrand48() % (2 * pairs)];
			if (user->state != USER_THERE) {
				break;
			}
			user_break(user);
			broken++;
		}
		(void)users_step(clients_now() + SECOND / 1000);
		heard = chain.came > before ? clients_now() : heard;
		before = chain.came;
	}
	settle();
	(void)printf("{\"relayed\":%" PRIu64 ",\"missing\":%" PRIu64
		     ",\"broken\":%u,\"resumed\":%" PRIu64 ",\"restarted\":%" PRIu64 ",",
		chain.came, total - chain.came, broken, load.resumed, load.restarted);
	done(began);
}

/* Two members of a room: each sends the other a description and candidates. */
#define ROOM_OF 4
#define PAIRS_OF 6
#define CANDIDATES 4
#define SDP_SIZE 1500
#define CANDIDATE_SIZE 150

struct pair {
	struct user *ends[2];
	uint8_t got[2]; /* from the end with that side */
};
static struct pair *pairs;
static uint32_t pairs_done;
static int64_t setups_began;

static void say_side(uint32_t at, uint32_t side) {
	struct pair *pair = &pairs[at];
	for (int i = 0; i <= CANDIDATES; i++) {
		speak_body(pair->ends[side], pair->ends[!side], at, side,
			i == 0 ? SDP_SIZE : CANDIDATE_SIZE);
	}
}

static void on_body(uint32_t at, uint32_t side, int64_t now) {
	struct pair *pair = &pairs[at];
	pair->got[side]++;
	if (side == 0 && pair->got[0] == 1) {
		say_side(at, 1);
	}
	if (pair->got[0] == CANDIDATES + 1 && pair->got[1] == CANDIDATES + 1) {
		pairs_done++;
		times_add(now - setups_began);
	}
}

void phase_setups(uint32_t rooms) {
	uint32_t count = 0;
	pairs = calloc((size_t)rooms * PAIRS_OF, sizeof(*pairs));
	for (uint32_t room = 0; room < rooms; room++) {
		for (uint32_t i = 0; i < ROOM_OF; i++) {
			for (uint32_t j = i + 1; j < ROOM_OF; j++) {
				pairs[count++] =
					(struct pair){{&load.users[room * ROOM_OF + i],
							      &load.users[room * ROOM_OF + j]},
						{0}};
			}
		}
	}
	times_clear();
	load.body = on_body;
	setups_began = clients_now();
	for (uint32_t i = 0; i < count; i++) {
		say_side(i, 0);
		(void)users_step(0);
	}
	while (pairs_done < count && clients_now() - setups_began < PATIENCE) {
		(void)users_step(clients_now() + SECOND / 100);
	}
	(void)printf("{\"calls\":%u,\"setUp\":%u,", count, pairs_done);
	say_times("ms");
	done(setups_began);
	free(pairs);
}

/* A reader that never reads, while others go on. */
#define FLOODERS 15
#define BLOB 16000
#define BLOBS_PER_SECOND 640
#define BESIDE_PER_SECOND 2000
/* bench.js knows it. */
#define FLOOD_BEFORE (3 * (int64_t)SECOND)
#define FLOOD_MOST (13 * (int64_t)SECOND)

void phase_flood(uint64_t bytes) {
	struct user *deaf = &load.users[load.count - 1];
	int64_t began = clients_now();
	/* Relayed messages alone have the numbers by which they are sent again. */
	struct schedule beside = {
		began, BESIDE_PER_SECOND, 0, FLOODERS + 1, load.count - 2 - FLOODERS - 1};
	load.relayed = note_time;
	times_clear();
	run_schedule(&beside, began + FLOOD_BEFORE);
	(void)printf("{");
	say_times("before");
	times_clear();
	load.refused = 0;
	client_go_deaf(&deaf->client);
	int64_t flood = clients_now();
	uint64_t sent = 0;
	while (clients_now() - flood < FLOOD_MOST) {
		uint64_t due = (uint64_t)(clients_now() - flood) * BLOBS_PER_SECOND / SECOND * BLOB;
		while (sent < bytes && sent < due) {
			struct user *from = &load.users[sent / BLOB % FLOODERS];
			speak_blob(from, deaf, BLOB);
			sent += BLOB;
		}
		run_schedule(&beside, clients_now() + SECOND / 1000);
	}
	say_times("during");
	(void)printf("\"sent\":%" PRIu64 ",", sent);
	done(began);
}

/* The server is killed and started again meanwhile. */
void phase_return(void) {
	load.restarted = 0;
	int64_t began = clients_now();
	while (load.broken == 0 && clients_now() - began < PATIENCE) {
		(void)users_step(clients_now() + SECOND / 1000);
	}
	began = clients_now();
	while (load.there < load.count && clients_now() - began < PATIENCE) {
		(void)users_step(clients_now() + SECOND / 100);
	}
	(void)printf("{\"there\":%u,\"restarted\":%" PRIu64 ",", load.there, load.restarted);
	done(began);
}
