/*
 * When connections are due, in a wheel: libwebsockets keeps its timers in one sorted list, through
 * which each that is set walks, past those of all connections.
 */
#include "rooms/net/net_parts.h"

void net_due_never(struct net_connection *connection) {
	if (connection->due_link != NULL) {
		*connection->due_link = connection->due_next;
		if (connection->due_next != NULL) {
			connection->due_next->due_link = connection->due_link;
		}
		connection->due_link = NULL;
	}
}

static void put(struct net_connection *connection) {
	struct net_connection **slot = &connection->net->wheel[connection->due % NET_WHEEL];
	connection->due_next = *slot;
	connection->due_link = slot;
	if (*slot != NULL) {
		(*slot)->due_link = &connection->due_next;
	}
	*slot = connection;
}

void net_due_in(struct net_connection *connection, unsigned ms) {
	net_due_never(connection);
	connection->due = connection->net->turn + MAX(1, (ms + NET_TICK_MS - 1) / NET_TICK_MS);
	put(connection);
}

void net_wheel_turn(struct net *net) {
	struct net_connection *here = net->wheel[++net->turn % NET_WHEEL];
	net->wheel[net->turn % NET_WHEEL] = NULL;
	if (here != NULL) {
		here->due_link = &here;
	}
	while (here != NULL) {
		struct net_connection *connection = here;
		net_due_never(connection);
		if (connection->due != net->turn) {
			put(connection); /* in a later turn */
		} else if (net_on_due(connection) != 0) {
			net_end_soon(connection);
		}
	}
}
