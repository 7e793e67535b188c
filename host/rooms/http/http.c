#include "rooms/http/http.h"

#include <string.h>

#include "rooms/clients/carrier.h"
#include "rooms/http/pages.h"
#include "rooms/state/journal.h"

/* On every answer. */
#define COMMON                                                                                     \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Referrer-Policy: no-referrer\r\n"                                                         \
	"Cross-Origin-Resource-Policy: same-origin\r\n"
#define FRESH COMMON "Cache-Control: no-store\r\n"
/* On every page: nothing of others, and only what calls need. */
#define PAGE                                                                                       \
	COMMON                                                                                     \
	"Cache-Control: no-cache\r\n"                                                              \
	"Content-Security-Policy: default-src 'self'; img-src 'self' data: blob:; "                \
	"media-src 'self' blob: mediastream:; worker-src 'self' blob:; object-src 'none'; "        \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"                          \
	"Permissions-Policy: camera=(self), microphone=(self), display-capture=(self), "           \
	"fullscreen=(self), autoplay=(self), clipboard-write=(self), geolocation=(), usb=(), "     \
	"serial=(), "                                                                              \
	"hid=(), midi=(), payment=(), accelerometer=(), gyroscope=(), magnetometer=()\r\n"         \
	"Cross-Origin-Opener-Policy: same-origin\r\n"
#define HSTS "Strict-Transport-Security: max-age=31536000\r\n"

static char *with_cors(
	const struct net_request *request, enum peer_origin origin, const char *lines) {
	if (origin != PEER_ORIGIN_ALLOWED) {
		return g_strdup(lines);
	}
	return g_strdup_printf("%sAccess-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
			       "Access-Control-Allow-Headers: authorization, content-type\r\n"
			       "Access-Control-Allow-Methods: GET, POST\r\n"
			       "Access-Control-Max-Age: 600\r\n",
		lines, request->origin);
}

void http_answer_text(const struct net_request *request, unsigned status, const char *lines,
	struct shared_text *json) {
	/* Which origins may read it was checked before the answer was made. */
	g_autofree char *all = request->origin[0] == '\0'
				       ? g_strconcat(FRESH, lines, NULL)
				       : with_cors(request, PEER_ORIGIN_ALLOWED, FRESH);
	g_autoptr(GBytes) body = g_bytes_new(json->bytes, json->length);
	shared_text_drop(json);
	net_answer(request, status, "application/json", all, body);
}

void http_answer_nothing(const struct net_request *request) {
	g_autofree char *all = request->origin[0] == '\0'
				       ? g_strdup(FRESH)
				       : with_cors(request, PEER_ORIGIN_ALLOWED, FRESH);
	net_answer(request, 204, NULL, all, NULL);
}

void http_answer_error(struct server *server, const struct net_request *request, unsigned status,
	enum rooms_error error, const char *detail) {
	server->metrics.answered[error]++;
	struct wire_writer writer;
	wire_begin_object(&writer);
	wire_string(&writer, "type", "error");
	wire_string(&writer, "code", rooms_error_code(error));
	wire_string(&writer, "message", rooms_error_message(error));
	wire_string(&writer, "remedy", rooms_error_remedy(error));
	if (detail != NULL && detail[0] != '\0') {
		wire_string(&writer, "detail", detail);
	}
	http_answer_text(request, status, "", wire_end(&writer));
}

static void answer_plain(
	const struct net_request *request, unsigned status, const char *text, const char *lines) {
	g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
	net_answer(request, status, "text/plain; charset=utf-8", lines, body);
}

static void refuse(struct server *server, const struct net_request *request, unsigned status,
	const char *text) {
	server->metrics.refused++;
	answer_plain(request, status, text, FRESH);
}

