/* Who asks, and whether they may: proxies, hosts, origins and the backend's secret. */
#pragma once

#include "rooms/state/state.h"

/* Of a request, after what a trusted proxy says of it. */
struct peer {
	char address[64]; /* as limits counts it; "unix" */
	bool local;       /* this machine, and not through a proxy */
	bool secure;      /* HTTPS, perhaps the proxy's */
	bool refused;     /* not one of the proxies, where only they may connect */
};

void peer_read(
	const struct settings *settings, const struct net_request *request, struct peer *peer);

/* Whether a proxy of the configuration has this address. */
bool peer_trusted(const struct settings *settings, const struct net_address *address);

/* Whether the header Host names this server: a page elsewhere may have a name that leads here. */
bool peer_host_known(const struct settings *settings, const struct net_request *request);

enum peer_origin {
	PEER_ORIGIN_OWN, /* or none */
	PEER_ORIGIN_ALLOWED,
	PEER_ORIGIN_OTHER
};
enum peer_origin peer_origin(const struct settings *settings, const struct net_request *request,
	const struct peer *peer);

/* Whether the request has the backend's secret: Bearer, or Basic with any user. */
bool peer_is_backend(const struct settings *settings, const struct net_request *request);
