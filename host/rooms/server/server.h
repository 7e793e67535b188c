/* The running server: what net hears goes to http and clients, from there to the hub, and back. */
#pragma once

#include "rooms/state/state.h"

/* Runs until it is told to end. An exit status. */
int server_run(const struct settings *settings);
/* Its parts: `server` has only its settings. What went wrong is said; server_finish() follows in
 * any case. */
bool server_start(struct server *server);
void server_finish(struct server *server);
