#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/format.h"
#include "source/loop.h"
#include "source/mailbox.h"
#include "source/negotiation.h"
#include "source/pw_api.h"
#include "source/reason.h"
#include "source/rights.h"
#include "wire/packet.h"

/* If someone else captures the same node, it never stops. */
#define STOP_MAX_MS 250

enum state {
	STATE_CONNECTING,
	STATE_CONNECTED, /* the remote answered: it is PipeWire */
	STATE_ENDED,
};

struct source {
	struct loop *loop;
	uint32_t node_id;
	const struct source_events *events;
	void *data;

	enum state state;
	struct pw_core *core;
	struct spa_hook core_listener;
	int sync; /* sequence number of the last pw_core_sync() */
	struct pw_registry *registry;
	struct spa_hook registry_listener;
	struct pw_node *node;
	struct spa_hook node_listener;
	char serial[24];   /* the node's, which unlike its id is never reused */
	bool node_running; /* its producer draws */
	bool node_fits;    /* one of its formats can be read */
	char node_formats[384];
	struct pw_stream *stream;
	struct spa_hook stream_listener;
	struct spa_source *wakeup;

	struct rights rights;
	struct negotiation negotiation;
	struct mailbox mailbox;
};

/* False when it had ended before. */
static bool mark_ended(struct source *source) {
	bool was_live = source->state != STATE_ENDED;
	source->state = STATE_ENDED;
	source->negotiation.stream = NULL;
	mailbox_close(&source->mailbox);
	return was_live;
}

static void end(struct source *source, enum error_code code, const char *detail) {
	if (mark_ended(source)) {
		source->events->ended(source->data, code, detail);
	}
}

static void end_connection(struct source *source, const char *detail) {
	end(source,
		source->state == STATE_CONNECTING ? ERROR_PIPEWIRE_REFUSED : ERROR_PIPEWIRE_LOST,
		detail);
}

/* On PipeWire's data thread. */
static void on_process(void *data) {
	struct source *source = data;
	if (mailbox_receive(&source->mailbox, source->stream)) {
		pw_loop_signal_event(source->loop->loop, source->wakeup);
	}
}

static void on_wakeup(void *data, uint64_t count) {
	struct source *source = data;
	if (source->state == STATE_ENDED) {
		return;
	}
	uint32_t width = 0;
	uint32_t height = 0;
	if (mailbox_peek(&source->mailbox, &width, &height)) {
		negotiation_picture(&source->negotiation);
		source->events->picture(source->data, width, height);
	}
	if (mailbox_cursor_changed(&source->mailbox)) {
		source->events->cursor(source->data);
	}
}

void source_want(struct source *source, bool wanted) {
	mailbox_want(&source->mailbox, source->stream, wanted);
}

bool source_cursor(struct source *source, struct source_cursor *cursor) {
	return mailbox_cursor(&source->mailbox, cursor);
}

void source_refresh(struct source *source) {
	negotiation_refresh(&source->negotiation);
}

/* Works before there is a stream and during a restart as well. */
void source_set_rate(struct source *source, uint32_t max_fps) {
	if (format_needs_offer(source->negotiation.max_fps, max_fps)) {
		source->negotiation.max_fps = max_fps;
		negotiation_offer(&source->negotiation);
	}
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct source *source = data;
	mailbox_add_buffer(&source->mailbox, buffer);
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
	struct source *source = data;
	mailbox_remove_buffer(&source->mailbox, buffer);
}

static void on_param_changed(void *data, uint32_t id, const struct spa_pod *param) {
	struct source *source = data;
	if (id != SPA_PARAM_Format || param == NULL || source->state == STATE_ENDED) {
		return;
	}
	enum pixel_order order = PIXEL_ORDER_BGR;
	uint32_t width = 0;
	uint32_t height = 0;
	if (!format_parse(param, &order, &width, &height)) {
		end(source, ERROR_FORMAT_UNSUPPORTED, "PipeWire negotiated an unsupported format");
		return;
	}
	log_info("source: %ux%u", width, height);
	mailbox_set_format(&source->mailbox, order, width, height);
	uint8_t memory[2048];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *params[FORMAT_PARAMS_MAX];
	uint32_t count = format_buffer_params(&builder, params);
	pw_stream_update_params(source->stream, params, count);
	negotiation_format(&source->negotiation, width, height);
}

