#include "rooms/net/net.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "rooms/net/net_parts.h"

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);

/* A WebSocket's protocol name is checked by libwebsockets; one without has the first. */
static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = on_event, .tx_packet_size = SCRATCH_SIZE},
	{.name = "portlight-rooms.1",
		.callback = on_event,
		.rx_buffer_size = 4096,
		.tx_packet_size = SCRATCH_SIZE},
	{.name = NULL},
};

void net_dropped(struct net *net, enum net_drop why) {
	net->handlers.dropped(net->data, why);
}

static struct net *net_of(struct lws *wsi) {
	return lws_context_user(lws_get_context(wsi));
}

static struct net_connection *connect_new(struct lws *wsi) {
	struct net *net = net_of(wsi);
	struct net_connection *connection = g_new0(struct net_connection, 1);
	connection->wsi = wsi;
	connection->net = net;
	net->connections++;
	connection->crowd = net_crowd_join(net, lws_get_socket_fd(wsi));
	net_tap_open(connection);
	lws_set_opaque_user_data(wsi, connection);
	net_due_in(connection, net->header_seconds * 1000);
	return connection;
}

static bool without_tls(const struct net_connection *connection) {
	return lws_is_ssl(connection->wsi) != 0 && !connection->tap.heard;
}

/* What libwebsockets closes by itself, without a word to us or to the client. */
static void count_end(const struct net_connection *connection) {
	const struct net_tap *tap = &connection->tap;
	if (connection->upgrading) {
		net_dropped(connection->net, NET_DROP_UPGRADE);
	} else if (without_tls(connection) && !tap->dead) {
		net_dropped(connection->net, NET_DROP_TLS);
	} else if (tap->head > 0 && !tap->taken && !tap->dead &&
		   (net_tap_at_request_end(connection) || !tap->over)) {
		net_dropped(connection->net, NET_DROP_REQUEST);
	}
}

/* Whose end libwebsockets saw before it had made a connection of them. */
static void count_stillborn(struct net *net) {
	if (net->admitting) {
		net->admitting = false;
		net_dropped(net, net->tls != NULL ? NET_DROP_TLS : NET_DROP_REQUEST);
	}
}

static void disconnect(struct lws *wsi, struct net_connection *connection) {
	if (connection == NULL) {
		return;
	}
	lws_set_opaque_user_data(wsi, NULL);
	net_tap_close(connection);
	count_end(connection);
	net_due_never(connection);
	net_http_end(connection);
	net_stream_gone(connection);
	connection->net->connections--;
	net_crowd_leave(connection->net, connection->crowd);
	g_free(connection);
}

/* Asks whether a WebSocket may be. */
static int upgrade(struct net_connection *connection) {
	struct net *net = connection->net;
	if (!net_tap_at_request_end(connection) || !net_http_begin(connection)) {
		return -1;
	}
	const struct net_request *request = &connection->transaction->request;
	if (net->handlers.upgrade(net->data, request, &connection->data)) {
		net_http_end(connection);
		return 0;
	}
	net_http_write_now(connection);
	return -1;
}

int net_on_due(struct net_connection *connection) {
	if (connection->opened) {
		return net_stream_beat(connection);
	}
	const struct net_transaction *transaction = connection->transaction;
	connection->tap.dead = true;
	if (transaction == NULL && connection->served && connection->tap.head == 0) {
		return -1; /* kept alive, and not used */
	}
	/* Where TLS failed libwebsockets may wait for the other side's end until now. */
	net_dropped(connection->net, without_tls(connection) ? NET_DROP_TLS
				     : transaction == NULL   ? NET_DROP_HEADERS
				     : transaction->answered ? NET_DROP_ANSWER
							     : NET_DROP_BODY);
	return -1;
}

void net_end_soon(struct net_connection *connection) {
	lws_set_timer_usecs(connection->wsi, 1);
}

