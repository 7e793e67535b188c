/*
 * The plumbing of xdg-desktop-portal: the bus connection, what the ScreenCast portal offers, and
 * requests (org.freedesktop.portal.Request) with their Response. It knows nothing of shares; the
 * steps of a screen cast are screencast.h.
 *
 * Everything runs on the thread-default GLib main context. No callback is called from within the
 * function that asked for it.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"

#define PORTAL_TIMEOUT_MS 10000u

#define PORTAL_BUS_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_OBJECT_PATH "/org/freedesktop/portal/desktop"
#define PORTAL_SCREENCAST_INTERFACE "org.freedesktop.portal.ScreenCast"

/* Bits of AvailableSourceTypes, and of a stream's source_type. */
enum portal_source {
	PORTAL_SOURCE_MONITOR = 1,
	PORTAL_SOURCE_WINDOW = 2,
	PORTAL_SOURCE_VIRTUAL = 4,
};

/*
 * What a stream is, where the portal says `said` and could only offer `possible` (or'ed): that, if
 * it is among them; else the only one possible; 0: not known. xdg-desktop-portal-wlr 0.7.0 says
 * PORTAL_SOURCE_WINDOW of every monitor.
 */
uint32_t portal_settle_source(uint32_t said, uint32_t possible);

/* Bits of AvailableCursorModes. */
enum portal_cursor {
	PORTAL_CURSOR_HIDDEN = 1,
	PORTAL_CURSOR_EMBEDDED = 2,
	PORTAL_CURSOR_METADATA = 4,
};

/* What the ScreenCast portal says of itself. */
struct portal_info {
	uint32_t version;      /* 1 and up; 0: there is none */
	uint32_t source_types; /* enum portal_source, or'ed */
	uint32_t cursor_modes; /* enum portal_cursor, or'ed; 0 below version 2 */
};

struct portal;
struct portal_request;

/* `timeout_ms`: how long the portal may take to answer where it does not wait for the person; 0
 * means PORTAL_TIMEOUT_MS. Connects to nothing yet. */
struct portal *portal_create(unsigned timeout_ms);

/* Drops the connection; what is still pending is abandoned. NULL is fine. */
void portal_destroy(struct portal *portal);

/*
 * `info` is lent for the call. `code` is ERROR_NONE, or says why there is no portal
 * (ERROR_PORTAL_MISSING, _ERROR, _TIMEOUT); `detail` may then be NULL.
 */
typedef void (*portal_probe_func)(
	void *data, enum error_code code, const char *detail, const struct portal_info *info);

/*
 * Connects to the session bus if need be (again, after the bus went away), starts the portal if it
 * is not running, and reads what it offers: once, until the portal or the bus goes away. A probe
 * that failed is repeated. `timeout_ms`: 0 means the portal's own. `func` is called once, unless
 * `cancellable` is cancelled first: then never.
 */
void portal_probe(struct portal *portal, unsigned timeout_ms, GCancellable *cancellable,
	portal_probe_func func, void *data);

/* Lent; NULL before the first probe succeeded and after the bus went away. */
GDBusConnection *portal_connection(struct portal *portal);

unsigned portal_timeout_ms(const struct portal *portal);

/* A name for a handle that no other request or session of this process has; free with g_free(). */
char *portal_new_token(struct portal *portal);

/* The object path that the portal gives to our request ("request") or session ("session") of that
 * token; free with g_free(). Needs a connection. */
char *portal_object_path(struct portal *portal, const char *kind, const char *token);

/* The method of a ScreenCast call that answers by a Request's Response. */
struct portal_call {
	const char *method;
	const char *session;       /* object path, first argument; NULL: the method takes none */
	const char *parent_window; /* second argument; NULL: the method takes none */
	GVariantDict *options;     /* handle_token is added; its contents are taken */
	bool waits_for_person;     /* no limit to the answer; that it asks is said in time */
	bool creates_session;      /* a late Response brings a session that must not linger */
};

/*
 * How a request ended, once. ERROR_NONE: `results` (lent) is the Response's a{sv}. A Response of 1
 * is ERROR_DENIED and 2 is ERROR_CANCELLED; else what went wrong with the call. `detail` may be
 * NULL. The request is freed after the call.
 */
typedef void (*portal_response_func)(
	void *data, enum error_code code, const char *detail, GVariant *results);

/* Subscribes to the Response, then calls the method. Needs a connection. */
struct portal_request *portal_request_create(struct portal *portal, const struct portal_call *call,
	portal_response_func func, void *data);

/*
 * Gives a pending request up: its dialog is closed (Request.Close), `func` is not called, and a
 * session that the late answer should bring is closed too. Frees the request in the end. NULL is
 * fine.
 */
void portal_request_abandon(struct portal_request *request);

/* Asks for a session to be closed; nobody waits for the answer. */
void portal_close_session(GDBusConnection *connection, const char *session);

/* The catalogue's code for a failed D-Bus call. */
enum error_code portal_error_code(const GError *error);
