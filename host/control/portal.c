#include "control/portal.h"

#include <unistd.h>

#include "base/log.h"

#define REQUEST_INTERFACE "org.freedesktop.portal.Request"
#define SESSION_INTERFACE "org.freedesktop.portal.Session"

struct portal {
	GDBusConnection *connection;
	gulong closed_handler;
	guint name_watch;
	struct portal_info info; /* version 0: not known */
	unsigned timeout_ms;
	unsigned tokens; /* given out so far */
};

struct probe {
	struct portal *portal; /* this and the cancellable may be gone once cancelled */
	GCancellable *cancellable;
	unsigned timeout_ms;
	portal_probe_func func;
	void *data;
};

struct portal_request {
	GDBusConnection *connection;
	const char *method;
	char *path;
	guint subscription; /* 0: finished */
	guint timer;        /* of CreateSession */
	bool call_pending;
	portal_response_func func; /* NULL: abandoned */
	void *data;
};

struct portal *portal_create(unsigned timeout_ms) {
	struct portal *portal = g_new0(struct portal, 1);
	portal->timeout_ms = timeout_ms > 0 ? timeout_ms : PORTAL_TIMEOUT_MS;
	return portal;
}

static void drop_connection(struct portal *portal) {
	if (portal->connection != NULL) {
		g_signal_handler_disconnect(portal->connection, portal->closed_handler);
		g_bus_unwatch_name(portal->name_watch);
		g_clear_object(&portal->connection);
		portal->info = (struct portal_info){0};
	}
}

void portal_destroy(struct portal *portal) {
	if (portal != NULL) {
		drop_connection(portal);
		g_free(portal);
	}
}

GDBusConnection *portal_connection(struct portal *portal) {
	return portal->connection;
}

unsigned portal_timeout_ms(const struct portal *portal) {
	return portal->timeout_ms;
}

static bool is_one_kind(uint32_t kinds) {
	return kinds != 0 && (kinds & (kinds - 1)) == 0;
}

uint32_t portal_settle_source(uint32_t said, uint32_t possible) {
	if (is_one_kind(said) && (said & possible) != 0) {
		return said;
	}
	return is_one_kind(possible) ? possible : 0;
}

enum error_code portal_error_code(const GError *error) {
	if (error->domain == G_DBUS_ERROR) {
		switch (error->code) {
		case G_DBUS_ERROR_SERVICE_UNKNOWN:
		case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
		case G_DBUS_ERROR_SPAWN_EXEC_FAILED:
		case G_DBUS_ERROR_SPAWN_CHILD_EXITED:
		case G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
		case G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND:
		case G_DBUS_ERROR_SPAWN_FILE_INVALID:
		case G_DBUS_ERROR_UNKNOWN_METHOD:
		case G_DBUS_ERROR_UNKNOWN_INTERFACE:
			return ERROR_PORTAL_MISSING;
		case G_DBUS_ERROR_TIMEOUT:
		case G_DBUS_ERROR_TIMED_OUT:
			return ERROR_PORTAL_TIMEOUT;
		case G_DBUS_ERROR_NO_REPLY:
		case G_DBUS_ERROR_DISCONNECTED:
			return ERROR_BUS_LOST;
		default:
			return ERROR_PORTAL_ERROR;
		}
	}
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
		return ERROR_PORTAL_TIMEOUT;
	}
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
		return ERROR_BUS_LOST;
	}
	return ERROR_PORTAL_ERROR;
}

/* ---- probe ---- */

bool portal_was_cancelled(const GError *error) {
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
	       !g_dbus_error_is_remote_error(error);
}

static void handle_properties(GObject *source, GAsyncResult *result, gpointer data) {
	g_autofree struct probe *probe = data;
	struct portal_info info = {0};
	enum error_code code = ERROR_NONE;
	const char *detail = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (portal_was_cancelled(error)) {
		return;
	}
	if (reply == NULL) {
		g_dbus_error_strip_remote_error(error);
		/* GDBus answers InvalidArgs for an interface that the portal lacks. */
		code = g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS)
			       ? ERROR_PORTAL_MISSING
			       : portal_error_code(error);
		detail = error->message;
	} else {
		g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
		g_variant_lookup(properties, "version", "u", &info.version);
		g_variant_lookup(properties, "AvailableSourceTypes", "u", &info.source_types);
		if (info.version >= 2) {
			g_variant_lookup(
				properties, "AvailableCursorModes", "u", &info.cursor_modes);
		}
		if (info.version == 0) {
			code = ERROR_PORTAL_MISSING;
			detail = "the portal names no version";
		}
		probe->portal->info = info;
	}
	probe->func(probe->data, code, detail, &info);
}

