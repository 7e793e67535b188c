#include "control/host.h"

#include <glib.h>

#include "base/log.h"
#include "control/grants.h"
#include "control/helper.h"
#include "control/local_socket.h"
#include "control/port.h"
#include "control/portal.h"
#include "control/share.h"
#include "wire/protocol.h"

/* After this `hello` is answered without a portal: the extension gives up after 1.8 s. */
#define HELLO_PROBE_MS 1000u
/* After this everything that is left is killed: the host must not outlive the browser. */
#define STOP_MS 950u

/* A request that waits for the portal or the grants file. */
struct query {
	struct host *host;
	uint32_t id;
};

struct host {
	struct host_options options;
	struct port *port;
	struct portal *portal;
	struct grants *grants;
	struct share_context context;
	GCancellable *cancellable; /* of the queries */
	GQueue queries;            /* struct query */
	bool greeted;
	bool stopping;
	bool finishing; /* only the portal and the grants file are still waited for */
	guint stop_timer;
};

static void answer_error(struct host *host, uint32_t id, enum error_code code, const char *detail) {
	port_end(host->port, protocol_write_error(port_begin(host->port), id, code, detail));
}

static struct query *add_query(struct host *host, uint32_t id) {
	struct query *query = g_new0(struct query, 1);
	*query = (struct query){host, id};
	g_queue_push_tail(&host->queries, query);
	return query;
}

/* After its answer: its id is free again. */
static void end_query(struct query *query) {
	g_queue_remove(&query->host->queries, query);
	g_free(query);
}

/* ---- hello ---- */

static bool is_wayland_session(void) {
	const char *display = g_getenv("WAYLAND_DISPLAY");
	return (display != NULL && display[0] != '\0') ||
	       g_strcmp0(g_getenv("XDG_SESSION_TYPE"), "wayland") == 0;
}

static void handle_probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct query *query = data;
	struct host *host = query->host;
	if (code != ERROR_NONE) {
		log_warning("%s %s", error_message(code), detail != NULL ? detail : "");
	}
	g_autofree char *socket = NULL;
	struct protocol_hello_result result = {
		.portal = info->version,
		.portal_code = code,
		.pipewire = local_socket_pipewire(&socket),
		.wayland = is_wayland_session(),
		.monitor = (info->source_types & PORTAL_SOURCE_MONITOR) != 0,
		.window = (info->source_types & PORTAL_SOURCE_WINDOW) != 0,
		/* Version 1 has no cursor modes: it hides the cursor. */
		.cursor_hidden =
			info->version == 1 || (info->cursor_modes & PORTAL_CURSOR_HIDDEN) != 0,
		/* The helper can draw the cursor that comes as metadata. */
		.cursor_embedded = (info->cursor_modes &
					   (PORTAL_CURSOR_EMBEDDED | PORTAL_CURSOR_METADATA)) != 0,
		.cursor_metadata = (info->cursor_modes & PORTAL_CURSOR_METADATA) != 0,
	};
	port_end(host->port,
		protocol_write_hello_result(port_begin(host->port), query->id, &result));
	end_query(query);
}

static void handle_hello(struct host *host, const struct protocol_message *message) {
	if (message->hello_protocol != PROTOCOL_VERSION) {
		char detail[64];
		(void)g_snprintf(detail, sizeof(detail), "the extension speaks %u, the host %d",
			message->hello_protocol, PROTOCOL_VERSION);
		answer_error(host, message->id, ERROR_VERSION_MISMATCH, detail);
		return;
	}
	host->greeted = true;
	portal_probe(host->portal, MIN(HELLO_PROBE_MS, host->options.timeout_ms), host->cancellable,
		handle_probed, add_query(host, message->id));
}

/* ---- remembered grants ---- */

static void handle_grants(void *data, const struct grants_answer *answer) {
	struct query *query = data;
	struct port *port = query->host->port;
	if (answer->code != ERROR_NONE) {
		answer_error(query->host, query->id, answer->code, answer->detail);
	} else if (answer->list != NULL) {
		port_end(port,
			protocol_write_grants_result(port_begin(port), query->id, answer->list));
	} else {
		port_end(port, protocol_write_revoke_result(
				       port_begin(port), query->id, answer->revoked > 0));
	}
	end_query(query);
}

/* ---- the end ---- */

static void finish(struct host *host) {
	g_clear_handle_id(&host->stop_timer, g_source_remove);
	host->options.done(host->options.data);
}

static gboolean handle_stop_timeout(gpointer data) {
	struct host *host = data;
	host->stop_timer = 0;
	log_warning("stopping took too long; killing what is left");
	finish(host);
	return G_SOURCE_REMOVE;
}

static void handle_grants_flushed(void *data, const struct grants_answer *answer) {
	struct host *host = data;
	if (host->stop_timer != 0) {
		finish(host);
	}
}

static void handle_portal_flushed(GObject *source, GAsyncResult *result, gpointer data) {
	struct host *host = data;
	(void)g_dbus_connection_flush_finish(G_DBUS_CONNECTION(source), result, NULL);
	grants_flush(host->grants, handle_grants_flushed, host);
}

/* Once no share is left and everything is written: the portal gets its Close calls, then the grants
 * file what is still to be written. */
static void finish_stop(void *data) {
	struct host *host = data;
	if (!host->stopping || host->finishing || host->context.shares.length > 0 ||
		!port_is_flushed(host->port)) {
		return;
	}
	host->finishing = true;
	GDBusConnection *connection = portal_connection(host->portal);
	if (connection != NULL) {
		g_dbus_connection_flush(connection, NULL, handle_portal_flushed, host);
	} else {
		grants_flush(host->grants, handle_grants_flushed, host);
	}
}

