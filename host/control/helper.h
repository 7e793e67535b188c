/*
 * The other side of one portlight-capture: its process, its socket, its packets. Verbs go down,
 * callbacks come up; no callback is called from within a verb, and any verb (helper_destroy() too)
 * may be called from a callback.
 *
 * The process can't outlive this one (parent-death signal) nor its socket: the helper ends itself
 * when the socket closes, and is killed when it does not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"
#include "wire/packet.h"

#define HELPER_READY_TIMEOUT_MS 10000u
/* From closing the socket to SIGKILL: "within a second" has to hold with the kill and the reaping.
 */
#define HELPER_GRACE_MS 800u

struct helper_process;

struct helper_options {
	struct packet_open open;
	unsigned ready_timeout_ms; /* from start to READY; 0: HELPER_READY_TIMEOUT_MS */
};

struct helper_listener {
	/* Pictures flow. Once, before any frame. */
	void (*ready)(void *data, const struct packet_ready *ready);
	/* One fragment of a frame; its payload is lent for the call. */
	void (*frame)(void *data, const struct packet_frame *frame);
	/* The cursor moved or changed; its bitmap is lent for the call. NULL where OPEN does not
	 * ask for it. */
	void (*cursor)(void *data, const struct packet_cursor *cursor);
	/*
	 * It ended by itself, once: its ENDED packet, a crash (ERROR_HELPER_CRASHED), an invalid
	 * packet (ERROR_BAD_PACKET), no READY in time (ERROR_HELPER_TIMEOUT), or it could not be
	 * started (ERROR_HELPER_MISSING). Nothing but `gone` comes after it. `detail` may be NULL.
	 */
	void (*ended)(void *data, enum error_code code, const char *detail);
	/* The process is gone and reaped: once and last, after `ended` or helper_stop(). */
	void (*gone)(void *data);
};

/*
 * Starts portlight-capture, which is beside the running program or in ../libexec/portlight/ of it,
 * and sends it OPEN with `remote_fd`, the PipeWire remote, which is taken (closed
 * here in any case). `listener` must outlive the helper. Never NULL: failures come by `ended`,
 * then `gone`.
 */
struct helper_process *helper_create(const struct helper_options *options, int remote_fd,
	const struct helper_listener *listener, void *data);

/* `frames`: 1 to PACKET_CREDIT_MAX. Nothing once it ended or was stopped. */
void helper_grant_credit(struct helper_process *helper, uint16_t frames);
/* New bounds for the pictures from the next one on. Nothing once it ended or was stopped. */
void helper_set(struct helper_process *helper, const struct packet_set *set);
/* The next frame will be a keyframe. Nothing once it ended or was stopped. */
void helper_request_keyframe(struct helper_process *helper);

/* While paused nothing is read from the helper: its socket fills and it waits. */
void helper_set_paused(struct helper_process *helper, bool paused);

/* What the process used so far, and what was received from it. */
struct helper_usage {
	uint64_t cpu_ms;
	uint64_t rss_kib; /* now; what the kernel does not tell is 0 */
	uint64_t frames;
	uint64_t bytes;          /* of frames */
	enum packet_codec codec; /* of the last frame */
};

void helper_usage(const struct helper_process *helper, struct helper_usage *usage);

/* Closes the socket; the process has HELPER_GRACE_MS to exit, then it is killed. `gone` follows and
 * nothing else. */
void helper_stop(struct helper_process *helper);

/* Frees; a process that is still there is killed and reaped first, without callbacks. NULL is
 * fine. */
void helper_destroy(struct helper_process *helper);
