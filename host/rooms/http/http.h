/* What is answered over HTTP: pages, health, metrics, the carriers' requests, the backend's API. */
#pragma once

#include "rooms/http/peer.h"

/* net's handlers. */
void http_request(void *server, const struct net_request *request);
bool http_upgrade(void *server, const struct net_request *request, void **carrier);

/* The answers that the parts of it share. `lines` are further headers, or "". */
void http_answer_text(const struct net_request *request, unsigned status, const char *lines,
	struct shared_text *json);
void http_answer_error(struct server *server, const struct net_request *request, unsigned status,
	enum rooms_error error, const char *detail);
void http_answer_nothing(const struct net_request *request);

/* http_sse.c: tickets, streams of events, posted messages. */
void sse_ticket(struct server *server, const struct net_request *request, const struct peer *peer);
void sse_events(struct server *server, const struct net_request *request, const struct peer *peer);
void sse_messages(struct server *server, const struct net_request *request);
/* Forgets tickets that nobody used. */
void sse_tick(struct server *server);

/* http_dialect.c: GET /stream and POST /, where the sse dialect is on. */
bool dialect_has(const struct server *server, const struct net_request *request);
void dialect_request(
	struct server *server, const struct net_request *request, const struct peer *peer);

/* http_backend.c: /api/v1/…, for who has the secret. */
void backend_request(struct server *server, const struct net_request *request);
