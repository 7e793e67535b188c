/* What the parts of the load share: users, who speak the rooms' protocol or the bare relay's. */
#pragma once

#include <stdio.h>

#include "client.h"

enum user_state {
	USER_NONE,
	USER_COMING, /* connecting, upgrading, logging in */
	USER_THERE,
	USER_BROKEN, /* comes again at `again_us` */
};

/* The user with index 2k calls 2k + 1. */
struct user {
	struct client client; /* first: a client is its user */
	uint32_t index;
	enum user_state state;
	const char *room; /* joins this instead of logging in; NULL: none */
	const char *token;
	uint32_t connection; /* to the room */
	char session[24];
	char secret[24];
	uint64_t sent;     /* our sequence numbers */
	uint64_t received; /* the server's */
	uint32_t owed;     /* messages not acknowledged */
	uint64_t base;     /* `sent` before the first of `relayed` */
	uint64_t relayed;  /* messages to its peer, numbered from 1 */
	uint64_t seen;     /* the highest from its peer */
	uint32_t failures;
	int64_t again_us;
};

struct load {
	struct user *users;
	uint32_t count;
	bool rooms; /* the rooms' protocol; otherwise the bare relay's */
	uint32_t there;
	uint32_t broken;
	uint64_t answers; /* `ok`s */
	uint64_t refused; /* `error`s */
	uint64_t resumed;
	uint64_t restarted; /* sessions that the server did not know again */
	uint64_t lost;
	uint64_t twice;
	uint32_t calls_heard;
	/* A relayed message came, sent at this time. */
	void (*relayed)(struct user *from, struct user *to, int64_t sent_us);
	/* A body of setups came. */
	void (*body)(uint32_t pair, uint32_t side, int64_t now);
};

extern struct load load;

/* speak.c */
extern const struct client_handlers speak_handlers;
const char *speak_protocol(void);
struct user *speak_peer(const struct user *user);
/* The next numbered message of about 300 bytes to the peer. */
void speak_relay(struct user *user, int64_t now);
/* Begins the call in which speak_relay's messages go. */
void speak_call(struct user *user);
/* A text of `size` bytes to a user by name. */
void speak_blob(struct user *user, const struct user *to, size_t size);
/* A body to a member of the same room, or by name. */
void speak_body(
	struct user *user, const struct user *to, uint32_t pair, uint32_t side, size_t size);
void speak_acknowledge(struct user *user);

/* users.c: their coming, breaking and coming again. */
void user_come(struct user *user);
void user_there(struct user *user);
/* As docs/examples/rooms/server.js does after a carrier broke. */
void user_broke(struct user *user);
/* Breaks its socket in the middle of whatever it does. */
void user_break(struct user *user);
/* Handles events until `until_us`, at most; true: stdin has a line. */
bool users_step(int64_t until_us);

/* phases.c: each prints one line of JSON. */
void phase_connect(uint32_t at_once);
void phase_call(void);
void phase_rate(uint32_t per_second, uint32_t seconds);
void phase_most(uint32_t pairs, uint32_t seconds);
void phase_exact(uint32_t pairs, uint64_t total, uint32_t breaks);
void phase_setups(uint32_t rooms);
void phase_flood(uint64_t bytes);
void phase_return(void);
