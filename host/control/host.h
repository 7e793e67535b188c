/* portlight-host: the messages of one native port, its shares, and their end with the browser. */
#pragma once

#include <stdbool.h>

struct host;

#define HOST_TIMEOUT_MS 60000u

struct host_options {
	int in_fd; /* taken, as is out_fd */
	int out_fd;
	/* How long a share may stay unopened; 0: HOST_TIMEOUT_MS. It also limits what the portal
	 * and a helper may take. */
	unsigned timeout_ms;
	/* Nothing is left to do. Once. */
	void (*done)(void *data);
	void *data;
};

struct host *host_create(const struct host_options *options);

/* Stops every share, writes what can be written, and calls `done`, all within a second. */
void host_stop(struct host *host);

/* Kills what is left. NULL is fine. */
void host_destroy(struct host *host);
