/*
 * The host's end of the native port: framed messages in and out, without blocking. Backpressure:
 * while port_is_pressed(), the owner sends no frames, and no message is read either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/errors.h"

/* How much queued output presses the port, and how much is left when `relieved` comes. */
#define PORT_PRESSED_BYTES (1024u * 1024u)
#define PORT_RELIEVED_BYTES (256u * 1024u)

struct port;

/* Called from the main loop, never from within a function of this module. */
struct port_listener {
	/* One message, lent for the call. */
	void (*message)(void *data, const uint8_t *text, size_t length);
	/* Once, and reading stopped. ERROR_NONE: the browser closed its end, or reading failed.
	 * Otherwise the framing broke, and writing still works. */
	void (*closed)(void *data, enum error_code code);
	/* The queue has drained after port_is_pressed(). */
	void (*relieved)(void *data);
	/* The queue is empty, or was dropped because writing failed. */
	void (*flushed)(void *data);
};

/* Call it first in main(): returns a descriptor of the real stdout, and points fd 1 at stderr, so
 * that no stray print breaks the framing. -1 on failure. */
int port_claim_stdout(void);

/* Both descriptors are taken and made non-blocking. `listener` must outlive it. */
struct port *port_create(int in_fd, int out_fd, const struct port_listener *listener, void *data);

/* Drops what is queued. Not from within a callback. NULL is fine. */
void port_destroy(struct port *port);

/*
 * One message: append its JSON to the buffer that port_begin() lends, then port_end() queues it
 * and writes what the pipe takes. `ok` false drops it (what the protocol's writers return).
 */
struct bytes *port_begin(struct port *port);
void port_end(struct port *port, bool ok);

bool port_is_pressed(const struct port *port);

/* Everything was written, or can't be. */
bool port_is_flushed(const struct port *port);

/* `closed` does not come then. */
void port_stop_reading(struct port *port);
