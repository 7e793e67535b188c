#include "control/share.h"

#include <unistd.h>

#include <glib.h>

#include "base/log.h"
#include "control/helper.h"
#include "control/screencast.h"
#include "control/share_state.h"

struct share {
	struct share_context *context;
	struct port *port;
	uint32_t number;
	enum share_state state;
	struct screencast *screencast;
	struct helper_process *helper;
	struct screencast_stream stream;
	struct screencast_stream *granted; /* until the answer; NULL: not granted yet */
	size_t granted_count;
	struct protocol_share wish;
	GCancellable *cancellable; /* of the calls to the grants file */
	bool claimed;              /* the grants file is usable */
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
	struct protocol_message message;
	const struct protocol_stream *streams;
	size_t stream_count;
	const struct packet_ready *ready;
	const char *detail;
	int remote;
};

static void advance(struct share *share, enum share_event event, enum error_code code,
	const struct occasion *occasion);

/* ---- answers to the page ---- */

static void answer_error(
	struct share *share, uint32_t *id, enum error_code code, const char *detail) {
	port_end(share->port, protocol_write_error(port_begin(share->port), *id, code, detail));
	*id = 0;
}

/* Nothing else was asked for. */
static enum protocol_surface surface_of(uint32_t source_type) {
	return source_type == PORTAL_SOURCE_MONITOR  ? PROTOCOL_SURFACE_MONITOR
	       : source_type == PORTAL_SOURCE_WINDOW ? PROTOCOL_SURFACE_WINDOW
						     : PROTOCOL_SURFACE_UNKNOWN;
}

static struct protocol_stream describe(const struct share *share) {
	return (struct protocol_stream){share->number, surface_of(share->stream.source_type),
		share->stream.width, share->stream.height};
}

static void answer_share(struct share *share, const struct occasion *occasion) {
	if (share->share_id == 0) {
		return; /* The first share of the screen cast lists this one. */
	}
	const struct protocol_share_result result = {
		.streams = occasion->streams,
		.stream_count = occasion->stream_count,
		.multiple = share->wish.multiple,
		.restored = share->stream.restored,
		.remembered = share->remembered,
	};
	port_end(share->port,
		protocol_write_share_result(port_begin(share->port), share->share_id, &result));
	share->share_id = 0;
}

/* ---- the screencast's and the helper's callbacks ---- */

static void handle_claimed(void *data, const struct grants_answer *answer) {
	struct share *share = data;
	share->claimed = answer->ok;
	share->claim = answer->claim;
	screencast_restore(share->screencast, answer->ok,
		answer->claim.token[0] != '\0' ? answer->claim.token : NULL);
}

static void handle_restore(void *data) {
	struct share *share = data;
	const struct protocol_share *wish = &share->wish;
	grants_claim(share->context->grants, wish->origin, wish->monitor, wish->window,
		share->cancellable, handle_claimed, share);
}

static struct share *new_share(struct share_context *context) {
	struct share *share = g_new0(struct share, 1);
	share->context = context;
	share->port = context->port;
	context->last_number = context->last_number % PROTOCOL_ID_MAX + 1;
	share->number = context->last_number;
	g_queue_push_tail(&context->shares, share);
	share->state = SHARE_ASKING;
	share->cancellable = g_cancellable_new();
	return share;
}

static void take_stream(struct share *share, const struct screencast_stream *stream) {
	share->stream = *stream;
	share->stream.token = NULL;
}

/* The share of a further stream is granted with its first. */
static struct protocol_stream add_sibling(
	struct share *share, const struct screencast_stream *stream) {
	struct share *sibling = new_share(share->context);
	take_stream(sibling, stream);
	sibling->screencast = share->screencast;
	screencast_join(share->screencast, sibling);
	struct protocol_stream described = describe(sibling);
	advance(sibling, SHARE_GRANT, ERROR_NONE, &(struct occasion){0});
	return described;
}

static void answer_granted(struct share *share) {
	struct protocol_stream streams[SCREENCAST_STREAMS_MAX];
	take_stream(share, &share->granted[0]);
	streams[0] = describe(share);
	for (size_t i = 1; i < share->granted_count; i++) {
		streams[i] = add_sibling(share, &share->granted[i]);
	}
	g_clear_pointer(&share->granted, g_free);
	advance(share, SHARE_GRANT, ERROR_NONE,
		&(struct occasion){.streams = streams, .stream_count = share->granted_count});
}

static void handle_kept(void *data, const struct grants_answer *answer) {
	struct share *share = data;
	share->remembered = answer->ok;
	answer_granted(share);
}

