/* Who is connected, and how many connections each address has: one alone can't take them all. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "rooms/net/net_parts.h"

struct net_crowd {
	struct net_address address; /* the key; of IPv6 the first 64 bits */
	unsigned connections;
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

void net_peer_read(int file, struct net_peer *peer) {
	struct sockaddr_storage from = {0};
	socklen_t size = sizeof(from);
	*peer = (struct net_peer){0};
	if (getpeername(file, (struct sockaddr *)&from, &size) != 0) {
		return;
	}
	uint8_t *bytes = peer->address.bytes;
	if (from.ss_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)&from;
		memcpy(bytes, mapped, sizeof(mapped));
		memcpy(bytes + sizeof(mapped), &four->sin_addr, 4);
		peer->local = bytes[12] == 127;
	} else if (from.ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&from;
		memcpy(bytes, &six->sin6_addr, 16);
		peer->local = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
			      (memcmp(bytes, mapped, sizeof(mapped)) == 0 && bytes[12] == 127);
	} else {
		peer->unix_socket = peer->local = true;
	}
}

/* A tree: whoever has many addresses could choose those that collide in a hash. */
static gint compare(gconstpointer a, gconstpointer b, gpointer data) {
	return memcmp(a, b, sizeof(struct net_address));
}

void net_crowds_open(struct net *net) {
	net->crowds = g_tree_new_full(compare, NULL, NULL, g_free);
}

/* The key of who is counted; false: a proxy, or this machine. */
static bool counted(struct net *net, int file, struct net_address *key) {
	struct net_peer peer;
	net_peer_read(file, &peer);
	*key = peer.address;
	if (memcmp(key->bytes, mapped, sizeof(mapped)) != 0) {
		memset(key->bytes + 8, 0, 8);
	}
	return !peer.local && net->handlers.crowds(net->data, &peer.address);
}

bool net_crowded(struct net *net, int file) {
	struct net_address key;
	if (!counted(net, file, &key)) {
		return false;
	}
	const struct net_crowd *crowd = g_tree_lookup(net->crowds, &key);
	return crowd != NULL && crowd->connections >= net->address_connections_max;
}

struct net_crowd *net_crowd_join(struct net *net, int file) {
	struct net_address key;
	if (!counted(net, file, &key)) {
		return NULL;
	}
	struct net_crowd *crowd = g_tree_lookup(net->crowds, &key);
	if (crowd == NULL) {
		crowd = g_new0(struct net_crowd, 1);
		crowd->address = key;
		g_tree_insert(net->crowds, &crowd->address, crowd);
	}
	crowd->connections++;
	return crowd;
}

void net_crowd_leave(struct net *net, struct net_crowd *crowd) {
	if (crowd != NULL && --crowd->connections == 0) {
		(void)g_tree_remove(net->crowds, &crowd->address);
	}
}