static void handle_closed(
	GDBusConnection *connection, gboolean remote_vanished, GError *error, gpointer data) {
	log_warning(
		"the session bus went away: %s", error != NULL ? error->message : "it was closed");
	drop_connection(data);
}

/* Another portal may offer something else. */
static void handle_vanished(GDBusConnection *connection, const char *name, gpointer data) {
	struct portal *portal = data;
	portal->info = (struct portal_info){0};
}

static void handle_bus(GObject *source, GAsyncResult *result, gpointer data) {
	g_autofree struct probe *probe = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection = g_bus_get_finish(result, &error);
	if (portal_was_cancelled(error)) {
		return;
	}
	struct portal *portal = probe->portal;
	struct portal_info info = portal->info;
	/* GIO hands a lost connection out again until its last user drops it. */
	if (connection == NULL || g_dbus_connection_is_closed(connection)) {
		g_autofree char *detail = g_strdup_printf(
			"no session bus: %s", error != NULL ? error->message : "it was closed");
		info = (struct portal_info){0};
		probe->func(probe->data, ERROR_PORTAL_MISSING, detail, &info);
		return;
	}
	if (info.version > 0) {
		probe->func(probe->data, ERROR_NONE, NULL, &info);
		return;
	}
	if (portal->connection == NULL) {
		g_dbus_connection_set_exit_on_close(connection, FALSE);
		portal->closed_handler =
			g_signal_connect(connection, "closed", G_CALLBACK(handle_closed), portal);
		portal->name_watch = g_bus_watch_name_on_connection(connection, PORTAL_BUS_NAME,
			G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, handle_vanished, portal, NULL);
		portal->connection = g_object_ref(connection);
	}
	g_dbus_connection_call(connection, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
		"org.freedesktop.DBus.Properties", "GetAll",
		g_variant_new("(s)", PORTAL_SCREENCAST_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
		G_DBUS_CALL_FLAGS_NONE, (int)probe->timeout_ms, probe->cancellable,
		handle_properties, probe);
	(void)g_steal_pointer(&probe);
}

void portal_probe(struct portal *portal, unsigned timeout_ms, GCancellable *cancellable,
	portal_probe_func func, void *data) {
	struct probe *probe = g_new0(struct probe, 1);
	*probe = (struct probe){
		.portal = portal,
		.cancellable = cancellable,
		.timeout_ms = timeout_ms > 0 ? timeout_ms : portal->timeout_ms,
		.func = func,
		.data = data,
	};
	if (portal->connection != NULL && g_dbus_connection_is_closed(portal->connection)) {
		drop_connection(portal);
	}
	/* No round trip once GIO has a connection. */
	g_bus_get(G_BUS_TYPE_SESSION, cancellable, handle_bus, probe);
}

/* ---- handles ---- */

char *portal_new_token(struct portal *portal) {
	return g_strdup_printf(
		"portlight_%d_%u_%08x", (int)getpid(), ++portal->tokens, g_random_int());
}

char *portal_object_path(struct portal *portal, const char *kind, const char *token) {
	g_autofree char *sender =
		g_strdup(g_dbus_connection_get_unique_name(portal->connection) + 1);
	g_strdelimit(sender, ".", '_');
	return g_strdup_printf(PORTAL_OBJECT_PATH "/%s/%s/%s", kind, sender, token);
}

/* Nobody waits for the answer: the object may be gone already. */
static void close_object(GDBusConnection *connection, const char *path, const char *interface) {
	g_dbus_connection_call(connection, PORTAL_BUS_NAME, path, interface, "Close", NULL, NULL,
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

void portal_close_session(GDBusConnection *connection, const char *session) {
	close_object(connection, session, SESSION_INTERFACE);
}

/* ---- requests ---- */

/* Tells the owner, unless it was told or gave up. Frees the request, or leaves that to the answer
 * of its call. */
static void request_finish(struct portal_request *request, enum error_code code, const char *detail,
	GVariant *results) {
	if (request->subscription != 0) {
		g_dbus_connection_signal_unsubscribe(request->connection, request->subscription);
		request->subscription = 0;
		g_clear_handle_id(&request->timer, g_source_remove);
		if (request->func != NULL) {
			request->func(request->data, code, detail, results);
		}
	}
	if (!request->call_pending) {
		g_object_unref(request->connection);
		g_free(request->path);
		g_free(request);
	}
}

static void handle_response(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer data) {
	struct portal_request *request = data;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ua{sv})"))) {
		request_finish(
			request, ERROR_PORTAL_ERROR, "its Response has the wrong types", NULL);
		return;
	}
	guint32 response = 0;
	g_autoptr(GVariant) results = NULL;
	g_variant_get(parameters, "(u@a{sv})", &response, &results);
	g_autofree char *detail = NULL;
	enum error_code code = ERROR_NONE;
	const char *session = NULL;
	if (response != 0) {
		/* 1: the user declined, if one was asked. 2, "ended in some other way": the
		 * portal failed. */
		code = response == 1 && request->timer == 0 ? ERROR_DENIED : ERROR_PORTAL_ERROR;
		detail = g_strdup_printf("%s: response %u", request->method, response);
	} else if (request->func == NULL &&
		   g_variant_lookup(results, "session_handle", "&s", &session) &&
		   g_variant_is_object_path(session)) {
		portal_close_session(connection, session);
	}
	request_finish(request, code, detail, results);
}

static void handle_call_reply(GObject *source, GAsyncResult *result, gpointer data) {
	struct portal_request *request = data;
	request->call_pending = false;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (reply == NULL) {
		g_dbus_error_strip_remote_error(error);
		g_autofree char *detail =
			g_strdup_printf("%s: %s", request->method, error->message);
		request_finish(request, portal_error_code(error), detail, NULL);
		return;
	}
	const char *handle = NULL;
	g_variant_get(reply, "(&o)", &handle);
	if (request->func == NULL) {
		/* The first Close may have been too early for the request to exist. */
		close_object(request->connection, handle, REQUEST_INTERFACE);
	}
	/* Only portals before 0.9, which had no ScreenCast, chose the path themselves. */
	if (request->subscription == 0 || strcmp(handle, request->path) != 0) {
		request_finish(request, ERROR_PORTAL_ERROR, "not the request's handle", NULL);
	}
}

static gboolean handle_request_timeout(gpointer data) {
	struct portal_request *request = data;
	request->timer = 0;
	close_object(request->connection, request->path, REQUEST_INTERFACE);
	g_autofree char *detail = g_strdup_printf("%s: no answer", request->method);
	request_finish(request, ERROR_PORTAL_TIMEOUT, detail, NULL);
	return G_SOURCE_REMOVE;
}

struct portal_request *portal_request_create(struct portal *portal, const struct portal_call *call,
	portal_response_func func, void *data) {
	struct portal_request *request = g_new0(struct portal_request, 1);
	*request = (struct portal_request){
		.connection = g_object_ref(portal->connection),
		.method = call->method,
		.path = portal_object_path(portal, "request", call->token),
		.call_pending = true,
		.func = func,
		.data = data,
	};
	request->subscription = g_dbus_connection_signal_subscribe(request->connection,
		PORTAL_BUS_NAME, REQUEST_INTERFACE, "Response", request->path, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, handle_response, request, NULL);
	/* The user may take any time, but the portal sends the handle at once. */
	int limit_ms = call->creates_session ? G_MAXINT : (int)portal->timeout_ms;
	if (call->creates_session) {
		request->timer = g_timeout_add(portal->timeout_ms, handle_request_timeout, request);
	}
	g_dbus_connection_call(request->connection, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
		PORTAL_SCREENCAST_INTERFACE, call->method, call->parameters, G_VARIANT_TYPE("(o)"),
		G_DBUS_CALL_FLAGS_NONE, limit_ms, NULL, handle_call_reply, request);
	return request;
}

void portal_request_abandon(struct portal_request *request) {
	if (request == NULL) {
		return;
	}
	request->func = NULL;
	close_object(request->connection, request->path, REQUEST_INTERFACE);
	/* Waits for a session that is being created, to close it; the timer limits that. */
	if (request->timer == 0) {
		request_finish(request, ERROR_CANCELLED, NULL, NULL);
	}
}
