/* The carrier for networks that break WebSockets: events come on a stream, messages go by POST. */
#include <string.h>

#include "rooms/clients/carrier.h"
#include "rooms/clients/client.h"
#include "rooms/http/http.h"
#include "rooms/state/journal.h"

#define TICKET_MS 10000
#define TICKETS_MAX 4096u
#define TICKET_BYTES 16u
#define HELLO_MAX 1024u /* bytes; anybody may ask for a ticket, so that it must cost little */

struct ticket {
	struct hello hello;
	int64_t until_ms;
	char address[64]; /* whose it is, as limits counts it */
};

static char *new_name(void) {
	uint8_t random[TICKET_BYTES];
	server_random(random, sizeof(random));
	char *name = g_base64_encode(random, sizeof(random));
	name[strcspn(name, "=")] = '\0';
	return g_strdelimit(g_strdelimit(name, "+", '-'), "/", '_');
}

/* All of one address together are no more than its sessions may be: nobody takes the others'
 * places. */
static bool room_for_ticket(const struct server *server, const char *address) {
	uint32_t count = 0;
	GHashTableIter iter;
	gpointer ticket = NULL;
	g_hash_table_iter_init(&iter, server->tickets);
	while (g_hash_table_iter_next(&iter, NULL, &ticket)) {
		count += strcmp(((struct ticket *)ticket)->address, address) == 0;
	}
	return g_hash_table_size(server->tickets) < TICKETS_MAX &&
	       count < server->settings->limits.address_sessions_max;
}

void sse_ticket(struct server *server, const struct net_request *request, const struct peer *peer) {
	struct wire_message message = {0};
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64] = "";
	bool parsed = request->length <= HELLO_MAX &&
		      wire_parse(request->body, request->length, &message, &error, detail);
	if (request->length > HELLO_MAX) {
		http_answer_error(server, request, 413, ROOMS_ERROR_TOO_LARGE, NULL);
	} else if (!parsed || message.type != WIRE_HELLO) {
		http_answer_error(
			server, request, 400, parsed ? ROOMS_ERROR_HELLO_REQUIRED : error, detail);
	} else if (server_draining(server)) {
		http_answer_error(server, request, 503, ROOMS_ERROR_DRAINING, NULL);
	} else if (!room_for_ticket(server, peer->address)) {
		http_answer_error(server, request, 503, ROOMS_ERROR_TOO_MANY_SESSIONS, NULL);
	} else {
		struct ticket *ticket = g_new0(struct ticket, 1);
		ticket->until_ms = net_now_ms(server->net) + TICKET_MS;
		(void)g_strlcpy(ticket->address, peer->address, sizeof(ticket->address));
		ticket->hello.received = message.received;
		if (message.session != NULL) {
			(void)g_strlcpy(ticket->hello.session, message.session,
				sizeof(ticket->hello.session));
			(void)g_strlcpy(
				ticket->hello.secret, message.secret, sizeof(ticket->hello.secret));
		}
		char *name = new_name();
		struct wire_writer writer;
		wire_begin_object(&writer);
		wire_string(&writer, "ticket", name);
		g_hash_table_insert(server->tickets, name, ticket);
		http_answer_text(request, 200, "", wire_end(&writer));
	}
	wire_finish(&message);
}

void sse_events(struct server *server, const struct net_request *request, const struct peer *peer) {
	static const char key[] = "ticket=";
	const char *name =
		g_str_has_prefix(request->query, key) ? request->query + sizeof(key) - 1 : "";
	const struct ticket *ticket = g_hash_table_lookup(server->tickets, name);
	if (ticket == NULL || ticket->until_ms < net_now_ms(server->net)) {
		http_answer_error(
			server, request, 401, ROOMS_ERROR_HELLO_REQUIRED, "no such ticket");
		return;
	}
	/* X-Accel-Buffering: nginx hands events on as they come. */
	g_autofree char *lines = g_strdup_printf(
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		"X-Accel-Buffering: no\r\n%s%s%s",
		request->origin[0] == '\0' ? "" : "Access-Control-Allow-Origin: ", request->origin,
		request->origin[0] == '\0' ? "" : "\r\n");
	struct carrier *carrier = carrier_create(peer->address, NULL, &ticket->hello);
	(void)g_hash_table_remove(server->tickets, name);
	(void)net_answer_events(request, lines, carrier);
}

struct posted {
	struct server *server;
	struct client *client;
};

static bool take_message(void *data, const char *text, size_t length) {
	struct posted *posted = data;
	return client_message(posted->server, posted->client, text, length);
}

/* `Bearer SESSION.SECRET`. */
static struct session *find_session(struct server *server, const char *authorization) {
	if (g_ascii_strncasecmp(authorization, "Bearer ", 7) != 0) {
		return NULL;
	}
	g_auto(GStrv) pair = g_strsplit(authorization + 7, ".", 2);
	return pair[0] == NULL || pair[1] == NULL
		       ? NULL
		       : session_find(server->sessions, pair[0], pair[1]);
}

void sse_messages(struct server *server, const struct net_request *request) {
	struct session *session = find_session(server, request->authorization);
	if (session == NULL) {
		http_answer_error(
			server, request, 401, ROOMS_ERROR_HELLO_REQUIRED, "no such session");
		return;
	}
	struct posted posted = {server, session->user};
	enum rooms_error error = ROOMS_ERROR_NONE;
	if (wire_split(request->body, request->length, take_message, &posted, &error)) {
		http_answer_nothing(request);
	} else {
		http_answer_error(server, request, 400, error, NULL);
	}
}

static gboolean is_old(gpointer name, gpointer ticket, gpointer now) {
	return ((struct ticket *)ticket)->until_ms < *(int64_t *)now;
}

void sse_tick(struct server *server) {
	int64_t now = net_now_ms(server->net);
	(void)g_hash_table_foreach_remove(server->tickets, is_old, &now);
}