static void drop_queries(struct host *host) {
	g_cancellable_cancel(host->cancellable);
	g_queue_clear_full(&host->queries, g_free);
}

void host_stop(struct host *host) {
	if (host->stopping) {
		return;
	}
	host->stopping = true;
	host->stop_timer = g_timeout_add(STOP_MS, handle_stop_timeout, host);
	port_stop_reading(host->port);
	drop_queries(host);
	GList *next = NULL;
	for (GList *link = host->context.shares.head; link != NULL; link = next) {
		next = link->next;
		share_stop(link->data, ERROR_HOST_STOPPED);
	}
	finish_stop(host);
}

/* ---- messages ---- */

/* Of the requests with this id (0: any). */
static unsigned count_pending(struct host *host, uint32_t id) {
	unsigned count = 0;
	for (GList *link = host->queries.head; link != NULL; link = link->next) {
		count += id == 0 || ((struct query *)link->data)->id == id;
	}
	for (GList *link = host->context.shares.head; link != NULL; link = link->next) {
		count += share_count_pending(link->data, id);
	}
	return count;
}

/* Why a message is refused before its share is looked up; ERROR_NONE: it is not. */
static enum error_code check_message(struct host *host, const struct protocol_message *message) {
	if (!host->greeted && message->type != PROTOCOL_HELLO) {
		return ERROR_HELLO_REQUIRED;
	}
	if (!protocol_is_request(message->type)) {
		return ERROR_NONE;
	}
	if (count_pending(host, message->id) > 0) {
		return ERROR_DUPLICATE_ID;
	}
	/* It reduces what is pending, and the share is unknown after it. */
	if (message->type == PROTOCOL_STOP) {
		return ERROR_NONE;
	}
	return count_pending(host, 0) >= PROTOCOL_PENDING_MAX ? ERROR_TOO_MANY_REQUESTS
							      : ERROR_NONE;
}

static void pass_to_share(struct host *host, const struct protocol_message *message) {
	for (GList *link = host->context.shares.head; link != NULL; link = link->next) {
		if (share_concerns(link->data, message)) {
			share_handle(link->data, message);
			return;
		}
	}
	answer_error(host, message->id, ERROR_UNKNOWN_SHARE,
		message->type == PROTOCOL_CANCEL ? "cancel.request: no such request is pending"
						 : NULL);
}

static void handle_message(void *data, const uint8_t *text, size_t length) {
	struct host *host = data;
	struct protocol_message message;
	struct protocol_error error;
	if (!protocol_parse(text, length, &message, &error)) {
		answer_error(host, error.id, error.code, error.detail);
		return;
	}
	enum error_code refusal = check_message(host, &message);
	if (refusal != ERROR_NONE) {
		answer_error(host, message.id, refusal, NULL);
		return;
	}
	switch (message.type) {
	case PROTOCOL_HELLO:
		handle_hello(host, &message);
		break;
	case PROTOCOL_SHARE:
		share_create(&host->context, &message);
		break;
	case PROTOCOL_GRANTS:
		grants_read(host->grants, host->cancellable, handle_grants,
			add_query(host, message.id));
		break;
	case PROTOCOL_REVOKE:
		grants_revoke(host->grants, message.revoke_origin, host->cancellable, handle_grants,
			add_query(host, message.id));
		break;
	default:
		pass_to_share(host, &message);
		break;
	}
}

static void handle_closed(void *data, enum error_code code) {
	struct host *host = data;
	if (code != ERROR_NONE) {
		answer_error(host, 0, code, NULL);
	}
	host_stop(host);
}

static void handle_relieved(void *data) {
	struct host *host = data;
	for (GList *link = host->context.shares.head; link != NULL; link = link->next) {
		share_relieved(link->data);
	}
}

static const struct port_listener port_listener = {
	.message = handle_message,
	.closed = handle_closed,
	.relieved = handle_relieved,
	.flushed = finish_stop,
};

/* ---- the verbs ---- */

struct host *host_create(const struct host_options *options) {
	struct host *host = g_new0(struct host, 1);
	host->options = *options;
	if (host->options.timeout_ms == 0) {
		host->options.timeout_ms = HOST_TIMEOUT_MS;
	}
	host->cancellable = g_cancellable_new();
	host->portal = portal_create(MIN(host->options.timeout_ms, PORTAL_TIMEOUT_MS));
	host->port = port_create(options->in_fd, options->out_fd, &port_listener, host);
	host->grants = grants_create();
	host->context = (struct share_context){
		.portal = host->portal,
		.grants = host->grants,
		.port = host->port,
		.timeout_ms = host->options.timeout_ms,
		.ready_timeout_ms = MIN(host->options.timeout_ms, HELPER_READY_TIMEOUT_MS),
		.shares = G_QUEUE_INIT,
		.released = finish_stop,
		.data = host,
	};
	g_queue_init(&host->queries);
	return host;
}

void host_destroy(struct host *host) {
	if (host == NULL) {
		return;
	}
	g_clear_handle_id(&host->stop_timer, g_source_remove);
	drop_queries(host);
	g_queue_clear_full(&host->context.shares, (GDestroyNotify)share_destroy);
	port_destroy(host->port);
	portal_destroy(host->portal);
	grants_destroy(host->grants);
	g_clear_object(&host->cancellable);
	g_free(host);
}