static int on_writable(struct net_connection *connection) {
	return connection->opened ? net_stream_writable(connection) : net_http_writable(connection);
}

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
	struct net_connection *connection = lws_get_opaque_user_data(wsi);
	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		/* There is no connection yet; `user` is OpenSSL's. */
		net_of(wsi)->tls = user;
		(void)SSL_CTX_set_min_proto_version(user, TLS1_2_VERSION);
		return 0;
	case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
		/* `in` is the socket. */
		if (net_of(wsi)->connections >= net_of(wsi)->connections_max ||
			net_crowded(net_of(wsi), (int)(intptr_t)in)) {
			net_dropped(net_of(wsi), NET_DROP_FULL);
			return -1;
		}
		count_stillborn(net_of(wsi));
		net_of(wsi)->admitting = true;
		return 0;
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
		net_of(wsi)->admitting = false;
		(void)connect_new(wsi);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		disconnect(wsi, connection);
		return 0;
	default:
		break;
	}
	if (connection == NULL) {
		return 0;
	}
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return net_http_request(connection);
	case LWS_CALLBACK_HTTP_BODY:
		return net_http_body(connection, in, length);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		connection->upgrading = true;
		return net_http_check_upgrade(connection, protocols[1].name);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return upgrade(connection);
	case LWS_CALLBACK_ESTABLISHED:
		connection->upgrading = false;
		connection->kind = CONNECTION_WEBSOCKET;
		net_stream_open(connection);
		return 0;
	case LWS_CALLBACK_RECEIVE: {
		struct net *net = connection->net;
		int over = net_stream_received(connection, in, length);
		net_streams_flush(net, NET_AWAKE_MAX);
		return over;
	}
	case LWS_CALLBACK_RECEIVE_PONG:
		connection->net->handlers.pong(connection->net->data, stream_of(connection));
		return 0;
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(connection);
	case LWS_CALLBACK_TIMER:
		return net_stream_last(connection); /* net_end_soon */
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLOSED_HTTP:
		net_stream_gone(connection);
		return 0;
	default:
		return 0;
	}
}

static void on_tick(uv_timer_t *timer) {
	struct net *net = timer->data;
	count_stillborn(net);
	net_wheel_turn(net);
	net->handlers.tick(net->data, net_now_ms(net));
}

static void on_prepare(uv_prepare_t *prepare) {
	net_streams_flush(prepare->data, 1);
}

static void on_signal(uv_signal_t *signal, int number) {
	struct net *net = signal->data;
	net->handlers.signal(net->data, number);
}

int64_t net_now_ms(const struct net *net) {
	return (int64_t)uv_now(&net->loop);
}

int64_t net_now_us(void) {
	return (int64_t)(uv_hrtime() / 1000);
}

unsigned net_connections(const struct net *net) {
	return net->connections;
}

static void on_library_log(int level, const char *line) {
	size_t length = strcspn(line, "\n");
	log_write(level <= LLL_ERR ? LOG_WARNING : LOG_DEBUG, "libwebsockets: %.*s", (int)length,
		line);
}

/* A socket's file that nobody listens at is in the way. */
static bool clear_socket(const char *path, char **problem) {
	struct stat entry;
	if (lstat(path, &entry) != 0) {
		return true;
	}
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!S_ISSOCK(entry.st_mode) || strlen(path) >= sizeof(address.sun_path)) {
		*problem = g_strdup_printf("%s is in the way, and no socket", path);
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken = probe < 0 ||
		     connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		     errno != ECONNREFUSED;
	(void)close(probe);
	if (taken) {
		*problem = g_strdup_printf("somebody listens at %s already", path);
		return false;
	}
	return unlink(path) == 0;
}

static bool start_loop(struct net *net) {
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	if (uv_loop_init(&net->loop) != 0 || uv_timer_init(&net->loop, &net->ticker) != 0 ||
		uv_prepare_init(&net->loop, &net->flusher) != 0 || !net_tap_start(net)) {
		return false;
	}
	net->flusher.data = net;
	(void)uv_prepare_start(&net->flusher, on_prepare);
	net->ticker.data = net;
	(void)uv_timer_start(&net->ticker, on_tick, NET_TICK_MS, NET_TICK_MS);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		(void)uv_signal_init(&net->loop, &net->signals[i]);
		net->signals[i].data = net;
		(void)uv_signal_start(&net->signals[i], on_signal, numbers[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return true;
}

/* Where it listens beside its own address: the same server, without TLS. */
static bool listen_second(struct net *net, struct lws_context_creation_info info,
	const struct net_options *options, char **problem) {
	info.options &= ~(uint64_t)LWS_SERVER_OPTION_UNIX_SOCK;
	info.iface = options->second_address;
	info.port = options->second_port;
	info.vhost_name = "second";
	info.ssl_cert_filepath = NULL;
	info.ssl_private_key_filepath = NULL;
	net->second = lws_create_vhost(net->context, &info);
	if (net->second == NULL) {
		*problem = g_strdup_printf(
			"can't listen at %s:%u", options->second_address, options->second_port);
	}
	return net->second != NULL;
}

static bool start_listening(struct net *net, const struct net_options *options, char **problem) {
	void *loops[] = {&net->loop};
	/* Sessions have pings of their own, and TCP keepalive stays off: the probes of ten thousand
	 * that connected at once are sent at once, many are lost, and the kernel drops those
	 * connections. */
	static const lws_retry_bo_t no_pings = {0};
	unsigned seconds = options->header_seconds + options->body_seconds + 15;
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
		.foreign_loops = loops,
		.protocols = protocols,
		.user = net,
		.max_http_header_data = NET_HEADERS_MAX,
		/* Who does not finish a request keeps nobody else from beginning one. */
		.max_http_header_pool =
			(unsigned short)MIN(options->connections_max, (unsigned)G_MAXUINT16),
		/* Our own timers end first, and count. */
		.timeout_secs = seconds,
		.timeout_secs_ah_idle = seconds,
		.keepalive_timeout = (int)seconds,
		.alpn = "http/1.1",
		.pt_serv_buf_size = NET_HEADERS_MAX,
		.retry_and_idle_policy = &no_pings,
		.iface = options->address,
		.port = options->port,
	};
	if (options->unix_path != NULL) {
		info.options |= LWS_SERVER_OPTION_UNIX_SOCK;
		info.iface = options->unix_path;
		info.port = 0;
	}
	if (options->certificate != NULL) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = options->certificate;
		info.ssl_private_key_filepath = options->key;
	}
	net->context = lws_create_context(&info);
	if (net->context == NULL) {
		*problem = g_strdup("libwebsockets did not start; is libwebsockets-evlib-uv "
				    "installed?");
		return false;
	}
	net->host = lws_create_vhost(net->context, &info);
	if (net->host == NULL) {
		*problem = g_strdup_printf("can't listen at %s",
			options->unix_path != NULL ? options->unix_path : options->address);
		return false;
	}
	return options->second_address == NULL || listen_second(net, info, options, problem);
}

