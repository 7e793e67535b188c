/* The sse dialect over HTTP. Who posts is known by a cookie, which the stream of events brought. */
#include <string.h>

#include "rooms/clients/carrier.h"
#include "rooms/clients/client.h"
#include "rooms/http/http.h"
#include "rooms/wire/base64url.h"

#define COOKIE "portlight-stream="

static bool wants_stream(const struct net_request *request) {
	return strcmp(request->method, "GET") == 0 && strcmp(request->path, "/stream") == 0;
}

bool dialect_has(const struct server *server, const struct net_request *request) {
	return server->settings->dialect_sse &&
	       (wants_stream(request) ||
		       (strcmp(request->method, "POST") == 0 && strcmp(request->path, "/") == 0));
}

/* The session of the cookie, `ID.SECRET`, or NULL. Fills hello's, if they are given. */
static struct session *find_session(
	const struct server *server, const struct net_request *request, struct hello *hello) {
	g_auto(GStrv) cookies = g_strsplit(request->cookie, ";", 64);
	for (char **cookie = cookies; *cookie != NULL; cookie++) {
		const char *text = g_strstrip(*cookie);
		if (!g_str_has_prefix(text, COOKIE)) {
			continue;
		}
		g_auto(GStrv) pair = g_strsplit(text + strlen(COOKIE), ".", 2);
		struct session *session =
			pair[0] == NULL || pair[1] == NULL
				? NULL
				: session_find(server->sessions, pair[0], pair[1]);
		if (session != NULL && client_dialect(session->user) == &dialect_sse) {
			(void)g_strlcpy(hello->session, pair[0], sizeof(hello->session));
			(void)g_strlcpy(hello->secret, pair[1], sizeof(hello->secret));
			return session;
		}
	}
	return NULL;
}

/* A page whose stream broke goes on with its session. One that was reloaded has another: what
 * was said meanwhile is not for it. */
static void answer_stream(
	struct server *server, const struct net_request *request, const struct peer *peer) {
	struct hello hello = {0};
	const struct session *session = find_session(server, request, &hello);
	if (session == NULL || session->carrier != NULL || request->last_event_id[0] == '\0') {
		hello = (struct hello){.has_keys = true};
		server_random(hello.keys, sizeof(hello.keys));
	}
	char id[SESSION_KEY_TEXT];
	char secret[SESSION_KEY_TEXT];
	base64url_write(hello.keys, SESSION_KEY_BYTES, id);
	base64url_write(hello.keys + SESSION_KEY_BYTES, SESSION_KEY_BYTES, secret);
	g_autofree char *cookie =
		hello.has_keys ? g_strdup_printf("Set-Cookie: " COOKIE
						 "%s.%s; Path=/; HttpOnly; SameSite=Strict%s\r\n",
					 id, secret, peer->secure ? "; Secure" : "")
			       : g_strdup("");
	g_autofree char *lines = g_strconcat("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
					     "X-Content-Type-Options: nosniff\r\n",
		cookie, NULL);
	(void)net_answer_events(
		request, lines, carrier_create(peer->address, &dialect_sse, &hello));
}

static void answer_post(struct server *server, const struct net_request *request) {
	struct hello hello;
	const struct session *session = find_session(server, request, &hello);
	if (session == NULL) {
		http_answer_error(server, request, 401, ROOMS_ERROR_HELLO_REQUIRED,
			"no stream: GET /stream first");
		return;
	}
	struct client *client = session->user;
	struct shared_text *refusal =
		client_message(server, client, request->body, request->length)
			? client_refusal(client)
			: wire_error(0, ROOMS_ERROR_TOO_MANY_REQUESTS, NULL, 0);
	if (refusal == NULL) {
		http_answer_nothing(request);
		return;
	}
	g_autofree char *whole = g_strconcat("{", refusal->bytes, NULL);
	shared_text_drop(refusal);
	http_answer_text(request, 400, "", shared_text_create(whole, strlen(whole)));
}

void dialect_request(
	struct server *server, const struct net_request *request, const struct peer *peer) {
	if (wants_stream(request)) {
		answer_stream(server, request, peer);
	} else {
		answer_post(server, request);
	}
}
