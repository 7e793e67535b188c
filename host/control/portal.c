#include "control/portal.h"

#include <unistd.h>

#include "base/log.h"

#define REQUEST_INTERFACE "org.freedesktop.portal.Request"
#define SESSION_INTERFACE "org.freedesktop.portal.Session"

struct portal {
	GDBusConnection *connection;
	gulong closed_handler;
	guint owner_subscription;
	struct portal_info info; /* version 0: not known */
	unsigned timeout_ms;
	unsigned tokens; /* given out so far */
};

struct probe {
	struct portal *portal; /* may be gone once cancelled */
	GCancellable *cancellable;
	unsigned timeout_ms;
	portal_probe_func func;
	void *data;
};

struct portal_request {
	GDBusConnection *connection;
	const char *method;
	char *path; /* predicted, then as the portal says */
	guint subscription;
	guint timer;
	bool call_pending;
	bool finished;
	bool abandoned;
	bool creates_session;
	portal_response_func func;
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
		g_dbus_connection_signal_unsubscribe(
			portal->connection, portal->owner_subscription);
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

static void probe_free(struct probe *probe) {
	g_clear_object(&probe->cancellable);
	g_free(probe);
}

static void probe_finish(struct probe *probe, enum error_code code, const char *detail,
	const struct portal_info *info) {
	if (!g_cancellable_is_cancelled(probe->cancellable)) {
		probe->func(probe->data, code, detail, info);
	}
	probe_free(probe);
}

static void handle_properties(GObject *source, GAsyncResult *result, gpointer data) {
	struct probe *probe = data;
	struct portal_info info = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (reply == NULL) {
		g_dbus_error_strip_remote_error(error);
		/* GDBus answers InvalidArgs for an interface that the portal lacks. */
		enum error_code code =
			g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS)
				? ERROR_PORTAL_MISSING
				: portal_error_code(error);
		probe_finish(probe, code, error->message, &info);
		return;
	}
	g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
	g_variant_lookup(properties, "version", "u", &info.version);
	g_variant_lookup(properties, "AvailableSourceTypes", "u", &info.source_types);
	g_variant_lookup(properties, "AvailableCursorModes", "u", &info.cursor_modes);
	if (info.version < 2) {
		info.cursor_modes = 0;
	}
	if (!g_cancellable_is_cancelled(probe->cancellable)) {
		probe->portal->info = info;
	}
	probe_finish(probe, info.version > 0 ? ERROR_NONE : ERROR_PORTAL_MISSING,
		info.version > 0 ? NULL : "the portal names no version", &info);
}

static void read_properties(struct probe *probe) {
	g_dbus_connection_call(probe->portal->connection, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
		"org.freedesktop.DBus.Properties", "GetAll",
		g_variant_new("(s)", PORTAL_SCREENCAST_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
		G_DBUS_CALL_FLAGS_NONE, (int)probe->timeout_ms, probe->cancellable,
		handle_properties, probe);
}

static void handle_closed(
	GDBusConnection *connection, gboolean remote_vanished, GError *error, gpointer data) {
	log_warning(
		"the session bus went away: %s", error != NULL ? error->message : "it was closed");
	drop_connection(data);
}

/* Another portal may offer something else. */
static void handle_owner_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer data) {
	struct portal *portal = data;
	portal->info = (struct portal_info){0};
}

static void handle_bus(GObject *source, GAsyncResult *result, gpointer data) {
	struct probe *probe = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection = g_bus_get_finish(result, &error);
	if (g_cancellable_is_cancelled(probe->cancellable)) {
		probe_free(probe);
		return;
	}
	/* GIO hands a lost connection out again until its last user drops it. */
	if (connection == NULL || g_dbus_connection_is_closed(connection)) {
		g_autofree char *detail = g_strdup_printf(
			"no session bus: %s", error != NULL ? error->message : "it was closed");
		struct portal_info none = {0};
		probe_finish(probe, ERROR_PORTAL_MISSING, detail, &none);
		return;
	}
	struct portal *portal = probe->portal;
	if (portal->connection == NULL) {
		g_dbus_connection_set_exit_on_close(connection, FALSE);
		portal->closed_handler =
			g_signal_connect(connection, "closed", G_CALLBACK(handle_closed), portal);
		portal->owner_subscription = g_dbus_connection_signal_subscribe(connection,
			"org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
			"/org/freedesktop/DBus", PORTAL_BUS_NAME, G_DBUS_SIGNAL_FLAGS_NONE,
			handle_owner_changed, portal, NULL);
		portal->connection = g_steal_pointer(&connection);
	}
	read_properties(probe);
}

