#include "control/screencast.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "base/log.h"

/* A portal that takes longer hangs: even its start takes less. */
#define PROBE_MS 3000u
/* The portal's persist_mode: until it is revoked. Known from this version on. */
#define PERSIST_UNTIL_REVOKED 2u
#define PERSIST_VERSION 4u

struct screencast {
	struct portal *portal;
	struct screencast_options options;
	const struct screencast_listener *listener;
	GQueue owners;   /* their `data`, until `ended` */
	GQueue waiting;  /* the owners that asked for a remote, in that order */
	unsigned leaves; /* how many owners still have to leave */

	bool granted;
	bool ended;
	struct portal_info info;
	enum portal_cursor cursor; /* in force once the sources are selected */
	bool restored;
	GCancellable *cancellable; /* of the probe and of OpenPipeWireRemote */
	struct portal_request *request;
	/* What its Response leads to. */
	void (*next)(struct screencast *screencast, GVariant *results);
	GDBusConnection *connection; /* the one that the session belongs to */
	char *session;               /* NULL: not asked for yet, or closed by others */
	guint closed_subscription;
	guint name_watch;
};

static void *first_owner(struct screencast *screencast) {
	return g_queue_peek_head(&screencast->owners);
}

/* Ends all but the session. */
static void release(struct screencast *screencast) {
	screencast->ended = true;
	g_cancellable_cancel(screencast->cancellable);
	portal_request_abandon(screencast->request);
	screencast->request = NULL;
	if (screencast->closed_subscription != 0) {
		g_dbus_connection_signal_unsubscribe(
			screencast->connection, screencast->closed_subscription);
		screencast->closed_subscription = 0;
	}
	g_clear_handle_id(&screencast->name_watch, g_bus_unwatch_name);
}

static void forget_session(struct screencast *screencast) {
	g_clear_pointer(&screencast->session, g_free);
	g_clear_object(&screencast->connection);
}

static void destroy(struct screencast *screencast) {
	release(screencast);
	if (screencast->session != NULL) {
		portal_close_session(screencast->connection, screencast->session);
	}
	forget_session(screencast);
	g_clear_object(&screencast->cancellable);
	g_queue_clear(&screencast->owners);
	g_queue_clear(&screencast->waiting);
	g_free(screencast);
}

static void end(struct screencast *screencast, enum error_code code, const char *detail) {
	if (screencast->ended) {
		return;
	}
	release(screencast);
	if (code == ERROR_SESSION_CLOSED || code == ERROR_BUS_LOST) {
		forget_session(screencast);
	}
	/* Any of the owners may leave during each call: this one leaves after them. */
	screencast->leaves++;
	for (void *data; (data = g_queue_pop_head(&screencast->owners)) != NULL;) {
		screencast->listener->ended(data, code, detail);
	}
	screencast_leave(screencast, NULL);
}

/* The kinds of source that are asked for and that the portal has. */
static uint32_t possible_sources(const struct screencast *screencast) {
	return screencast->options.source_types & screencast->info.source_types;
}

static void handle_response(
	void *data, enum error_code code, const char *detail, GVariant *results) {
	struct screencast *screencast = data;
	screencast->request = NULL;
	if (code != ERROR_NONE) {
		end(screencast, code, detail);
	} else {
		screencast->next(screencast, results);
	}
}

static void call_portal(struct screencast *screencast, struct portal_call call,
	void (*next)(struct screencast *screencast, GVariant *results)) {
	screencast->next = next;
	screencast->request =
		portal_request_create(screencast->portal, &call, handle_response, screencast);
}

/* ---- Start ---- */

/* PipeWire's PW_ID_ANY. */
#define ANY_NODE UINT32_MAX

static void read_stream(GVariant *streams, size_t index, struct screencast_stream *stream) {
	g_autoptr(GVariant) properties = NULL;
	g_variant_get_child(streams, index, "(u@a{sv})", &stream->node_id, &properties);
	gint32 width = 0;
	gint32 height = 0;
	if (g_variant_lookup(properties, "size", "(ii)", &width, &height) && width > 0 &&
		height > 0) {
		stream->width = (uint32_t)width;
		stream->height = (uint32_t)height;
	}
	g_variant_lookup(properties, "source_type", "u", &stream->source_type);
}