static void on_state_changed(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	struct source *source = data;
	log_debug("stream: %s", pw_stream_state_as_string(state));
	if (state == PW_STREAM_STATE_STREAMING) {
		negotiation_await(&source->negotiation);
		return;
	}
	negotiation_await_nothing(&source->negotiation);
	if (state == PW_STREAM_STATE_PAUSED) {
		rights_give_up(&source->rights, source->core);
	} else if (state == PW_STREAM_STATE_ERROR) {
		char detail[PACKET_DETAIL_MAX];
		enum error_code code =
			reason_stream(error, source->node_formats, detail, sizeof(detail));
		end(source, code, detail);
	} else if (state == PW_STREAM_STATE_UNCONNECTED) {
		end(source, ERROR_PIPEWIRE_LOST, "PipeWire closed the stream");
	}
}

static const struct pw_stream_events stream_events = {
	PW_VERSION_STREAM_EVENTS,
	.state_changed = on_state_changed,
	.param_changed = on_param_changed,
	.add_buffer = on_add_buffer,
	.remove_buffer = on_remove_buffer,
	.process = on_process,
};

static void connect_stream(struct source *source) {
	struct pw_properties *properties =
		pw_properties_new(PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY, "Capture",
			PW_KEY_MEDIA_ROLE, "Screen", PW_KEY_TARGET_OBJECT, source->serial, NULL);
	source->stream = pw_stream_new(source->core, "Portlight", properties);
	if (source->stream == NULL) {
		end(source, ERROR_PIPEWIRE_LOST, "PipeWire cannot create the stream");
		return;
	}
	source->negotiation.stream = source->stream;
	pw_stream_add_listener(source->stream, &source->stream_listener, &stream_events, source);
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offer = format_offer(&builder, source->negotiation.max_fps);
	/* Never move to another node: the user allowed only this one. buffer_map() maps buffers. */
	enum pw_stream_flags flags = PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_DONT_RECONNECT |
				     PW_STREAM_FLAG_RT_PROCESS;
	int result =
		pw_stream_connect(source->stream, PW_DIRECTION_INPUT, PW_ID_ANY, flags, &offer, 1);
	if (result < 0) {
		end_connection(source, strerror(-result));
	}
}

static void on_node_param(void *data, int sequence, uint32_t id, uint32_t index, uint32_t next,
	const struct spa_pod *param) {
	struct source *source = data;
	if (id != SPA_PARAM_EnumFormat || param == NULL) {
		return;
	}
	if (index == 0) {
		source->node_formats[0] = '\0';
		source->node_fits = false;
	}
	source->node_fits |=
		format_describe(param, source->node_formats, sizeof(source->node_formats));
}

static const char *lookup(const struct spa_dict *dict, const char *key) {
	return dict != NULL && dict->n_items > 0 ? spa_dict_lookup(dict, key) : NULL;
}

/* xdg-desktop-portal-wlr up to 0.8.1 reports the damage since the buffer was last used, or loses
 * that of skipped pictures. Later versions are right, but name their streams alike. */
static bool sends_wrong_damage(const struct pw_node_info *info) {
	const char *name = lookup(info->props, PW_KEY_MEDIA_NAME);
	return name != NULL && strncmp(name, "xdpw-stream-", strlen("xdpw-stream-")) == 0;
}

/* Comes when the node is bound and on every change. */
static void on_node_info(void *data, const struct pw_node_info *info) {
	struct source *source = data;
	source->node_running = info->state == PW_NODE_STATE_RUNNING;
	if (sends_wrong_damage(info)) {
		mailbox_ignore_damage(&source->mailbox);
	}
	if ((info->change_mask & PW_NODE_CHANGE_MASK_PARAMS) != 0) {
		pw_node_enum_params(source->node, 0, SPA_PARAM_EnumFormat, 0, UINT32_MAX, NULL);
		source->sync = pw_core_sync(source->core, PW_ID_CORE, source->sync);
	}
}

static const struct pw_node_events node_events = {
	PW_VERSION_NODE_EVENTS,
	.info = on_node_info,
	.param = on_node_param,
};

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
	uint32_t version, const struct spa_dict *properties) {
	struct source *source = data;
	rights_note(&source->rights, id, type);
	const char *serial = lookup(properties, PW_KEY_OBJECT_SERIAL);
	if (id != source->node_id || strcmp(type, PW_TYPE_INTERFACE_Node) != 0 || serial == NULL ||
		source->node != NULL) {
		return;
	}
	snprintf(source->serial, sizeof(source->serial), "%s", serial);
	source->node = pw_registry_bind(source->registry, id, type, PW_VERSION_NODE, 0);
	if (source->node != NULL) {
		pw_node_add_listener(source->node, &source->node_listener, &node_events, source);
	}
}