static void handle_granted(void *data, const struct screencast_stream *streams, size_t count) {
	struct share *share = data;
	share->granted = g_memdup2(streams, count * sizeof(streams[0]));
	share->granted_count = count;
	if (share->claimed && streams->token != NULL) {
		grants_keep(share->context->grants, &share->claim, streams->token,
			surface_of(streams->source_type), share->cancellable, handle_kept, share);
	} else {
		answer_granted(share);
	}
}

static void handle_remote(void *data, int fd) {
	advance(data, SHARE_REMOTE, ERROR_NONE, &(struct occasion){.remote = fd});
}

static void handle_failed(void *data, enum error_code code, const char *detail) {
	advance(data, SHARE_FAIL, code, &(struct occasion){.detail = detail});
}

static void handle_ready(void *data, const struct packet_ready *ready) {
	advance(data, SHARE_READY, ERROR_NONE, &(struct occasion){.ready = ready});
}

/* The helper waits while the browser does not read. */
static void hold_back(struct share *share) {
	if (port_is_pressed(share->port)) {
		helper_set_paused(share->helper, true);
	}
}

static void handle_frame(void *data, const struct packet_frame *frame) {
	struct share *share = data;
	port_end(share->port, protocol_write_frame(port_begin(share->port), share->number, frame));
	hold_back(share);
}

static void handle_cursor(void *data, const struct packet_cursor *cursor) {
	struct share *share = data;
	port_end(
		share->port, protocol_write_cursor(port_begin(share->port), share->number, cursor));
	hold_back(share);
}

static void handle_gone(void *data) {
	advance(data, SHARE_GONE, ERROR_NONE, &(struct occasion){0});
}

static gboolean handle_not_opened(gpointer data) {
	struct share *share = data;
	share->timer = 0;
	advance(share, SHARE_FAIL, ERROR_STOPPED,
		&(struct occasion){.detail = "it was not opened in time"});
	return G_SOURCE_REMOVE;
}

