/*
 * Clean-up at the end of a scope.
 *
 *	cleanup_free char *text = strdup("…");
 *	cleanup_fd int fd = open(…);             // closed if >= 0
 *	return steal_fd(&fd);                    // hands the descriptor on
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p) {
	free(*(void **)p);
}

/* Closes *fd, unless it is -1, and leaves -1. */
static inline void close_fd(int *fd) {
	if (*fd >= 0) {
		(void)close(*fd);
		*fd = -1;
	}
}

#define cleanup_free __attribute__((cleanup(cleanup_free_p)))
#define cleanup_fd __attribute__((cleanup(close_fd)))

/* Takes the descriptor out of *fd, leaving -1. */
static inline int steal_fd(int *fd) {
	int taken = *fd;
	*fd = -1;
	return taken;
}
