/* What the parts of the running server share. */
#pragma once

#include <glib.h>

#include "rooms/hub/hub.h"
#include "rooms/net/net.h"
#include "rooms/session/limits.h"
#include "rooms/session/session.h"
#include "rooms/session/token.h"
#include "rooms/settings/settings.h"
#include "rooms/state/ice.h"
#include "rooms/state/metrics.h"

struct pages;

struct server {
	const struct settings *settings;
	struct net *net;
	struct hub *hub;
	struct sessions *sessions;
	struct limits *limits;
	struct tokens *tokens;
	struct pages *pages; /* NULL: none are served */
	struct metrics metrics;
	GHashTable *tickets; /* http_sse.c's */
	GQueue *doomed;      /* clients whose sessions ended in the middle of something */
	int64_t tidied_ms;
	int64_t drain_ms; /* when the draining began; 0: it did not */
};

static inline bool server_draining(const struct server *server) {
	return server->drain_ms != 0;
}
/* When a client that is sent away may come back: spread out. */
int64_t server_retry_ms(void);
/* Wall-clock time in milliseconds, as tokens have it. */
int64_t server_wall_ms(void);
/* The system's random bytes. */
void server_random(void *bytes, size_t length);
