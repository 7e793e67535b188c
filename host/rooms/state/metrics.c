#include "rooms/state/metrics.h"

#include <inttypes.h>

#include "rooms/state/state.h"

static const uint32_t bounds_us[METRICS_BUCKETS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000};

static const char *const drops[NET_DROPS] = {
	[NET_DROP_FULL] = "full",
	[NET_DROP_HEADERS] = "headers",
	[NET_DROP_BODY] = "body",
	[NET_DROP_ANSWER] = "answer-not-taken",
	[NET_DROP_MESSAGE_SIZE] = "message-size",
	[NET_DROP_MESSAGE_KIND] = "message-kind",
	[NET_DROP_FRAGMENTS] = "fragments",
	[NET_DROP_SILENT] = "silent",
	[NET_DROP_REQUEST] = "request",
	[NET_DROP_TLS] = "tls",
	[NET_DROP_UPGRADE] = "upgrade",
	[NET_DROP_UNMASKED] = "unmasked",
	[NET_DROP_FRAME] = "frame",
	[NET_DROP_CLOSE_CODE] = "close-code",
	[NET_DROP_CONTROLS] = "controls",
	[NET_DROP_UTF8] = "utf-8",
};

void histogram_add(struct histogram *histogram, int64_t us) {
	int i = 0;
	while (i < METRICS_BUCKETS && us > bounds_us[i]) {
		i++;
	}
	histogram->counts[i]++;
	histogram->sum_us += (uint64_t)us;
	histogram->count++;
}

static void write_one(GString *to, const char *name, const char *type, uint64_t value) {
	g_string_append_printf(to, "# TYPE portlight_rooms_%s %s\nportlight_rooms_%s %" PRIu64 "\n",
		name, type, name, value);
}

static void write_histogram(GString *to, const char *name, const struct histogram *histogram) {
	uint64_t below = 0;
	g_string_append_printf(to, "# TYPE portlight_rooms_%s histogram\n", name);
	for (int i = 0; i < METRICS_BUCKETS; i++) {
		below += histogram->counts[i];
		char bound[G_ASCII_DTOSTR_BUF_SIZE];
		(void)g_ascii_formatd(bound, sizeof(bound), "%g", bounds_us[i] / 1e6);
		g_string_append_printf(to, "portlight_rooms_%s_bucket{le=\"%s\"} %" PRIu64 "\n",
			name, bound, below);
	}
	g_string_append_printf(
		to, "portlight_rooms_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, histogram->count);
	char sum[G_ASCII_DTOSTR_BUF_SIZE];
	(void)g_ascii_formatd(sum, sizeof(sum), "%.6f", (double)histogram->sum_us / 1e6);
	g_string_append_printf(to,
		"portlight_rooms_%s_sum %s\nportlight_rooms_%s_count %" PRIu64 "\n", name, sum,
		name, histogram->count);
}

static void write_by_code(
	GString *to, const char *name, const uint64_t *first, const uint64_t *second) {
	g_string_append_printf(to, "# TYPE portlight_rooms_%s counter\n", name);
	for (int i = 1; i < ROOMS_ERROR_COUNT; i++) {
		uint64_t value = first[i] + (second == NULL ? 0 : second[i]);
		if (value > 0) {
			g_string_append_printf(to, "portlight_rooms_%s{code=\"%s\"} %" PRIu64 "\n",
				name, rooms_error_code((enum rooms_error)i), value);
		}
	}
}

GBytes *metrics_write(const struct server *server) {
	const struct metrics *metrics = &server->metrics;
	const struct hub_counts *hub = hub_counts(server->hub);
	GString *to = g_string_sized_new(8192);
	write_one(to, "connections", "gauge", net_connections(server->net));
	write_one(to, "sessions", "gauge", sessions_count(server->sessions));
	write_one(to, "sessions_waiting", "gauge", sessions_waiting(server->sessions));
	write_one(to, "users_named", "gauge", hub->named);
	write_one(to, "rooms", "gauge", hub->rooms);
	write_one(to, "room_connections", "gauge", hub->connections);
	write_one(to, "calls", "gauge", hub->calls);
	write_one(to, "tokens_spent", "gauge", tokens_spent(server->tokens));
	write_one(to, "draining", "gauge", server_draining(server) ? 1 : 0);
	write_one(to, "requests_total", "counter", metrics->requests);
	write_one(to, "requests_refused_total", "counter", metrics->refused);
	write_one(to, "messages_received_total", "counter", metrics->messages_in);
	write_one(to, "messages_sent_total", "counter", metrics->messages_out);
	write_one(to, "messages_relayed_total", "counter", hub->relayed);
	write_one(to, "messages_duplicate_total", "counter", metrics->duplicates);
	write_one(to, "received_bytes_total", "counter", metrics->bytes_in);
	write_one(to, "sent_bytes_total", "counter", metrics->bytes_out);
	write_one(to, "sessions_total", "counter", metrics->sessions);
	write_one(to, "sessions_resumed_total", "counter", metrics->resumed);
	write_one(to, "sessions_resume_missed_total", "counter", metrics->resume_missed);
	write_by_code(to, "sessions_ended_total", metrics->ended, NULL);
	write_by_code(to, "errors_total", hub->errors, metrics->answered);
	g_string_append(to, "# TYPE portlight_rooms_drops_total counter\n");
	for (int i = 0; i < NET_DROPS; i++) {
		g_string_append_printf(to,
			"portlight_rooms_drops_total{reason=\"%s\"} %" PRIu64 "\n", drops[i],
			metrics->net_drops[i]);
	}
	write_histogram(to, "handshake_seconds", &metrics->handshake);
	write_histogram(to, "relay_seconds", &metrics->relay);
	return g_string_free_to_bytes(to);
}
