#include "control/share.h"

#include <unistd.h>

#include <glib.h>

#include "base/log.h"
#include "control/cast.h"
#include "control/grants.h"
#include "control/helper.h"
#include "control/session.h"

struct share {
	const struct share_context *context;
	uint32_t number;
	enum session_state state;
	struct cast *cast;
	struct helper *helper;
	struct screencast_stream stream;
	struct protocol_share wish;
	struct grants_claim claim;
	bool remembered;
	struct packet_open open; /* what `open` asked for, and `configure` since */
	guint timer;
	/* Ids of the pending requests, 0: none. */
	uint32_t share_id;
	uint32_t open_id;
	uint32_t stop_id;
};

/* What came with an event, for the actions that follow from it. */
struct occasion {
	uint32_t id;     /* of the page's message */
	uint16_t credit; /* of its `credit` */
	const struct protocol_stream *streams;
	size_t stream_count;
	struct protocol_configure configure;
	const struct packet_ready *ready;
	const char *detail;
	int remote;
};

static void advance(struct share *share, enum session_event event, enum error_code code,
	const struct occasion *occasion);

/* ---- what the page is told ---- */

static void answer_error(
	struct share *share, uint32_t *id, enum error_code code, const char *detail) {
	struct stdio *stdio = share->context->stdio;
	stdio_end(stdio, protocol_write_error(stdio_begin(stdio), *id, code, detail));
	*id = 0;
}

static enum protocol_surface surface_of(uint32_t source_type) {
	switch (source_type) {
	case PORTAL_SOURCE_MONITOR:
		return PROTOCOL_SURFACE_MONITOR;
	case PORTAL_SOURCE_WINDOW:
		return PROTOCOL_SURFACE_WINDOW;
	case PORTAL_SOURCE_VIRTUAL:
		return PROTOCOL_SURFACE_VIRTUAL;
	default:
		return PROTOCOL_SURFACE_UNKNOWN;
	}
}

static struct protocol_stream describe(const struct share *share) {
	return (struct protocol_stream){share->number, surface_of(share->stream.source_type),
		share->stream.width, share->stream.height};
}

/* What came of another share's consent was told of in that one's answer. */
static void answer_share(struct share *share, const struct occasion *occasion) {
	struct stdio *stdio = share->context->stdio;
	if (share->share_id == 0) {
		return;
	}
	struct protocol_share_result result = {
		.share = share->number,
		.surface = surface_of(share->stream.source_type),
		.width = share->stream.width,
		.height = share->stream.height,
		.restored = share->stream.restored,
		.remembered = share->remembered,
		.streams = share->wish.multiple ? occasion->streams : NULL,
		.stream_count = occasion->stream_count,
	};
	stdio_end(stdio, protocol_write_share_result(stdio_begin(stdio), share->share_id, &result));
	share->share_id = 0;
}

static void answer_open(struct share *share, const struct packet_ready *ready) {
	struct stdio *stdio = share->context->stdio;
	stdio_end(stdio, protocol_write_open_result(stdio_begin(stdio), share->open_id, ready));
	share->open_id = 0;
}

static void answer_stats(struct share *share, uint32_t id) {
	struct stdio *stdio = share->context->stdio;
	struct helper_usage usage;
	helper_usage(share->helper, &usage);
	const struct protocol_stats_result result = {
		usage.cpu_ms, usage.rss_kib, usage.frames, usage.bytes, usage.codec};
	stdio_end(stdio, protocol_write_stats_result(stdio_begin(stdio), id, &result));
}

static void answer_stop(struct share *share) {
	struct stdio *stdio = share->context->stdio;
	if (share->stop_id != 0) {
		stdio_end(stdio, protocol_write_stop_result(stdio_begin(stdio), share->stop_id));
		share->stop_id = 0;
	}
}

static void tell_ended(struct share *share, enum error_code code, const char *detail) {
	struct stdio *stdio = share->context->stdio;
	stdio_end(stdio, protocol_write_ended(stdio_begin(stdio), share->number, code, detail));
}

/* ---- what the screencast and the helper say ---- */