static bool is_get(const struct net_request *request) {
	return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static void answer_page(
	struct server *server, const struct net_request *request, const struct peer *peer) {
	bool folder = false;
	const struct page *page =
		server->pages == NULL ? NULL : pages_get(server->pages, request->path, &folder);
	if (!is_get(request)) {
		answer_plain(request, 405, "Only GET and HEAD.\n", FRESH "Allow: GET, HEAD\r\n");
	} else if (folder || (page == NULL && strcmp(request->path, "/") == 0)) {
		g_autofree char *lines = g_strdup_printf(
			FRESH "Location: %s/\r\n", folder ? request->path : "/rooms");
		answer_plain(request, 302, "", lines);
	} else if (page == NULL) {
		answer_plain(request, 404, "There is no such page.\n", FRESH);
	} else {
		g_autofree char *lines =
			g_strdup_printf(PAGE "%sETag: %s\r\n", peer->secure ? HSTS : "", page->tag);
		bool same = strcmp(request->if_none_match, page->tag) == 0;
		net_answer(request, same ? 304 : 200, same ? NULL : page->type, lines,
			same ? NULL : page->bytes);
	}
}

static void answer_metrics(
	struct server *server, const struct net_request *request, const struct peer *peer) {
	if (!peer->local && !peer_is_backend(server->settings, request)) {
		server->metrics.refused++;
		answer_plain(request, 401, "This needs the backend's secret.\n",
			FRESH "WWW-Authenticate: Bearer\r\n");
		return;
	}
	g_autoptr(GBytes) body = metrics_write(server);
	net_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", FRESH, body);
}

/* Requests of our clients' pages. */
static void answer_client(
	struct server *server, const struct net_request *request, const struct peer *peer) {
	bool post = strcmp(request->method, "POST") == 0;
	if (strcmp(request->method, "OPTIONS") == 0) {
		http_answer_nothing(request);
	} else if (dialect_has(server, request)) {
		dialect_request(server, request, peer);
	} else if (post && strcmp(request->path, "/v1/tickets") == 0) {
		sse_ticket(server, request, peer);
	} else if (post && strcmp(request->path, "/v1/messages") == 0) {
		sse_messages(server, request);
	} else if (strcmp(request->method, "GET") == 0 &&
		   strcmp(request->path, "/v1/events") == 0) {
		sse_events(server, request, peer);
	} else {
		answer_plain(request, 404, "There is no such request.\n", FRESH);
	}
}

/* False after an answer: whatever is asked for, this client may not have it. */
static bool may_ask(struct server *server, const struct net_request *request, struct peer *peer) {
	peer_read(server->settings, request, peer);
	if (peer->refused) {
		refuse(server, request, 403, "Only the proxy may connect here.\n");
		return false;
	}
	if (!peer_host_known(server->settings, request)) {
		refuse(server, request, 421,
			"This server is not known by that name. Its configuration lists its "
			"hosts.\n");
		return false;
	}
	return true;
}

void http_request(void *data, const struct net_request *request) {
	struct server *server = data;
	struct peer peer;
	server->metrics.requests++;
	/* Checks of its health come from where no name is known. */
	if (strcmp(request->path, "/healthz") == 0) {
		answer_plain(request, 200, "ok\n", FRESH);
		return;
	}
	if (strcmp(request->path, "/readyz") == 0) {
		bool draining = server_draining(server);
		answer_plain(
			request, draining ? 503 : 200, draining ? "draining\n" : "ok\n", FRESH);
		return;
	}
	if (!may_ask(server, request, &peer)) {
		return;
	}
	if (strcmp(request->path, "/metrics") == 0) {
		answer_metrics(server, request, &peer);
		return;
	}
	bool api = g_str_has_prefix(request->path, "/api/");
	bool client = g_str_has_prefix(request->path, "/v1/") || dialect_has(server, request);
	if ((api || client) && peer_origin(server->settings, request, &peer) == PEER_ORIGIN_OTHER) {
		refuse(server, request, 403,
			"Pages of this origin may not connect. The configuration lists origins.\n");
	} else if (api) {
		backend_request(server, request);
	} else if (client) {
		answer_client(server, request, &peer);
	} else {
		answer_page(server, request, &peer);
	}
}

bool http_upgrade(void *data, const struct net_request *request, void **carrier) {
	struct server *server = data;
	struct peer peer;
	server->metrics.requests++;
	if (!may_ask(server, request, &peer)) {
		return false;
	}
	bool lesson = server->settings->dialect_lesson && strcmp(request->path, "/") == 0 &&
		      !request->subprotocol;
	if (!lesson && strcmp(request->path, "/v1/socket") != 0) {
		answer_plain(request, 404, "WebSockets are at /v1/socket.\n", FRESH);
		return false;
	}
	if (!lesson && !request->subprotocol) {
		answer_plain(request, 400, "Ask for the subprotocol portlight-rooms.1.\n", FRESH);
		return false;
	}
	if (peer_origin(server->settings, request, &peer) == PEER_ORIGIN_OTHER) {
		refuse(server, request, 403,
			"Pages of this origin may not connect. The configuration lists origins.\n");
		return false;
	}
	/* The lesson's clients begin without a word. */
	const struct hello hello = {0};
	struct carrier *made = carrier_create(
		peer.address, lesson ? &dialect_lesson : NULL, lesson ? &hello : NULL);
	made->direct = !request->unix_socket && request->forwarded_for[0] == '\0';
	*carrier = made;
	return true;
}
