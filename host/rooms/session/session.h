/*
 * A session outlives its carriers: it numbers messages per direction, keeps what the client did not
 * acknowledge, and lets the next carrier go on with nothing lost and nothing twice. No I/O, no
 * clock: `now` is monotonic time in milliseconds. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rooms/wire/errors.h"
#include "rooms/wire/shared_text.h"

#define SESSION_OUTBOX_MAX 65536u  /* bytes kept without an acknowledgement */
#define SESSION_OUTBOX_BUSY 34816u /* past this others' messages are refused */
#define SESSION_GRACE_MS 30000
#define SESSION_KEY_BYTES 16u
#define SESSION_KEY_TEXT 23u /* base64url, terminated */
#define SESSION_PREFIX_MAX 64u

/* What a carrier's owner may read; only this module writes. */
struct session {
	void *carrier;     /* the owner's; NULL: broken */
	void *user;        /* the owner's, as session_open got it */
	uint64_t received; /* the highest sequence number from the client */
	uint64_t sent;     /* the last one given to a message to it */
	uint64_t acked;    /* the highest that it acknowledged */
	uint64_t written;  /* the highest that this carrier took */
	int64_t heard;     /* when the client was last heard */
	uint32_t waiting;  /* bytes of the outbox, as they count */
	bool ended;        /* too slow: to be closed */
	struct sessions *all;
	struct shared_text **outbox; /* a ring */
	uint32_t first;
	uint32_t count;
	uint32_t room;
	struct session *older; /* among those without a carrier */
	struct session *newer;
	uint8_t id[SESSION_KEY_BYTES];
	uint8_t secret[SESSION_KEY_BYTES];
};

struct sessions;
struct sessions *sessions_create(int64_t grace_ms);
/* Frees the sessions that are left, without a word. Takes NULL. */
void sessions_destroy(struct sessions *sessions);
uint32_t sessions_count(const struct sessions *sessions);
uint32_t sessions_waiting(const struct sessions *sessions); /* without a carrier */
/* `each` may close the session that it gets, no other. */
void sessions_each(struct sessions *sessions, void (*each)(void *context, struct session *session),
	void *context);

/* A new session on `carrier`. `random` is 2 * SESSION_KEY_BYTES of the system's random bytes. */
struct session *session_open(
	struct sessions *sessions, void *carrier, void *user, const uint8_t *random, int64_t now);
/* Ends it and frees it with its outbox. Takes NULL. */
void session_close(struct session *session);

void session_id(const struct session *session, char out[static SESSION_KEY_TEXT]);
void session_secret(const struct session *session, char out[static SESSION_KEY_TEXT]);

/* By its id and secret, compared in constant time; NULL if there is none. */
struct session *session_find(struct sessions *sessions, const char *id, const char *secret);

/*
 * Goes on with another carrier; the client received all up to `received`. The caller closes the
 * carrier that the session had. False if `received` cannot be (BAD_SEQUENCE): nothing has changed.
 */
bool session_resume(struct session *session, void *carrier, uint64_t received, int64_t now);
/* The carrier broke: the grace begins. No effect without a carrier. */
void session_break(struct session *session, int64_t now);
/* The session whose grace ended first, or NULL; the caller closes it and asks again. */
struct session *sessions_expired(struct sessions *sessions, int64_t now);
/* When the next grace ends, or -1. */
int64_t sessions_next_expiry(const struct sessions *sessions);

enum session_verdict {
	SESSION_NEW,       /* handle it */
	SESSION_DUPLICATE, /* received before: drop it */
	SESSION_BAD        /* from the future, or acknowledges what was not sent: end the session */
};
/* A numbered message came. */
enum session_verdict session_receive(
	struct session *session, uint64_t seq, bool has_ack, uint64_t ack, int64_t now);
/* A message without a number came (`ack`). False: BAD_SEQUENCE. */
bool session_heard(struct session *session, bool has_ack, uint64_t ack, int64_t now);

/*
 * Numbers a message and keeps it (takes its own reference). False and `ended` if more than
 * SESSION_OUTBOX_MAX would wait: the owner closes the session with TOO_SLOW; all later sends are
 * no-ops. A message counts as SESSION_OUTBOX_BUSY at most, so that any fits where nothing waits.
 */
bool session_send(struct session *session, struct shared_text *text);
/* Whether so many bytes more would be too many of what others send. */
bool session_busy(const struct session *session, size_t bytes);

/*
 * The next message that the carrier has not taken yet, or NULL: lent until the session is next
 * changed. session_wrote says that it was handed to the carrier in full; a break in between sends
 * it again.
 */
const struct shared_text *session_next(const struct session *session, uint64_t *seq);
void session_wrote(struct session *session);

/* Writes `{"seq":N,"ack":N,`, or without a seq (0) `{"ack":N,`; returns its length. */
size_t session_prefix(
	const struct session *session, uint64_t seq, char out[static SESSION_PREFIX_MAX]);