static bool handle_restore(void *data, const char **token) {
	struct share *share = data;
	const struct protocol_share *wish = &share->wish;
	bool ok = grants_claim(&share->claim, wish->origin, wish->monitor, wish->window);
	*token = share->claim.token[0] != '\0' ? share->claim.token : NULL;
	return ok;
}

static struct share *new_share(const struct share_context *context) {
	struct share *share = g_new0(struct share, 1);
	share->context = context;
	share->number = context->added(context->data, share);
	share->state = SESSION_ASKING;
	return share;
}

static void take_stream(struct share *share, const struct screencast_stream *stream) {
	share->stream = *stream;
	share->stream.token = NULL;
}

/* The share of a further stream is granted with its first. */
static struct share *add_sibling(struct share *share, const struct screencast_stream *stream) {
	struct share *sibling = new_share(share->context);
	take_stream(sibling, stream);
	sibling->cast = cast_join(share->cast, sibling);
	advance(sibling, SESSION_GRANT, ERROR_NONE, &(struct occasion){0});
	return sibling;
}

static void handle_granted(void *data, const struct screencast_stream *stream, size_t count) {
	struct share *share = data;
	struct protocol_stream streams[SCREENCAST_STREAMS_MAX];
	take_stream(share, stream);
	streams[0] = describe(share);
	for (size_t i = 1; i < count; i++) {
		streams[i] = describe(add_sibling(share, &stream[i]));
	}
	share->remembered =
		share->claim.origin[0] != '\0' && stream->token != NULL &&
		grants_keep(&share->claim, stream->token, surface_of(stream->source_type));
	advance(share, SESSION_GRANT, ERROR_NONE,
		&(struct occasion){.streams = streams, .stream_count = count});
}

static void handle_remote(void *data, int fd) {
	advance(data, SESSION_REMOTE, ERROR_NONE, &(struct occasion){.remote = fd});
}

static void handle_failed(void *data, enum error_code code, const char *detail) {
	advance(data, SESSION_FAIL, code, &(struct occasion){.detail = detail});
}

static void handle_ready(void *data, const struct packet_ready *ready) {
	advance(data, SESSION_READY, ERROR_NONE, &(struct occasion){.ready = ready});
}

static void handle_frame(void *data, const struct packet_frame *frame) {
	struct share *share = data;
	struct stdio *stdio = share->context->stdio;
	stdio_end(stdio, protocol_write_frame(stdio_begin(stdio), share->number, frame));
	if (stdio_is_pressed(stdio)) {
		helper_set_paused(share->helper, true);
	}
}

static void handle_cursor(void *data, const struct packet_cursor *cursor) {
	struct share *share = data;
	struct stdio *stdio = share->context->stdio;
	stdio_end(stdio, protocol_write_cursor(stdio_begin(stdio), share->number, cursor));
	if (stdio_is_pressed(stdio)) {
		helper_set_paused(share->helper, true);
	}
}

static void handle_gone(void *data) {
	advance(data, SESSION_GONE, ERROR_NONE, &(struct occasion){0});
}

static gboolean handle_not_opened(gpointer data) {
	struct share *share = data;
	share->timer = 0;
	advance(share, SESSION_FAIL, ERROR_STOPPED,
		&(struct occasion){.detail = "it was not opened in time"});
	return G_SOURCE_REMOVE;
}

static const struct screencast_listener cast_listener = {
	.restore = handle_restore,
	.granted = handle_granted,
	.remote = handle_remote,
	.ended = handle_failed,
};

static const struct helper_listener helper_listener = {
	.ready = handle_ready,
	.frame = handle_frame,
	.cursor = handle_cursor,
	.ended = handle_failed,
	.gone = handle_gone,
};

/* ---- the actions ---- */

/* What the helper is to do with a cursor. Metadata that nobody asked to be sent is drawn. */
static enum packet_cursor_mode cursor_mode(const struct share *share) {
	if (share->stream.cursor != PORTAL_CURSOR_METADATA) {
		return PACKET_CURSOR_AS_IS;
	}
	return share->open.cursor == PACKET_CURSOR_SEND ? PACKET_CURSOR_SEND : PACKET_CURSOR_BLEND;
}

