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
};

/*
 * The source type of a stream: what the portal says, if it was `possible` (or'ed); else the only
 * possible one; 0: unknown. xdg-desktop-portal-wlr 0.7.0 says PORTAL_SOURCE_WINDOW of every
 * monitor.
 */
uint32_t portal_settle_source(uint32_t said, uint32_t possible);

/* Bits of AvailableCursorModes. */
enum portal_cursor {
	PORTAL_CURSOR_HIDDEN = 1,
	PORTAL_CURSOR_EMBEDDED = 2,
	PORTAL_CURSOR_METADATA = 4,
};

struct portal_info {
	uint32_t version;      /* of the ScreenCast portal, 1 and up; 0: there is none */
	uint32_t source_types; /* enum portal_source, or'ed */
	uint32_t cursor_modes; /* enum portal_cursor, or'ed; 0 below version 2 */
};

struct portal;
struct portal_request;

/* `timeout_ms`: how long the portal may take where the user has no part; 0: PORTAL_TIMEOUT_MS.
 * Connects to nothing yet. */
struct portal *portal_create(unsigned timeout_ms);

/* Drops the connection. NULL is fine. */
void portal_destroy(struct portal *portal);

/* `info` is lent for the call. `code`: ERROR_NONE, or why there is no portal; `detail` may be NULL.
 */
typedef void (*portal_probe_func)(
	void *data, enum error_code code, const char *detail, const struct portal_info *info);

/*
 * Says what the portal offers. The first time, and again after the portal or the bus went away or
 * the probe failed, it connects to the session bus, starts the portal and asks it. `timeout_ms`: 0
 * means the portal's own. `func` is called once, or never if `cancellable` (lent until then; NULL:
 * none) is cancelled first.
 */
void portal_probe(struct portal *portal, unsigned timeout_ms, GCancellable *cancellable,
	portal_probe_func func, void *data);

/* Lent; NULL before the first probe succeeded and after the bus went away. */
GDBusConnection *portal_connection(struct portal *portal);

unsigned portal_timeout_ms(const struct portal *portal);

/* A handle token that is unique in this process; free with g_free(). */
char *portal_new_token(struct portal *portal);

/* The path that the portal gives to the request or session (`kind`) of that token; free with
 * g_free(). Needs a connection. */
char *portal_object_path(struct portal *portal, const char *kind, const char *token);

/* A ScreenCast call that a Request's Response answers. */
struct portal_call {
	const char *method;
	const char *token;    /* of portal_new_token(): the handle_token in `parameters` */
	GVariant *parameters; /* taken if floating */
	/* Asks nobody: the Response is due in time too, and a session that it brings after
	 * portal_request_abandon() is closed. Otherwise only the handle has to come in time. */
	bool creates_session;
};

/* How a request ended, once. ERROR_NONE: `results` (lent) is the Response's a{sv}. ERROR_DENIED:
 * the user declined. `detail` may be NULL. The request is freed after the call. */
typedef void (*portal_response_func)(
	void *data, enum error_code code, const char *detail, GVariant *results);

/* Subscribes to the Response, then calls the method. Needs a connection. */
struct portal_request *portal_request_create(struct portal *portal, const struct portal_call *call,
	portal_response_func func, void *data);

/* Closes the dialog of a pending request (Request.Close); `func` is not called. Frees the request
 * in the end. NULL is fine. */
void portal_request_abandon(struct portal_request *request);

/* Asks for a session to be closed; nobody waits for the answer. */
void portal_close_session(GDBusConnection *connection, const char *session);

/* The catalogue's code for a failed D-Bus call. */
enum error_code portal_error_code(const GError *error);

/* The call was cancelled here; false when the portal answers with that error. NULL is fine. */
bool portal_was_cancelled(const GError *error);