static void take_streams(struct screencast *screencast, GVariant *results) {
	g_autoptr(GVariant) streams =
		g_variant_lookup_value(results, "streams", G_VARIANT_TYPE("a(ua{sv})"));
	if (streams == NULL || g_variant_n_children(streams) == 0) {
		end(screencast, ERROR_PORTAL_NO_STREAMS, NULL);
		return;
	}
	size_t granted = g_variant_n_children(streams);
	size_t count = MIN(granted, screencast->options.multiple ? SCREENCAST_STREAMS_MAX : 1);
	/* Asked for one, KDE's portal may give several: the last one was chosen
	 * (obs-studio#4459). */
	size_t first = screencast->options.multiple ? 0 : granted - 1;
	if (granted > count) {
		log_info("the portal granted %zu streams; %zu of them are used", granted, count);
	}
	struct screencast_stream read[SCREENCAST_STREAMS_MAX] = {0};
	for (size_t i = 0; i < count; i++) {
		read[i].cursor = screencast->cursor;
		read[i].restored = screencast->restored;
		g_variant_lookup(results, "restore_token", "&s", &read[i].token);
		read_stream(streams, first + i, &read[i]);
		if (read[i].node_id == ANY_NODE) {
			end(screencast, ERROR_PORTAL_NO_STREAMS, "Start: a stream without a node");
			return;
		}
		read[i].source_type =
			portal_settle_source(read[i].source_type, possible_sources(screencast));
	}
	screencast->granted = true;
	screencast->listener->granted(first_owner(screencast), read, count);
}

/* ---- SelectSources ---- */

static void start(struct screencast *screencast, GVariant *selected) {
	g_autofree char *token = portal_new_token(screencast->portal);
	call_portal(screencast,
		(struct portal_call){"Start", token,
			g_variant_new_parsed(
				"(%o, '', {'handle_token': <%s>})", screencast->session, token),
			false},
		take_streams);
}

/* The cursor mode to ask for; 0: the portal's default (hidden). */
static uint32_t choose_cursor(uint32_t wanted, uint32_t available) {
	const uint32_t visible = PORTAL_CURSOR_EMBEDDED | PORTAL_CURSOR_METADATA;
	if ((available & wanted) == 0 && (wanted & visible) != 0) {
		wanted ^= visible; /* The helper can draw a cursor that comes as metadata. */
	}
	return available & ((available & wanted) != 0 ? wanted : PORTAL_CURSOR_HIDDEN);
}

void screencast_restore(struct screencast *screencast, bool persist, const char *token) {
	if (screencast->ended) {
		return;
	}
	g_autofree char *handle_token = portal_new_token(screencast->portal);
	GVariantDict options;
	g_variant_dict_init(&options, NULL);
	g_variant_dict_insert(&options, "handle_token", "s", handle_token);
	g_variant_dict_insert(&options, "types", "u", possible_sources(screencast));
	g_variant_dict_insert(&options, "multiple", "b", screencast->options.multiple);
	uint32_t cursor = choose_cursor(screencast->options.cursor, screencast->info.cursor_modes);
	screencast->cursor = cursor != 0 ? (enum portal_cursor)cursor : PORTAL_CURSOR_HIDDEN;
	if (cursor != 0) {
		g_variant_dict_insert(&options, "cursor_mode", "u", cursor);
	}
	if (persist) {
		g_variant_dict_insert(&options, "persist_mode", "u", PERSIST_UNTIL_REVOKED);
	}
	screencast->restored = persist && token != NULL;
	if (screencast->restored) {
		g_variant_dict_insert(&options, "restore_token", "s", token);
	}
	/* Some portals ask the user already here (xdg-desktop-portal-wlr). */
	call_portal(screencast,
		(struct portal_call){"SelectSources", handle_token,
			g_variant_new(
				"(o@a{sv})", screencast->session, g_variant_dict_end(&options)),
			false},
		start);
}

/* ---- CreateSession ---- */

static void handle_session_closed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer data) {
	end(data, ERROR_SESSION_CLOSED, NULL);
}

static void take_session(struct screencast *screencast, GVariant *results) {
	const char *session = NULL;
	/* A string, though it is an object path; its token leaves the portal no choice. */
	if (!g_variant_lookup(results, "session_handle", "&s", &session) ||
		strcmp(session, screencast->session) != 0) {
		end(screencast, ERROR_PORTAL_ERROR, "CreateSession: not the session's handle");
	} else if (screencast->options.remember && screencast->info.version >= PERSIST_VERSION) {
		screencast->listener->restore(first_owner(screencast));
	} else {
		screencast_restore(screencast, false, NULL);
	}
}