static void ask(struct probe *probe) {
	struct portal *portal = probe->portal;
	if (portal->connection != NULL && g_dbus_connection_is_closed(portal->connection)) {
		drop_connection(portal);
	}
	if (portal->connection != NULL) {
		read_properties(probe);
	} else {
		g_bus_get(G_BUS_TYPE_SESSION, probe->cancellable, handle_bus, probe);
	}
}

static gboolean handle_known(gpointer data) {
	struct probe *probe = data;
	if (g_cancellable_is_cancelled(probe->cancellable)) {
		probe_free(probe);
	} else if (probe->portal->info.version > 0) {
		struct portal_info info = probe->portal->info;
		probe_finish(probe, ERROR_NONE, NULL, &info);
	} else {
		ask(probe); /* The portal or the bus has just gone. */
	}
	return G_SOURCE_REMOVE;
}

void portal_probe(struct portal *portal, unsigned timeout_ms, GCancellable *cancellable,
	portal_probe_func func, void *data) {
	struct probe *probe = g_new0(struct probe, 1);
	*probe = (struct probe){
		.portal = portal,
		.cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL,
		.timeout_ms = timeout_ms > 0 ? timeout_ms : portal->timeout_ms,
		.func = func,
		.data = data,
	};
	if (portal->info.version > 0) {
		g_idle_add(handle_known, probe);
	} else {
		ask(probe);
	}
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

/* Frees a request once it is finished and its call has been answered. */
static void request_release(struct portal_request *request) {
	if (!request->finished || request->call_pending) {
		return;
	}
	g_clear_object(&request->connection);
	g_free(request->path);
	g_free(request);
}

static void request_unsubscribe(struct portal_request *request) {
	if (request->subscription != 0) {
		g_dbus_connection_signal_unsubscribe(request->connection, request->subscription);
		request->subscription = 0;
	}
}

/* Tells the owner unless it gave up. Call request_release() after it. */
static void request_finish(struct portal_request *request, enum error_code code, const char *detail,
	GVariant *results) {
	if (request->finished) {
		return;
	}
	request->finished = true;
	request_unsubscribe(request);
	g_clear_handle_id(&request->timer, g_source_remove);
	if (!request->abandoned) {
		request->func(request->data, code, detail, results);
	}
}

static void close_late_session(struct portal_request *request, GVariant *results) {
	g_autoptr(GVariant) handle = g_variant_lookup_value(results, "session_handle", NULL);
	if (handle != NULL && (g_variant_is_of_type(handle, G_VARIANT_TYPE_STRING) ||
				      g_variant_is_of_type(handle, G_VARIANT_TYPE_OBJECT_PATH))) {
		const char *session = g_variant_get_string(handle, NULL);
		if (g_variant_is_object_path(session)) {
			portal_close_session(request->connection, session);
		}
	}
}

static void handle_response(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer data) {
	struct portal_request *request = data;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ua{sv})"))) {
		request_finish(
			request, ERROR_PORTAL_ERROR, "its Response has the wrong types", NULL);
		request_release(request);
		return;
	}
	guint32 response = 0;
	g_autoptr(GVariant) results = NULL;
	g_variant_get(parameters, "(u@a{sv})", &response, &results);
	g_autofree char *detail = NULL;
	enum error_code code = ERROR_NONE;
	if (response != 0) {
		/* 1: the person declined. 2, "ended in some other way": the portal failed. */
		code = response == 1 ? ERROR_DENIED : ERROR_PORTAL_ERROR;
		detail = g_strdup_printf("%s: response %u", request->method, response);
	} else if (request->abandoned) {
		close_late_session(request, results);
	}
	request_finish(request, code, detail, results);
	request_release(request);
}