struct net *net_create(const struct net_options *options, const struct net_handlers *handlers,
	void *data, char **problem) {
	*problem = NULL;
	if (options->unix_path != NULL && !clear_socket(options->unix_path, problem)) {
		return NULL;
	}
	if (options->certificate != NULL &&
		!net_tls_load(NULL, options->certificate, options->key, problem)) {
		return NULL;
	}
	lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
	struct net *net = g_new0(struct net, 1);
	net->handlers = *handlers;
	net->data = data;
	net->unix_path = g_strdup(options->unix_path);
	net->certificate = g_strdup(options->certificate);
	net->key = g_strdup(options->key);
	net->server_name = g_strdup(options->server_name);
	net->connections_max = options->connections_max;
	net->address_connections_max = options->address_connections_max;
	net_crowds_open(net);
	net->header_seconds = options->header_seconds;
	net->body_seconds = options->body_seconds;
	net->beat_ms = options->beat_ms;
	net->scratch_size = SCRATCH_SIZE;
	net->scratch = g_malloc(LWS_PRE + SCRATCH_SIZE);
	if (!start_loop(net) || !start_listening(net, options, problem)) {
		net_destroy(net);
		return NULL;
	}
	return net;
}

static uint16_t port_of(struct lws_vhost *host) {
	int port = host == NULL ? 0 : lws_get_vhost_listen_port(host);
	return port > 0 ? (uint16_t)port : 0;
}

uint16_t net_port(const struct net *net) {
	return port_of(net->host);
}

uint16_t net_second_port(const struct net *net) {
	return port_of(net->second);
}

void net_run(struct net *net) {
	while (!net->stopped) {
		(void)uv_run(&net->loop, UV_RUN_ONCE);
	}
}

void net_round(struct net *net) {
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
}

bool net_adopt(struct net *net, int file) {
	return lws_adopt_socket_vhost(net->host, file) != NULL;
}

void net_stop(struct net *net) {
	net->stopped = true;
	uv_stop(&net->loop);
}

static void close_handle(uv_handle_t *handle, void *data) {
	if (uv_is_closing(handle) == 0) {
		uv_close(handle, NULL);
	}
}

void net_destroy(struct net *net) {
	if (net == NULL) {
		return;
	}
	/* With a loop that is not its own, libwebsockets takes some rounds of it to end. */
	if (net->context != NULL) {
		lws_context_destroy(net->context);
		for (int i = 0; i < 100 && uv_run(&net->loop, UV_RUN_NOWAIT) != 0; i++) {
		}
	}
	uv_walk(&net->loop, close_handle, NULL);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	if (net->context != NULL) {
		lws_context_destroy(net->context);
	}
	(void)uv_loop_close(&net->loop);
	net_tap_finish();
	if (net->unix_path != NULL) {
		(void)unlink(net->unix_path);
	}
	g_free(net->unix_path);
	g_free(net->certificate);
	g_free(net->key);
	g_free(net->server_name);
	g_free(net->scratch);
	g_tree_destroy(net->crowds);
	g_free(net);
}
