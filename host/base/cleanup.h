/*
 * Scope-bound clean-up for what libc hands out.
 *
 *	cleanup_free char *text = strdup("…");   // freed when `text` leaves its scope
 *	cleanup_fd int fd = open(…);             // closed when `fd` leaves its scope, if >= 0
 *	return steal_fd(&fd);                    // hands the descriptor on; nothing is closed
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p) {
	free(*(void **)p);
}

static inline void cleanup_fd_p(const int *fd) {
	if (*fd >= 0) {
		(void)close(*fd);
	}
}

#define cleanup_free __attribute__((cleanup(cleanup_free_p)))
#define cleanup_fd __attribute__((cleanup(cleanup_fd_p)))

/* Takes the descriptor out of *fd, leaving -1. */
static inline int steal_fd(int *fd) {
	int taken = *fd;
	*fd = -1;
	return taken;
}