static void request_subscribe(struct portal_request *request) {
	request->subscription = g_dbus_connection_signal_subscribe(request->connection,
		PORTAL_BUS_NAME, REQUEST_INTERFACE, "Response", request->path, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, handle_response, request, NULL);
}

static void handle_call_reply(GObject *source, GAsyncResult *result, gpointer data) {
	struct portal_request *request = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (reply == NULL) {
		g_dbus_error_strip_remote_error(error);
		g_autofree char *detail =
			g_strdup_printf("%s: %s", request->method, error->message);
		request_finish(request, portal_error_code(error), detail, NULL);
		request->call_pending = false;
		request_release(request);
		return;
	}
	request->call_pending = false;
	const char *handle = NULL;
	g_variant_get(reply, "(&o)", &handle);
	if (request->abandoned) {
		/* The first Close may have been too early for the request to exist. */
		close_object(request->connection, handle, REQUEST_INTERFACE);
	}
	if (!request->finished && strcmp(handle, request->path) != 0) {
		/* Portals before 0.9 choose the path themselves. */
		g_free(request->path);
		request->path = g_strdup(handle);
		request_unsubscribe(request);
		request_subscribe(request);
	}
	request_release(request);
}

static gboolean handle_request_timeout(gpointer data) {
	struct portal_request *request = data;
	request->timer = 0;
	if (!request->abandoned) {
		close_object(request->connection, request->path, REQUEST_INTERFACE);
	}
	g_autofree char *detail = g_strdup_printf("%s: no answer", request->method);
	request_finish(request, ERROR_PORTAL_TIMEOUT, detail, NULL);
	request_release(request);
	return G_SOURCE_REMOVE;
}

static GVariant *build_parameters(const struct portal_call *call, const char *token) {
	GVariant *parameters[3];
	gsize count = 0;
	if (call->session != NULL) {
		parameters[count++] = g_variant_new_object_path(call->session);
	}
	if (call->parent_window != NULL) {
		parameters[count++] = g_variant_new_string(call->parent_window);
	}
	g_variant_dict_insert(call->options, "handle_token", "s", token);
	parameters[count++] = g_variant_dict_end(call->options);
	return g_variant_new_tuple(parameters, count);
}

struct portal_request *portal_request_create(struct portal *portal, const struct portal_call *call,
	portal_response_func func, void *data) {
	g_autofree char *token = portal_new_token(portal);
	struct portal_request *request = g_new0(struct portal_request, 1);
	*request = (struct portal_request){
		.connection = g_object_ref(portal->connection),
		.method = call->method,
		.path = portal_object_path(portal, "request", token),
		.call_pending = true,
		.creates_session = call->creates_session,
		.func = func,
		.data = data,
	};
	request_subscribe(request);
	/* The person may take any time, but the portal sends the handle at once. */
	int limit_ms = call->waits_for_person ? (int)portal->timeout_ms : G_MAXINT;
	if (!call->waits_for_person) {
		request->timer = g_timeout_add(portal->timeout_ms, handle_request_timeout, request);
	}
	g_dbus_connection_call(request->connection, PORTAL_BUS_NAME, PORTAL_OBJECT_PATH,
		PORTAL_SCREENCAST_INTERFACE, call->method, build_parameters(call, token),
		G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, limit_ms, NULL, handle_call_reply,
		request);
	return request;
}

void portal_request_abandon(struct portal_request *request) {
	if (request == NULL) {
		return;
	}
	request->abandoned = true;
	close_object(request->connection, request->path, REQUEST_INTERFACE);
	/* Waits for a session that is being created, to close it; the timer limits that. */
	if (!request->creates_session || request->timer == 0) {
		request_finish(request, ERROR_CANCELLED, NULL, NULL);
		request_release(request);
	}
}
