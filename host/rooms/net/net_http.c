#include <string.h>

#include "rooms/net/net_parts.h"

/* Of an answer, at a time. */
#define PIECE 16384u
/* A connection without a request. */
#define IDLE_SECONDS 15

static const struct {
	enum lws_token_indexes token;
	const char *name;
} methods[] = {
	{WSI_TOKEN_GET_URI, "GET"},
	{WSI_TOKEN_HEAD_URI, "HEAD"},
	{WSI_TOKEN_POST_URI, "POST"},
	{WSI_TOKEN_DELETE_URI, "DELETE"},
	{WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
	{WSI_TOKEN_PUT_URI, "PUT"},
	{WSI_TOKEN_PATCH_URI, "PATCH"},
};

static const struct {
	enum lws_token_indexes token;
	size_t at;
} headers[] = {
	{WSI_TOKEN_HOST, offsetof(struct net_request, host)},
	{WSI_TOKEN_ORIGIN, offsetof(struct net_request, origin)},
	{WSI_TOKEN_HTTP_AUTHORIZATION, offsetof(struct net_request, authorization)},
	{WSI_TOKEN_HTTP_CONTENT_TYPE, offsetof(struct net_request, content_type)},
	{WSI_TOKEN_HTTP_IF_NONE_MATCH, offsetof(struct net_request, if_none_match)},
	{WSI_TOKEN_HTTP_COOKIE, offsetof(struct net_request, cookie)},
	{WSI_TOKEN_X_FORWARDED_FOR, offsetof(struct net_request, forwarded_for)},
};

/* Appends a header's text to `strings` and gives its place there. */
static size_t keep(GString *strings, struct lws *wsi, enum lws_token_indexes token) {
	size_t at = strings->len;
	int length = lws_hdr_total_length(wsi, token);
	if (length > 0) {
		g_string_set_size(strings, at + (size_t)length + 1);
		if (lws_hdr_copy(wsi, strings->str + at, length + 1, token) < 0) {
			length = 0;
		}
		g_string_truncate(strings, at + (size_t)length);
	}
	g_string_append_c(strings, '\0');
	return at;
}

static size_t keep_query(GString *strings, struct lws *wsi) {
	size_t at = strings->len;
	char part[NET_HEADERS_MAX];
	for (int i = 0;; i++) {
		int length =
			lws_hdr_copy_fragment(wsi, part, sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i);
		if (length < 0) {
			break;
		}
		if (i > 0) {
			g_string_append_c(strings, '&');
		}
		g_string_append_len(strings, part, length);
	}
	g_string_append_c(strings, '\0');
	return at;
}

static size_t keep_custom(GString *strings, struct lws *wsi, const char *name) {
	size_t at = strings->len;
	int length = lws_hdr_custom_length(wsi, name, (int)strlen(name));
	if (length > 0) {
		g_string_set_size(strings, at + (size_t)length + 1);
		if (lws_hdr_custom_copy(
			    wsi, strings->str + at, length + 1, name, (int)strlen(name)) < 0) {
			length = 0;
		}
		g_string_truncate(strings, at + (size_t)length);
	}
	g_string_append_c(strings, '\0');
	return at;
}

static void read_peer(struct net_connection *connection, struct net_request *request) {
	struct net_peer peer;
	net_peer_read(lws_get_socket_fd(connection->wsi), &peer);
	request->peer = peer.address;
	request->local = peer.local;
	request->unix_socket = peer.unix_socket;
}

/* Fills the transaction's request from the headers. False when there is no path. */
static bool read_request(struct net_connection *connection) {
	struct lws *wsi = connection->wsi;
	struct net_transaction *transaction = connection->transaction;
	struct net_request *request = &transaction->request;
	*request = (struct net_request){.transaction = transaction};
	GString *strings = g_string_sized_new(512);
	size_t path = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(methods) && request->method == NULL; i++) {
		if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
			request->method = methods[i].name;
			path = keep(strings, wsi, methods[i].token);
		}
	}
	size_t query = keep_query(strings, wsi);
	size_t proto = keep_custom(strings, wsi, "x-forwarded-proto:");
	size_t last = keep_custom(strings, wsi, "last-event-id:");
	size_t at[G_N_ELEMENTS(headers)];
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
		at[i] = keep(strings, wsi, headers[i].token);
	}
	transaction->strings = g_string_free(strings, FALSE);
	request->path = transaction->strings + path;
	request->query = transaction->strings + query;
	request->forwarded_proto = transaction->strings + proto;
	request->last_event_id = transaction->strings + last;
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
		const char *value = transaction->strings + at[i];
		memcpy((char *)request + headers[i].at, &value, sizeof(value));
	}
	request->secure = lws_is_ssl(wsi) != 0;
	/* libwebsockets refused any other. */
	request->subprotocol = lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0;
	request->body = "";
	read_peer(connection, request);
	return request->method != NULL && request->path[0] == '/';
}