static void start_helper(struct share *share, int remote) {
	struct helper_options options = {
		.open = share->open,
		.ready_timeout_ms = share->context->ready_timeout_ms,
	};
	options.open.node_id = share->stream.node_id;
	options.open.cursor = cursor_mode(share);
	share->helper = helper_create(&options, remote, &helper_listener, share);
}

static void change_settings(struct share *share, const struct protocol_configure *configure) {
	struct packet_open *open = &share->open;
	if (configure->max_fps != PROTOCOL_KEEP) {
		open->max_fps = (uint16_t)configure->max_fps;
	}
	if (configure->max_kbps != PROTOCOL_KEEP) {
		open->max_kbps = configure->max_kbps;
	}
	if (configure->max_width != PROTOCOL_KEEP) {
		open->max_width = configure->max_width;
	}
	if (configure->max_height != PROTOCOL_KEEP) {
		open->max_height = configure->max_height;
	}
	if (!configure->region_keeps) {
		open->region = configure->region;
	}
	const struct packet_set set = {
		open->max_fps, open->max_kbps, open->max_width, open->max_height, open->region};
	helper_set(share->helper, &set);
}

static void change_parts(struct share *share, unsigned actions, const struct occasion *occasion) {
	if ((actions & SESSION_START_TIMER) != 0) {
		share->timer = g_timeout_add(share->context->timeout_ms, handle_not_opened, share);
	}
	if ((actions & SESSION_STOP_TIMER) != 0) {
		g_clear_handle_id(&share->timer, g_source_remove);
	}
	if ((actions & SESSION_CONNECT) != 0) {
		cast_open_remote(share->cast);
	}
	if ((actions & SESSION_START_HELPER) != 0) {
		start_helper(share, occasion->remote);
	}
	if ((actions & SESSION_DROP_REMOTE) != 0) {
		(void)close(occasion->remote);
	}
	if ((actions & SESSION_PASS_CREDIT) != 0) {
		helper_grant_credit(share->helper, occasion->credit);
	}
	if ((actions & SESSION_PASS_KEYFRAME) != 0) {
		helper_request_keyframe(share->helper);
	}
	if ((actions & SESSION_PASS_SETTINGS) != 0) {
		change_settings(share, &occasion->configure);
	}
}

static void answer_page(struct share *share, struct session_step step, enum session_event event,
	const struct occasion *occasion) {
	if ((step.actions & SESSION_ANSWER_SHARE) != 0) {
		answer_share(share, occasion);
	}
	if ((step.actions & SESSION_ANSWER_OPEN) != 0) {
		answer_open(share, occasion->ready);
	}
	if ((step.actions & SESSION_ANSWER_STATS) != 0) {
		answer_stats(share, occasion->id);
	}
	if ((step.actions & SESSION_FAIL_SHARE) != 0) {
		answer_error(share, &share->share_id, step.code, occasion->detail);
	}
	if ((step.actions & SESSION_FAIL_OPEN) != 0) {
		/* A `stop` cancels the `open` that it overtakes. */
		answer_error(share, &share->open_id,
			event == SESSION_STOP ? ERROR_CANCELLED : step.code, occasion->detail);
	}
	if ((step.actions & SESSION_TELL_ENDED) != 0) {
		tell_ended(share, step.code, occasion->detail);
	}
}

static void advance(struct share *share, enum session_event event, enum error_code code,
	const struct occasion *occasion) {
	enum session_state before = share->state;
	struct session_step step = session_handle(&share->state, event, code);
	log_debug("share %u: state %d, event %d -> state %d, actions %#x", share->number,
		(int)before, (int)event, (int)share->state, step.actions);
	change_parts(share, step.actions, occasion);
	answer_page(share, step, event, occasion);
	if ((step.actions & SESSION_STOP_HELPER) != 0) {
		helper_stop(share->helper);
	}
	if ((step.actions & SESSION_CLOSE_CAST) != 0) {
		cast_destroy(share->cast);
		share->cast = NULL;
	}
	if ((step.actions & SESSION_ANSWER_STOP) != 0) {
		answer_stop(share);
	}
	if ((step.actions & SESSION_REFUSE) != 0) {
		uint32_t id = occasion->id;
		answer_error(share, &id, step.code, NULL);
	}
	if ((step.actions & SESSION_RELEASE) != 0) {
		share->context->released(share->context->data, share);
	}
}