static void handle_name_vanished(GDBusConnection *connection, const char *name, gpointer data) {
	end(data, ERROR_BUS_LOST,
		connection == NULL ? "the session bus went away" : "the portal went away");
}

static void create_session(struct screencast *screencast) {
	screencast->connection = g_object_ref(portal_connection(screencast->portal));
	screencast->name_watch = g_bus_watch_name_on_connection(screencast->connection,
		PORTAL_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, handle_name_vanished,
		screencast, NULL);
	g_autofree char *token = portal_new_token(screencast->portal);
	screencast->session = portal_object_path(screencast->portal, "session", token);
	screencast->closed_subscription = g_dbus_connection_signal_subscribe(screencast->connection,
		PORTAL_BUS_NAME, "org.freedesktop.portal.Session", "Closed", screencast->session,
		NULL, G_DBUS_SIGNAL_FLAGS_NONE, handle_session_closed, screencast, NULL);
	call_portal(screencast,
		(struct portal_call){"CreateSession", token,
			g_variant_new_parsed(
				"({'handle_token': <%s>, 'session_handle_token': <%s>},)", token,
				token),
			true},
		take_session);
}

/* ---- the verbs ---- */

static void handle_probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct screencast *screencast = data;
	screencast->info = *info;
	if (code != ERROR_NONE) {
		end(screencast, code, detail);
	} else if (possible_sources(screencast) == 0) {
		end(screencast, ERROR_PORTAL_UNSUPPORTED, NULL);
	} else {
		create_session(screencast);
	}
}

struct screencast *screencast_create(struct portal *portal,
	const struct screencast_options *options, const struct screencast_listener *listener,
	void *data) {
	struct screencast *screencast = g_new0(struct screencast, 1);
	screencast->portal = portal;
	screencast->options = *options;
	screencast->listener = listener;
	g_queue_init(&screencast->owners);
	g_queue_init(&screencast->waiting);
	screencast_join(screencast, data);
	screencast->cancellable = g_cancellable_new();
	portal_probe(portal, MIN(PROBE_MS, portal_timeout_ms(portal)), screencast->cancellable,
		handle_probed, screencast);
	return screencast;
}

static void handle_remote(GObject *source, GAsyncResult *result, gpointer data) {
	g_autoptr(GError) error = NULL;
	g_autoptr(GUnixFDList) list = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), &list, result, &error);
	if (portal_was_cancelled(error)) {
		return; /* The screencast is gone. */
	}
	struct screencast *screencast = data;
	int fd = -1;
	if (reply != NULL) {
		gint32 index = -1;
		g_variant_get(reply, "(h)", &index);
		if (list != NULL && index >= 0 && index < g_unix_fd_list_get_length(list)) {
			fd = g_unix_fd_list_get(list, index, &error);
		}
	}
	if (fd < 0) {
		if (error != NULL) {
			g_dbus_error_strip_remote_error(error);
		}
		g_autofree char *detail = g_strdup_printf("OpenPipeWireRemote: %s",
			error != NULL ? error->message : "the answer holds no descriptor");
		end(screencast, error != NULL ? portal_error_code(error) : ERROR_PORTAL_ERROR,
			detail);
		return;
	}
	/* All remotes are alike, so any answer will do. */
	void *owner = g_queue_pop_head(&screencast->waiting);
	if (owner != NULL) {
		screencast->listener->remote(owner, fd);
	} else {
		(void)close(fd);
	}
}

void screencast_join(struct screencast *screencast, void *data) {
	g_queue_push_tail(&screencast->owners, data);
	screencast->leaves++;
}

void screencast_open_remote(struct screencast *screencast, void *data) {
	if (!screencast->granted || screencast->ended) {
		return;
	}
	g_queue_push_tail(&screencast->waiting, data);
	g_dbus_connection_call_with_unix_fd_list(screencast->connection, PORTAL_BUS_NAME,
		PORTAL_OBJECT_PATH, PORTAL_SCREENCAST_INTERFACE, "OpenPipeWireRemote",
		g_variant_new("(oa{sv})", screencast->session, NULL), G_VARIANT_TYPE("(h)"),
		G_DBUS_CALL_FLAGS_NONE, (int)portal_timeout_ms(screencast->portal), NULL,
		screencast->cancellable, handle_remote, screencast);
}

void screencast_leave(struct screencast *screencast, void *data) {
	if (screencast == NULL) {
		return;
	}
	g_queue_remove(&screencast->owners, data);
	g_queue_remove(&screencast->waiting, data);
	if (--screencast->leaves == 0) {
		destroy(screencast);
	}
}