static void on_global_remove(void *data, uint32_t id) {
	struct source *source = data;
	if (id == source->node_id && source->node != NULL) {
		end(source, ERROR_SOURCE_GONE, "");
	}
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = on_global,
	.global_remove = on_global_remove,
};

/* The first answer follows the globals, and every other one the node's formats. */
static void on_done(void *data, uint32_t id, int sequence) {
	struct source *source = data;
	char detail[PACKET_DETAIL_MAX];
	if (id != PW_ID_CORE || sequence != source->sync || source->state == STATE_ENDED) {
		return;
	}
	if (source->state == STATE_CONNECTING) {
		source->state = STATE_CONNECTED;
		if (source->node == NULL) {
			snprintf(detail, sizeof(detail), "PipeWire shows no node %u",
				source->node_id);
			end(source, ERROR_SOURCE_GONE, detail);
		}
	} else if (source->node_formats[0] != '\0' && !source->node_fits) {
		snprintf(detail, sizeof(detail), "offered: %s", source->node_formats);
		end(source, ERROR_FORMAT_UNSUPPORTED, detail);
	} else if (source->stream == NULL) {
		connect_stream(source);
	}
}

static void on_error(void *data, uint32_t id, int sequence, int result, const char *message) {
	struct source *source = data;
	const char *text = message != NULL ? message : strerror(-result);
	if (id == PW_ID_CORE) {
		end_connection(source, text);
	} else {
		log_warning("PipeWire, object %u: %s", id, text);
	}
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = on_done,
	.error = on_error,
};

void source_start(struct source *source, int fd) {
	struct pw_properties *properties = pw_properties_new(PW_KEY_APP_NAME, "Portlight", NULL);
	source->core = pw_context_connect_fd(source->loop->context, fd, properties, 0);
	if (source->core == NULL) {
		end_connection(source, strerror(errno));
		return;
	}
	pw_core_add_listener(source->core, &source->core_listener, &core_events, source);
	source->registry = pw_core_get_registry(source->core, PW_VERSION_REGISTRY, 0);
	if (source->registry == NULL) {
		end_connection(source, "no registry");
		return;
	}
	pw_registry_add_listener(
		source->registry, &source->registry_listener, &registry_events, source);
	source->sync = pw_core_sync(source->core, PW_ID_CORE, 0);
}

/* A share's session closes once its helper has exited. xdg-desktop-portal-wlr up to 0.8 crashes if
 * that happens before it learns that its stream was paused, which PipeWire tells it after it has
 * removed ours. */
static void await_producer_stop(struct source *source) {
	struct pw_loop *loop = source->loop->loop;
	pw_stream_set_active(source->stream, false);
	pw_loop_enter(loop);
	int64_t until = clock_us() + STOP_MAX_MS * INT64_C(1000);
	int64_t left = STOP_MAX_MS;
	while (source->node_running && left > 0) {
		pw_loop_iterate(loop, (int)left);
		left = (until - clock_us()) / 1000;
	}
	pw_loop_leave(loop);
	log_debug("the producer %s", source->node_running ? "is still running" : "stopped");
}

void source_destroy(struct source *source) {
	if (source == NULL) {
		return;
	}
	if (mark_ended(source) && source->stream != NULL) {
		await_producer_stop(source);
	}
	if (source->stream != NULL) {
		pw_stream_destroy(source->stream);
	}
	if (source->node != NULL) {
		pw_proxy_destroy((struct pw_proxy *)source->node);
	}
	if (source->registry != NULL) {
		pw_proxy_destroy((struct pw_proxy *)source->registry);
	}
	if (source->core != NULL) {
		pw_core_disconnect(source->core);
	}
	loop_remove(source->loop, source->wakeup);
	negotiation_finish(&source->negotiation);
	mailbox_finish(&source->mailbox);
	free(source);
}

struct source *source_create(struct loop *loop, uint32_t node_id, uint32_t max_fps,
	bool cursor_wanted, const struct source_events *events, void *data) {
	struct source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return NULL;
	}
	*source = (struct source){.loop = loop, .node_id = node_id, .events = events, .data = data};
	bool mailbox = mailbox_init(&source->mailbox, cursor_wanted, events->read, data);
	bool timer = negotiation_init(&source->negotiation, loop, &source->mailbox, max_fps);
	source->wakeup = pw_loop_add_event(loop->loop, on_wakeup, source);
	if (!mailbox || !timer || source->wakeup == NULL) {
		source_destroy(source);
		return NULL;
	}
	return source;
}