/* ---- the verbs ---- */

void share_create(const struct share_context *context, const struct protocol_message *request) {
	struct share *share = new_share(context);
	share->share_id = request->id;
	share->wish = request->share;
	static const enum portal_cursor cursors[] = {
		[PROTOCOL_CURSOR_HIDDEN] = PORTAL_CURSOR_HIDDEN,
		[PROTOCOL_CURSOR_EMBEDDED] = PORTAL_CURSOR_EMBEDDED,
		[PROTOCOL_CURSOR_METADATA] = PORTAL_CURSOR_METADATA,
	};
	struct screencast_options options = {
		.source_types = (request->share.monitor ? PORTAL_SOURCE_MONITOR : 0) |
				(request->share.window ? PORTAL_SOURCE_WINDOW : 0),
		.cursor = cursors[request->share.cursor],
		.multiple = request->share.multiple,
		.remember = request->share.remember,
	};
	share->cast = cast_create(context->portal, &options, &cast_listener, share);
}

void share_destroy(struct share *share) {
	if (share == NULL) {
		return;
	}
	g_clear_handle_id(&share->timer, g_source_remove);
	helper_destroy(share->helper);
	cast_destroy(share->cast);
	g_free(share);
}

static void handle_open(struct share *share, const struct protocol_message *message) {
	if (share->state == SESSION_GRANTED) {
		share->open_id = message->id;
		share->open = (struct packet_open){
			.codec = message->open.codec,
			.max_fps = message->open.max_fps,
			.max_kbps = message->open.max_kbps,
			.credit = message->open.credit,
			.max_width = message->open.max_width,
			.max_height = message->open.max_height,
			.fidelity = message->open.fidelity,
			.cursor = message->open.cursor,
			.region = message->open.region,
		};
	}
	advance(share, SESSION_OPEN, ERROR_NONE, &(struct occasion){.id = message->id});
}

void share_handle(struct share *share, const struct protocol_message *message) {
	struct occasion occasion = {.id = message->id};
	switch (message->type) {
	case PROTOCOL_OPEN:
		handle_open(share, message);
		break;
	case PROTOCOL_CREDIT:
		occasion.credit = message->credit.frames;
		advance(share, SESSION_CREDIT, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_CONFIGURE:
		occasion.configure = message->configure;
		advance(share, SESSION_CONFIGURE, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_KEYFRAME:
		advance(share, SESSION_KEYFRAME, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_STATS:
		advance(share, SESSION_STATS, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_CANCEL:
		advance(share, SESSION_CANCEL, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_STOP:
		if (share_is_known(share)) {
			share->stop_id = message->id;
		}
		advance(share, SESSION_STOP, ERROR_NONE, &occasion);
		break;
	case PROTOCOL_HELLO:
	case PROTOCOL_SHARE:
	case PROTOCOL_GRANTS:
	case PROTOCOL_REVOKE:
		break;
	}
}

void share_stop(struct share *share, enum error_code code) {
	advance(share, SESSION_FAIL, code, &(struct occasion){0});
}

bool share_is_known(const struct share *share) {
	return share->state > SESSION_ASKING && share->state < SESSION_CLOSING;
}

uint32_t share_number(const struct share *share) {
	return share->number;
}

unsigned share_pending_count(const struct share *share) {
	return (unsigned)(share->share_id != 0) + (share->open_id != 0) + (share->stop_id != 0);
}

bool share_has_pending(const struct share *share, uint32_t id) {
	return share_can_cancel(share, id) || share->stop_id == id;
}

bool share_can_cancel(const struct share *share, uint32_t id) {
	return share->share_id == id || share->open_id == id;
}

void share_relieved(struct share *share) {
	if (share->helper != NULL) {
		helper_set_paused(share->helper, false);
	}
}