bool net_http_begin(struct net_connection *connection) {
	net_http_end(connection);
	connection->transaction = g_new0(struct net_transaction, 1);
	connection->transaction->connection = connection;
	if (!read_request(connection)) {
		return false;
	}
	connection->tap.taken = true;
	return true;
}

void net_http_end(struct net_connection *connection) {
	struct net_transaction *transaction = connection->transaction;
	if (transaction == NULL) {
		return;
	}
	connection->transaction = NULL;
	g_free(transaction->strings);
	g_clear_pointer(&transaction->body, g_byte_array_unref);
	g_clear_pointer(&transaction->answer, g_bytes_unref);
	if (transaction->head != NULL) {
		g_string_free(transaction->head, TRUE);
	}
	g_free(transaction);
}

static const char *reason_of(unsigned status) {
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{421, "Misdirected Request"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{503, "Service Unavailable"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Other";
}

static void begin_answer(
	struct net_transaction *transaction, unsigned status, const char *type, const char *lines) {
	struct net *net = transaction->connection->net;
	transaction->answered = true;
	transaction->head = g_string_sized_new(512);
	g_string_append_printf(transaction->head, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
	if (net->server_name != NULL) {
		g_string_append_printf(transaction->head, "Server: %s\r\n", net->server_name);
	}
	if (type != NULL) {
		g_string_append_printf(transaction->head, "Content-Type: %s\r\n", type);
	}
	g_string_append(transaction->head, lines);
}

void net_answer(const struct net_request *request, unsigned status, const char *type,
	const char *lines, GBytes *body) {
	struct net_transaction *transaction = request->transaction;
	struct net *net = transaction->connection->net;
	g_return_if_fail(!transaction->answered);
	size_t length = body == NULL ? 0 : g_bytes_get_size(body);
	begin_answer(transaction, status, type, lines);
	/* What was refused may still be sending its body. */
	transaction->close |= status == 411 || status == 413;
	if (status != 204 && status != 304) {
		g_string_append_printf(transaction->head, "Content-Length: %zu\r\n", length);
	}
	g_string_append(transaction->head, transaction->close ? "Connection: close\r\n\r\n"
							      : "Connection: keep-alive\r\n\r\n");
	if (length > 0 && strcmp(request->method, "HEAD") != 0) {
		transaction->answer = g_bytes_ref(body);
	}
	net_due_in(transaction->connection, net->body_seconds * 1000);
	(void)lws_callback_on_writable(transaction->connection->wsi);
}

struct net_stream *net_answer_events(
	const struct net_request *request, const char *lines, void *stream_data) {
	struct net_transaction *transaction = request->transaction;
	struct net_connection *connection = transaction->connection;
	g_return_val_if_fail(!transaction->answered, NULL);
	begin_answer(transaction, 200, "text/event-stream", lines);
	g_string_append(transaction->head, "Connection: close\r\n\r\n");
	connection->kind = CONNECTION_EVENTS;
	connection->data = stream_data;
	lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
	(void)lws_callback_on_writable(connection->wsi);
	return stream_of(connection);
}

/* The next piece of head and body. */
static int write_piece(struct net_connection *connection) {
	struct net_transaction *transaction = connection->transaction;
	uint8_t *to = connection->net->scratch + LWS_PRE;
	size_t length = 0;
	if (transaction->head->len > 0) {
		length = MIN(transaction->head->len, (size_t)PIECE);
		memcpy(to, transaction->head->str, length);
		g_string_truncate(transaction->head, 0);
	}
	if (transaction->answer != NULL) {
		size_t size = 0;
		const uint8_t *bytes = g_bytes_get_data(transaction->answer, &size);
		size_t piece = MIN(size - transaction->sent, PIECE);
		memcpy(to + length, bytes + transaction->sent, piece);
		length += piece;
		transaction->sent += piece;
	}
	return length > 0 && lws_write(connection->wsi, to, length, LWS_WRITE_HTTP) < 0 ? -1 : 0;
}

static bool all_sent(const struct net_transaction *transaction) {
	return transaction->head->len == 0 &&
	       (transaction->answer == NULL ||
		       transaction->sent == g_bytes_get_size(transaction->answer));
}

void net_http_write_now(struct net_connection *connection) {
	if (connection->transaction != NULL && connection->transaction->answered) {
		(void)write_piece(connection);
	}
}

int net_http_writable(struct net_connection *connection) {
	struct net_transaction *transaction = connection->transaction;
	if (transaction == NULL || !transaction->answered) {
		return 0;
	}
	if (write_piece(connection) != 0) {
		return -1;
	}
	if (connection->kind == CONNECTION_EVENTS) {
		net_http_end(connection);
		net_stream_open(connection);
		return 0;
	}
	if (!all_sent(transaction)) {
		(void)lws_callback_on_writable(connection->wsi);
		return 0;
	}
	bool close = transaction->close;
	connection->served = true;
	net_http_end(connection);
	net_due_in(connection, IDLE_SECONDS * 1000);
	return close || lws_http_transaction_completed(connection->wsi) != 0 ? -1 : 0;
}

static void hand_over(struct net_connection *connection) {
	struct net_transaction *transaction = connection->transaction;
	struct net *net = connection->net;
	if (transaction->body != NULL) {
		transaction->request.body = (const char *)transaction->body->data;
		transaction->request.length = transaction->body->len;
	}
	net->handlers.request(net->data, &transaction->request);
	g_warn_if_fail(transaction->answered);
}

int net_http_request(struct net_connection *connection) {
	struct lws *wsi = connection->wsi;
	if (!net_tap_at_request_end(connection) || !net_http_begin(connection)) {
		return -1;
	}
	struct net_transaction *transaction = connection->transaction;
	char number[24] = "";
	bool has_length = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
	guint64 length = 0;
	const struct net_request *request = &transaction->request;
	bool takes_body = strcmp(request->method, "POST") == 0;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
		(takes_body && !has_length)) {
		net_answer(request, 411, NULL, "", NULL);
	} else if (has_length &&
		   (lws_hdr_copy(wsi, number, sizeof(number), WSI_TOKEN_HTTP_CONTENT_LENGTH) < 1 ||
			   !g_ascii_string_to_unsigned(
				   number, 10, 0, takes_body ? NET_BODY_MAX : 0, &length, NULL))) {
		net_dropped(connection->net, NET_DROP_BODY);
		net_answer(request, 413, NULL, "", NULL);
	} else if (length > 0) {
		transaction->body_length = (size_t)length;
		connection->tap.body = (size_t)length;
		transaction->body = g_byte_array_sized_new((guint)length);
		net_due_in(connection, connection->net->body_seconds * 1000);
	} else {
		hand_over(connection);
	}
	return 0;
}

int net_http_body(struct net_connection *connection, const void *bytes, size_t length) {
	struct net_transaction *transaction = connection->transaction;
	if (transaction == NULL || transaction->answered || transaction->body == NULL) {
		return 0;
	}
	if (transaction->body->len + length > transaction->body_length) {
		return -1;
	}
	g_byte_array_append(transaction->body, bytes, (guint)length);
	if (transaction->body->len == transaction->body_length) {
		hand_over(connection);
	}
	return 0;
}

/* A key is 16 bytes in base64. */
static bool is_key(const char *key) {
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	return strlen(key) == 24 && strspn(key, letters) == 22 && strcmp(key + 22, "==") == 0;
}

static bool lists(struct lws *wsi, enum lws_token_indexes token, const char *word) {
	char list[512] = "";
	if (lws_hdr_copy(wsi, list, sizeof(list), token) <= 0) {
		return false;
	}
	g_auto(GStrv) words = g_strsplit(list, ",", -1);
	for (char **each = words; *each != NULL; each++) {
		if (g_ascii_strcasecmp(g_strstrip(*each), word) == 0) {
			return true;
		}
	}
	return false;
}

int net_http_check_upgrade(struct net_connection *connection, const char *protocol) {
	struct lws *wsi = connection->wsi;
	char version[4] = "";
	char key[32] = "";
	(void)lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION);
	(void)lws_hdr_copy(wsi, key, sizeof(key), WSI_TOKEN_KEY);
	if (!net_http_begin(connection)) {
		return -1;
	}
	unsigned status = 400;
	const char *lines = "";
	const char *text = NULL;
	if (strcmp(connection->transaction->request.method, "GET") != 0 ||
		!lists(wsi, WSI_TOKEN_UPGRADE, "websocket") ||
		!lists(wsi, WSI_TOKEN_CONNECTION, "upgrade")) {
		text = "Only GET with Upgrade: websocket and Connection: Upgrade changes the "
		       "protocol.\n";
	} else if (strcmp(version, "13") != 0) {
		status = 426;
		lines = "Sec-WebSocket-Version: 13\r\n";
		text = "WebSockets are of version 13.\n";
	} else if (!is_key(key)) {
		text = "Sec-WebSocket-Key is 16 bytes in base64.\n";
	} else if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0 &&
		   !lists(wsi, WSI_TOKEN_PROTOCOL, protocol)) {
		text = "Sec-WebSocket-Protocol has none that is spoken here.\n";
	}
	if (text == NULL) {
		net_http_end(connection);
		return 0;
	}
	g_autoptr(GBytes) body = g_bytes_new_static(text, strlen(text));
	connection->transaction->close = true;
	net_answer(&connection->transaction->request, status, "text/plain; charset=utf-8", lines,
		body);
	net_http_write_now(connection);
	return -1;
}
