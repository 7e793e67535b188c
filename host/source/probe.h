/* What the running PipeWire says of itself: for `portlight doctor`, no part of a share. */
#pragma once

#include <stdint.h>

#include "source/loop.h"

struct probe {
	int error;        /* an errno: there is no connection, or no answer; 0: none */
	char version[32]; /* of the daemon */
	char manager[32]; /* the session manager's name, which links streams; "": none runs */
};

/* Connects to the session's PipeWire, by the environment that every client heeds, and waits for its
 * answer, `timeout_us` at most. Runs the loop. */
void probe_pipewire(struct loop *loop, int64_t timeout_us, struct probe *probe);
