#include "doctor/live.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

#include "control/helper.h"
#include "control/portal.h"
#include "control/screencast.h"

#define FPS 30u
#define KBPS 8000u
#define CREDIT 4u

struct live {
	struct live_result *result;
	GMainLoop *loop;
	GCancellable *cancellable;
	struct portal *portal;
	struct screencast *screencast;
	struct screencast_stream stream;
	struct helper_process *helper;
	gint64 start_us; /* the first frame's time; 0: none came */
	guint timer;
	bool over;
};

/* The desktop's share is closed when nobody reads it any more. */
static void leave_when_done(struct live *live) {
	if (live->over && live->helper == NULL) {
		screencast_leave(live->screencast, live);
		live->screencast = NULL;
		g_main_loop_quit(live->loop);
	}
}

/* Of several reasons the first counts. */
static void stop(struct live *live, enum error_code code, const char *detail) {
	if (live->over) {
		return;
	}
	live->over = true;
	live->result->code = code;
	live->result->detail = g_strdup(detail);
	if (live->start_us != 0) {
		live->result->seconds =
			(double)(g_get_monotonic_time() - live->start_us) / G_USEC_PER_SEC;
	}
	g_cancellable_cancel(live->cancellable);
	if (live->helper != NULL) {
		helper_stop(live->helper);
	}
	leave_when_done(live);
}

static gboolean on_timer(gpointer data) {
	struct live *live = data;
	live->timer = 0;
	stop(live, ERROR_STOPPED, NULL);
	return G_SOURCE_REMOVE;
}

static void helper_ready(void *data, const struct packet_ready *ready) {
}

static void helper_frame(void *data, const struct packet_frame *packet) {
	struct live *live = data;
	if (live->over || packet->part + 1 != packet->parts) {
		return;
	}
	if (live->start_us == 0) {
		live->start_us = g_get_monotonic_time();
		live->result->width = packet->width;
		live->result->height = packet->height;
		live->timer = g_timeout_add(LIVE_SECONDS * 1000, on_timer, live);
	}
	live->result->frames++;
	helper_grant_credit(live->helper, 1);
}

static void helper_ended(void *data, enum error_code code, const char *detail) {
	stop(data, code, detail);
}

static void helper_gone(void *data) {
	struct live *live = data;
	helper_destroy(live->helper);
	live->helper = NULL;
	leave_when_done(live);
}

static const struct helper_listener helper_listener = {
	.ready = helper_ready,
	.frame = helper_frame,
	.ended = helper_ended,
	.gone = helper_gone,
};

static void screencast_granted(void *data, const struct screencast_stream *streams, size_t count) {
	struct live *live = data;
	live->stream = *streams;
	(void)fputs("Counting the frames for a few seconds…\n", stderr);
	screencast_open_remote(live->screencast, live);
}

static void screencast_remote(void *data, int fd) {
	struct live *live = data;
	const struct helper_options options = {
		.open =
			{
				.node_id = live->stream.node_id,
				.codec = PACKET_CODEC_AUTO,
				.max_fps = FPS,
				.max_kbps = KBPS,
				.credit = CREDIT,
				.cursor = live->stream.cursor == PORTAL_CURSOR_METADATA
						  ? PACKET_CURSOR_BLEND
						  : PACKET_CURSOR_AS_IS,
			},
	};
	live->helper = helper_create(&options, fd, &helper_listener, live);
}

static void screencast_ended(void *data, enum error_code code, const char *detail) {
	stop(data, code, detail);
}

static const struct screencast_listener screencast_listener = {
	.granted = screencast_granted,
	.remote = screencast_remote,
	.ended = screencast_ended,
};

static void probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct live *live = data;
	if (code != ERROR_NONE) {
		stop(live, code, detail);
		return;
	}
	const struct screencast_options options = {
		.source_types = PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW,
		.cursor = PORTAL_CURSOR_EMBEDDED,
	};
	(void)fputs(
		"Choose a screen or a window in the desktop's dialog. Ctrl-C gives up.\n", stderr);
	live->screencast = screencast_create(live->portal, &options, &screencast_listener, live);
}

static gboolean interrupt(struct live *live, int number) {
	if (live->result->signal == 0) {
		live->result->signal = number;
	}
	stop(live, ERROR_STOPPED, NULL);
	return G_SOURCE_CONTINUE;
}

static gboolean on_interrupt(gpointer data) {
	return interrupt(data, SIGINT);
}

static gboolean on_terminate(gpointer data) {
	return interrupt(data, SIGTERM);
}

static gboolean on_hang_up(gpointer data) {
	return interrupt(data, SIGHUP);
}

void live_run(struct live_result *result) {
	*result = (struct live_result){0};
	struct live live = {.result = result};
	live.loop = g_main_loop_new(NULL, FALSE);
	live.cancellable = g_cancellable_new();
	live.portal = portal_create(0);
	const guint signals[] = {
		g_unix_signal_add(SIGINT, on_interrupt, &live),
		g_unix_signal_add(SIGTERM, on_terminate, &live),
		g_unix_signal_add(SIGHUP, on_hang_up, &live),
	};
	portal_probe(live.portal, 0, live.cancellable, probed, &live);
	g_main_loop_run(live.loop);

	g_clear_handle_id(&live.timer, g_source_remove);
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
		g_source_remove(signals[i]);
	}
	GDBusConnection *connection = portal_connection(live.portal);
	if (connection != NULL) {
		/* The last calls to the portal may not have been sent yet. */
		(void)g_dbus_connection_flush_sync(connection, NULL, NULL);
	}
	portal_destroy(live.portal);
	g_object_unref(live.cancellable);
	g_main_loop_unref(live.loop);
}
