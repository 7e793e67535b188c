/*
 * The host's side of the browser's two pipes: framed messages in, framed messages out, nothing ever
 * blocks. The output queue is bounded by what the owner does when stdio_is_pressed(): while it is,
 * no message is read either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/errors.h"

/* Queued output from which the owner should hold back, and to which it has to drain before
 * `relieved`. */
#define STDIO_PRESSED_BYTES (1024u * 1024u)
#define STDIO_RELIEVED_BYTES (256u * 1024u)

struct stdio;

/* Callbacks come from the main loop only, never from within a function of this module. */
struct stdio_listener {
	/* One message, lent for the call. */
	void (*message)(void *data, const uint8_t *text, size_t length);
	/* The framing broke: nothing is read any more. Writing still works. */
	void (*broken)(void *data, enum error_code code);
	/* The browser closed its end or reading failed; nothing is read any more. Once. */
	void (*closed)(void *data);
	/* The queue has drained after stdio_is_pressed(). */
	void (*relieved)(void *data);
	/* The queue is empty, or was dropped because writing failed. */
	void (*flushed)(void *data);
};

/*
 * To be called first thing in main(): returns a descriptor of the real stdout, and points fd 1 at
 * stderr, so that no stray print ever breaks the framing. -1 on failure.
 */
int stdio_claim_stdout(void);

/* Both descriptors are taken and made non-blocking. `listener` must outlive it. */
struct stdio *stdio_create(
	int in_fd, int out_fd, const struct stdio_listener *listener, void *data);

/* Drops what is queued. Not from within a callback. NULL is fine. */
void stdio_destroy(struct stdio *stdio);

/*
 * One message: append its JSON to the buffer that stdio_begin() lends, then stdio_end() queues it
 * and writes what the pipe takes. `ok` false drops it (what the protocol's writers return).
 */
struct bytes *stdio_begin(struct stdio *stdio);
void stdio_end(struct stdio *stdio, bool ok);

bool stdio_is_pressed(const struct stdio *stdio);

/* True when everything was written, or can't be any more. */
bool stdio_is_flushed(const struct stdio *stdio);

/* No message is read any more, and `closed` does not come. */
void stdio_stop_reading(struct stdio *stdio);
