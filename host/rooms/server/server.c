#include "rooms/server/server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rooms/clients/carrier.h"
#include "rooms/clients/client.h"
#include "rooms/http/http.h"
#include "rooms/http/pages.h"
#include "rooms/http/peer.h"
#include "rooms/state/journal.h"

/* Clients that were told to go have so long. */
#define DRAIN_MS 8000
#define TIDY_MS 60000
/* An events carrier has a stream and a connection for its messages; a page is fetched beside it. */
#define CONNECTIONS_PER_SESSION 4u
#define TOKEN_KEY_BYTES 32u

static void on_dropped(void *data, enum net_drop why) {
	((struct server *)data)->metrics.net_drops[why]++;
}

static bool on_crowd(void *data, const struct net_address *address) {
	const struct server *server = data;
	return !peer_trusted(server->settings, address);
}

static void on_tick(void *data, int64_t now_ms) {
	struct server *server = data;
	clients_tick(server);
	if (now_ms - server->tidied_ms > TIDY_MS) {
		server->tidied_ms = now_ms;
		limits_tidy(server->limits, now_ms);
	}
	sse_tick(server);
	if (server_draining(server) &&
		(sessions_count(server->sessions) == sessions_waiting(server->sessions) ||
			now_ms - server->drain_ms > DRAIN_MS)) {
		net_stop(server->net);
	}
}

static bool read_pages(struct server *server) {
	g_autofree char *problem = NULL;
	if (server->settings->pages == NULL) {
		return true;
	}
	struct pages *pages = pages_read(server->settings->pages, &problem);
	if (pages == NULL) {
		journal_warning("pages-failed", "problem", problem);
		return false;
	}
	pages_destroy(server->pages);
	server->pages = pages;
	return true;
}

static void reload(struct server *server) {
	g_autofree char *problem = NULL;
	bool pages = read_pages(server);
	if (!net_reload_certificate(server->net, &problem)) {
		journal_warning("reload-failed", "problem", problem);
	} else if (pages) {
		journal_info("reloaded");
	}
}

static void on_signal(void *data, int number) {
	struct server *server = data;
	if (number == SIGHUP) {
		reload(server);
	} else if (server_draining(server)) {
		net_stop(server->net);
	} else {
		journal_info("draining");
		server->drain_ms = net_now_ms(server->net);
		hub_drain(server->hub);
		clients_drain(server);
	}
}

static bool start_net(struct server *server) {
	const struct settings *settings = server->settings;
	static const struct net_handlers handlers = {
		.request = http_request,
		.upgrade = http_upgrade,
		.opened = carrier_opened,
		.message = carrier_message,
		.next = carrier_next,
		.beat = carrier_beat,
		.pong = carrier_pong,
		.closed = carrier_closed,
		.tick = on_tick,
		.signal = on_signal,
		.dropped = on_dropped,
		.crowds = on_crowd,
	};
	const struct net_options options = {
		.address = settings->address,
		.port = settings->port,
		.unix_path = settings->unix_path,
		.second_address = settings->dialect_address,
		.second_port = settings->dialect_port,
		.certificate = settings->certificate,
		.key = settings->key,
		.connections_max = (unsigned)settings->sessions_max,
		.address_connections_max =
			CONNECTIONS_PER_SESSION * settings->limits.address_sessions_max,
		.header_seconds = (unsigned)settings->header_seconds,
		.body_seconds = (unsigned)settings->body_seconds,
		.beat_ms = (unsigned)settings->ping_ms,
	};
	g_autofree char *problem = NULL;
	server->net = net_create(&options, &handlers, server, &problem);
	if (server->net == NULL) {
		(void)fprintf(stderr,
			"portlight-rooms: %s.\n  Free the address, or set another by --listen%s.\n",
			problem, settings->dialect_address == NULL ? "" : " or --dialect-listen");
		return false;
	}
	return true;
}

static void start_core(struct server *server) {
	const struct settings *settings = server->settings;
	uint8_t random[TOKEN_KEY_BYTES];
	server_random(random, sizeof(random));
	server->tokens = settings->token_key == NULL
				 ? tokens_create(random, sizeof(random))
				 : tokens_create(settings->token_key, settings->token_key_length);
	const struct hub_settings hub = {
		.open = settings->open != SETTINGS_CLOSED, .tokens = server->tokens};
	const struct hub_output output = {server, client_send, client_busy};
	server->hub = hub_create(&hub, &output);
	server->sessions = sessions_create(settings->grace_ms);
	server->limits = limits_create(&settings->limits);
	server->doomed = g_queue_new();
	server->tickets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

bool server_start(struct server *server) {
	start_core(server);
	return read_pages(server) && start_net(server);
}

void server_finish(struct server *server) {
	net_destroy(server->net);
	hub_destroy(server->hub);
	sessions_destroy(server->sessions);
	limits_destroy(server->limits);
	tokens_destroy(server->tokens);
	pages_destroy(server->pages);
	g_hash_table_unref(server->tickets);
	g_queue_free(server->doomed);
}

static void say_listening(const char *scheme, const char *address, uint16_t port) {
	bool six = strchr(address, ':') != NULL;
	g_autofree char *url = g_strdup_printf(
		"%s://%s%s%s:%u/", scheme, six ? "[" : "", address, six ? "]" : "", port);
	journal_info("listening", "at", url);
}

/* What people see who start it by hand; the log has it too. */
static void say_started(const struct server *server) {
	const struct settings *settings = server->settings;
	if (settings->open != SETTINGS_CLOSED) {
		journal_warning(
			"open", "meaning", "anybody who reaches this server may make rooms");
	}
	if (settings->unix_path != NULL) {
		journal_info("listening", "at", settings->unix_path);
	} else {
		say_listening(settings->certificate == NULL ? "http" : "https", settings->address,
			net_port(server->net));
	}
	if (settings->dialect_address != NULL) {
		say_listening("http", settings->dialect_address, net_second_port(server->net));
	}
}

int server_run(const struct settings *settings) {
	struct server server = {.settings = settings};
	bool ok = server_start(&server);
	if (ok) {
		say_started(&server);
		net_run(server.net);
		clients_end(&server);
		journal_info("stopped");
	}
	server_finish(&server);
	return ok ? 0 : 1;
}
