/*
 * The host's side of one portlight-capture: its process, its socket, its packets. Verbs go down,
 * callbacks come up; no callback is called from within a verb, and any verb may be called from a
 * callback, but helper_destroy() only from `gone`.
 *
 * The process exits when its socket closes, and is killed if it does not; a parent-death signal
 * ends it with this process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"
#include "wire/protocol.h"

#define HELPER_READY_TIMEOUT_MS 10000u
/* From closing the socket to SIGKILL: all of it takes less than a second. */
#define HELPER_GRACE_MS 800u

struct helper_process;

struct helper_options {
	struct packet_open open;
	unsigned ready_timeout_ms; /* from start to READY; 0: HELPER_READY_TIMEOUT_MS */
};

struct helper_listener {
	/* Once, before any frame. */
	void (*ready)(void *data, const struct packet_ready *ready);
	/* A fragment; its payload is lent for the call. */
	void (*frame)(void *data, const struct packet_frame *frame);
	/* Its bitmap is lent for the call. NULL if OPEN does not ask for it. */
	void (*cursor)(void *data, const struct packet_cursor *cursor);
	/* It failed, once: its ENDED packet, ERROR_HELPER_CRASHED, _TIMEOUT (no READY), _MISSING,
	 * or ERROR_BAD_PACKET. Only `gone` comes after it. `detail` may be NULL. */
	void (*ended)(void *data, enum error_code code, const char *detail);
	/* The process was reaped: once and last, after `ended` or helper_stop(). */
	void (*gone)(void *data);
};

/*
 * Starts portlight-capture, which is next to the running program or in ../libexec/portlight/ of it,
 * and sends it OPEN with `remote_fd`, the PipeWire remote, which is taken in any case. `listener`
 * must outlive the helper. Never NULL: a failure comes by `ended`, then `gone`.
 */
struct helper_process *helper_create(const struct helper_options *options, int remote_fd,
	const struct helper_listener *listener, void *data);

/* The packets CREDIT, SET and KEYFRAME. They do nothing once it ended or was stopped. */
void helper_grant_credit(struct helper_process *helper, uint16_t frames);
void helper_set(struct helper_process *helper, const struct packet_set *set);
void helper_request_keyframe(struct helper_process *helper);

/* Backpressure: while paused nothing is read from the helper, so its socket fills and it waits. */
void helper_set_paused(struct helper_process *helper, bool paused);

/* What the process used so far, 0 if the kernel does not say, and what came from it. */
struct protocol_stats_result helper_stats(const struct helper_process *helper);

/* Closes the socket; after HELPER_GRACE_MS the process is killed. Only `gone` follows. */
void helper_stop(struct helper_process *helper);

/* Kills and reaps a process that still runs, without callbacks. NULL is fine. */
void helper_destroy(struct helper_process *helper);