static const struct screencast_listener screencast_listener = {
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

/* What the helper does with the cursor: it draws metadata unless the page asked to get it. */
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

static uint32_t changed(uint32_t before, uint32_t wish) {
	return wish != PROTOCOL_KEEP ? wish : before;
}

static void change_settings(struct share *share, const struct protocol_configure *configure) {
	struct packet_open *open = &share->open;
	open->max_fps = (uint16_t)changed(open->max_fps, configure->max_fps);
	open->max_kbps = changed(open->max_kbps, configure->max_kbps);
	open->max_width = changed(open->max_width, configure->max_width);
	open->max_height = changed(open->max_height, configure->max_height);
	if (!configure->region_keeps) {
		open->region = configure->region;
	}
	const struct packet_set set = {
		open->max_fps, open->max_kbps, open->max_width, open->max_height, open->region};
	helper_set(share->helper, &set);
}

static void change_parts(struct share *share, unsigned actions, const struct occasion *occasion) {
	if ((actions & SHARE_START_TIMER) != 0) {
		share->timer = g_timeout_add(share->context->timeout_ms, handle_not_opened, share);
	}
	if ((actions & SHARE_STOP_TIMER) != 0) {
		g_clear_handle_id(&share->timer, g_source_remove);
	}
	if ((actions & SHARE_CONNECT) != 0) {
		screencast_open_remote(share->screencast, share);
	}
	if ((actions & SHARE_START_HELPER) != 0) {
		start_helper(share, occasion->remote);
	}
	if ((actions & SHARE_DROP_REMOTE) != 0) {
		(void)close(occasion->remote);
	}
	if ((actions & SHARE_PASS_CREDIT) != 0) {
		helper_grant_credit(share->helper, occasion->message.credit);
	}
	if ((actions & SHARE_PASS_KEYFRAME) != 0) {
		helper_request_keyframe(share->helper);
	}
	if ((actions & SHARE_PASS_SETTINGS) != 0) {
		change_settings(share, &occasion->message.configure);
	}
}

static void answer_page(struct share *share, struct share_step step, enum share_event event,
	const struct occasion *occasion) {
	if ((step.actions & SHARE_ANSWER_SHARE) != 0) {
		answer_share(share, occasion);
	}
	if ((step.actions & SHARE_ANSWER_OPEN) != 0) {
		port_end(share->port, protocol_write_open_result(port_begin(share->port),
					      share->open_id, occasion->ready));
		share->open_id = 0;
	}
	if ((step.actions & SHARE_ANSWER_STATS) != 0) {
		const struct protocol_stats_result stats = helper_stats(share->helper);
		port_end(share->port, protocol_write_stats_result(port_begin(share->port),
					      occasion->message.id, &stats));
	}
	if ((step.actions & SHARE_FAIL_SHARE) != 0) {
		answer_error(share, &share->share_id, step.code, occasion->detail);
	}
	if ((step.actions & SHARE_FAIL_OPEN) != 0) {
		/* A `stop` cancels the `open` that it overtakes. */
		answer_error(share, &share->open_id,
			event == SHARE_STOP ? ERROR_CANCELLED : step.code, occasion->detail);
	}
	if ((step.actions & SHARE_TELL_ENDED) != 0) {
		port_end(share->port, protocol_write_ended(port_begin(share->port), share->number,
					      step.code, occasion->detail));
	}
}

static void advance(struct share *share, enum share_event event, enum error_code code,
	const struct occasion *occasion) {
	enum share_state before = share->state;
	struct share_step step = share_state_handle(&share->state, event, code);
	log_debug("share %u: state %d, event %d -> state %d, actions %#x", share->number,
		(int)before, (int)event, (int)share->state, step.actions);
	change_parts(share, step.actions, occasion);
	answer_page(share, step, event, occasion);
	if ((step.actions & SHARE_STOP_HELPER) != 0) {
		helper_stop(share->helper);
	}
	if ((step.actions & SHARE_CLOSE_CAST) != 0) {
		screencast_leave(share->screencast, share);
		share->screencast = NULL;
	}
	if ((step.actions & SHARE_ANSWER_STOP) != 0 && share->stop_id != 0) {
		port_end(share->port,
			protocol_write_stop_result(port_begin(share->port), share->stop_id));
		share->stop_id = 0;
	}
	if ((step.actions & SHARE_REFUSE) != 0) {
		uint32_t id = occasion->message.id;
		answer_error(share, &id, step.code, NULL);
	}
	if ((step.actions & SHARE_RELEASE) != 0) {
		struct share_context *context = share->context;
		g_queue_remove(&context->shares, share);
		share_destroy(share);
		context->released(context->data);
	}
}

/* ---- the verbs ---- */

void share_create(struct share_context *context, const struct protocol_message *request) {
	struct share *share = new_share(context);
	share->share_id = request->id;
	share->wish = request->wish;
	static const enum portal_cursor cursors[] = {
		[PROTOCOL_CURSOR_HIDDEN] = PORTAL_CURSOR_HIDDEN,
		[PROTOCOL_CURSOR_EMBEDDED] = PORTAL_CURSOR_EMBEDDED,
		[PROTOCOL_CURSOR_METADATA] = PORTAL_CURSOR_METADATA,
	};
	struct screencast_options options = {
		.source_types = (request->wish.monitor ? PORTAL_SOURCE_MONITOR : 0) |
				(request->wish.window ? PORTAL_SOURCE_WINDOW : 0),
		.cursor = cursors[request->wish.cursor],
		.multiple = request->wish.multiple,
		.remember = request->wish.remember,
	};
	share->screencast =
		screencast_create(context->portal, &options, &screencast_listener, share);
}

void share_destroy(struct share *share) {
	if (share == NULL) {
		return;
	}
	g_clear_handle_id(&share->timer, g_source_remove);
	helper_destroy(share->helper);
	screencast_leave(share->screencast, share);
	g_cancellable_cancel(share->cancellable);
	g_object_unref(share->cancellable);
	g_free(share->granted);
	g_free(share);
}

void share_handle(struct share *share, const struct protocol_message *message) {
	static const enum share_event events[] = {
		[PROTOCOL_OPEN] = SHARE_OPEN,
		[PROTOCOL_CREDIT] = SHARE_CREDIT,
		[PROTOCOL_CONFIGURE] = SHARE_CONFIGURE,
		[PROTOCOL_KEYFRAME] = SHARE_KEYFRAME,
		[PROTOCOL_STATS] = SHARE_STATS,
		[PROTOCOL_CANCEL] = SHARE_CANCEL,
		[PROTOCOL_STOP] = SHARE_STOP,
	};
	if (message->type == PROTOCOL_OPEN && share->state == SHARE_GRANTED) {
		share->open_id = message->id;
		share->open = message->open;
	}
	if (message->type == PROTOCOL_STOP) {
		share->stop_id = message->id;
	}
	advance(share, events[message->type], ERROR_NONE, &(struct occasion){.message = *message});
}

void share_stop(struct share *share, enum error_code code) {
	advance(share, SHARE_FAIL, code, &(struct occasion){0});
}

bool share_concerns(const struct share *share, const struct protocol_message *message) {
	if (message->type == PROTOCOL_CANCEL) {
		return message->cancel_request == share->share_id ||
		       message->cancel_request == share->open_id;
	}
	return message->share == share->number && share_state_is_known(share->state);
}

unsigned share_count_pending(const struct share *share, uint32_t id) {
	const uint32_t ids[] = {share->share_id, share->open_id, share->stop_id};
	unsigned count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		count += ids[i] != 0 && (id == 0 || ids[i] == id);
	}
	return count;
}

void share_relieved(struct share *share) {
	if (share->helper != NULL) {
		helper_set_paused(share->helper, false);
	}
}
