#include "source/stream.h"

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

/* Someone else may watch the same node, which runs on then. */
#define STOP_MAX_MS 250

struct stream {
	struct source source;
	struct pw_context *context; /* the loop's, as is `loop` */
	struct pw_loop *loop;
	int fd;
	uint32_t node_id;
	const struct source_events *events;
	void *data;

	struct pw_core *core;
	struct spa_hook core_listener;
	struct pw_registry *registry;
	struct spa_hook registry_listener;
	struct pw_proxy *node;
	char serial[24]; /* the node's, which is never used again; empty where it has none */
	struct spa_hook node_listener;
	struct pw_stream *stream;
	struct spa_hook stream_listener;
	struct spa_source *wakeup;
	int sync;      /* sequence number of the last round trip that was asked for */
	bool answered; /* the remote is PipeWire indeed */
	bool ended;    /* `ended` was emitted */
	bool draws;    /* the node runs */
	bool fits;     /* one of the node's formats is ours */
	char offered[384];

	struct rights rights;
	struct negotiation negotiation;
	struct mailbox mailbox;
};

static void end(struct stream *self, enum error_code code, const char *detail) {
	if (!self->ended) {
		self->ended = true;
		self->negotiation.stream = NULL;
		mailbox_close(&self->mailbox);
		self->events->ended(self->data, code, detail);
	}
}

/* On PipeWire's data thread. */
static void on_process(void *data) {
	struct stream *self = data;
	if (mailbox_receive(&self->mailbox, self->stream)) {
		pw_loop_signal_event(self->loop, self->wakeup);
	}
}

static void on_wakeup(void *data, uint64_t count) {
	(void)count;
	struct stream *self = data;
	uint32_t width = 0;
	uint32_t height = 0;
	if (!self->ended && mailbox_peek(&self->mailbox, &width, &height)) {
		negotiation_picture(&self->negotiation);
		self->events->picture(self->data, width, height);
	}
	if (!self->ended && mailbox_cursor_changed(&self->mailbox)) {
		self->events->cursor(self->data);
	}
}

static void stream_want(struct source *source, bool wanted) {
	struct stream *self = (struct stream *)source;
	mailbox_want(&self->mailbox, self->stream, wanted);
}

static void stream_lock(struct source *source) {
	struct stream *self = (struct stream *)source;
	pthread_mutex_lock(&self->mailbox.lock);
}

static void stream_unlock(struct source *source) {
	struct stream *self = (struct stream *)source;
	pthread_mutex_unlock(&self->mailbox.lock);
}

static bool stream_cursor(struct source *source, struct source_cursor *cursor) {
	struct stream *self = (struct stream *)source;
	return mailbox_cursor(&self->mailbox, cursor);
}

static void stream_refresh(struct source *source) {
	struct stream *self = (struct stream *)source;
	negotiation_refresh(&self->negotiation);
}

/* It may come while the stream is being restarted, or before there is one. The new format brings
 * the picture anew. */
static void stream_set_rate(struct source *source, uint32_t max_fps) {
	struct stream *self = (struct stream *)source;
	if (format_needs_offer(self->negotiation.max_fps, max_fps)) {
		self->negotiation.max_fps = max_fps;
		negotiation_offer(&self->negotiation);
	}
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct stream *self = data;
	mailbox_add_buffer(&self->mailbox, buffer);
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
	struct stream *self = data;
	mailbox_remove_buffer(&self->mailbox, buffer);
}

static void on_param_changed(void *data, uint32_t id, const struct spa_pod *param) {
	struct stream *self = data;
	if (id != SPA_PARAM_Format || param == NULL) {
		return;
	}
	enum pixel_order order = PIXEL_ORDER_BGR;
	uint32_t width = 0;
	uint32_t height = 0;
	if (!format_parse(param, &order, &width, &height)) {
		end(self, ERROR_FORMAT_UNSUPPORTED, "PipeWire settled on a format of no use");
		return;
	}
	log_info("source: %ux%u", width, height);
	mailbox_set_format(&self->mailbox, order, width, height);
	uint8_t memory[2048];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *params[FORMAT_PARAMS_MAX];
	uint32_t count = format_buffer_params(&builder, params);
	pw_stream_update_params(self->stream, params, count);
	negotiation_format(&self->negotiation, width, height);
}

static void end_by_stream_error(struct stream *self, const char *error) {
	char detail[PACKET_DETAIL_MAX];
	enum error_code code = reason_stream(error, self->offered, detail, sizeof(detail));
	end(self, code, detail);
}

static void on_state_changed(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	struct stream *self = data;
	log_debug("stream: %s", pw_stream_state_as_string(state));
	negotiation_state(&self->negotiation, state == PW_STREAM_STATE_STREAMING);
	if (state == PW_STREAM_STATE_PAUSED) {
		rights_give_up(&self->rights, self->core);
	}
	if (state == PW_STREAM_STATE_ERROR) {
		end_by_stream_error(self, error);
	} else if (state == PW_STREAM_STATE_UNCONNECTED && old != PW_STREAM_STATE_UNCONNECTED &&
		   old != PW_STREAM_STATE_ERROR) {
		end(self, ERROR_PIPEWIRE_LOST, "PipeWire closed the stream");
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

static void connect_stream(struct stream *self) {
	struct pw_properties *properties = pw_properties_new(PW_KEY_MEDIA_TYPE, "Video",
		PW_KEY_MEDIA_CATEGORY, "Capture", PW_KEY_MEDIA_ROLE, "Screen", NULL);
	bool by_serial = self->serial[0] != '\0';
	if (by_serial) {
		pw_properties_set(properties, PW_KEY_TARGET_OBJECT, self->serial);
	}
	self->stream = pw_stream_new(self->core, "Portlight", properties);
	if (self->stream == NULL) {
		end(self, ERROR_PIPEWIRE_LOST, "the stream could not be made");
		return;
	}
	self->negotiation.stream = self->stream;
	pw_stream_add_listener(self->stream, &self->stream_listener, &stream_events, self);
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offer = format_offer(&builder, self->negotiation.max_fps);
	/* Never follow to another node: only this one was granted. Buffers are mapped by us. */
	enum pw_stream_flags flags = PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_DONT_RECONNECT |
				     PW_STREAM_FLAG_RT_PROCESS;
	uint32_t target = by_serial ? PW_ID_ANY : self->node_id;
	int result = pw_stream_connect(self->stream, PW_DIRECTION_INPUT, target, flags, &offer, 1);
	if (result < 0) {
		end(self, reason_connection(self->answered), reason_text(result, NULL));
	}
}

/* The node's formats are known. */
static void check_formats(struct stream *self) {
	if (self->offered[0] != '\0' && !self->fits) {
		char detail[PACKET_DETAIL_MAX];
		snprintf(detail, sizeof(detail), "offered: %s", self->offered);
		end(self, ERROR_FORMAT_UNSUPPORTED, detail);
	} else if (self->stream == NULL) {
		connect_stream(self);
	}
}

static void on_node_param(void *data, int sequence, uint32_t id, uint32_t index, uint32_t next,
	const struct spa_pod *param) {
	(void)sequence;
	(void)next;
	struct stream *self = data;
	if (id != SPA_PARAM_EnumFormat || param == NULL) {
		return;
	}
	if (index == 0) {
		self->offered[0] = '\0';
		self->fits = false;
	}
	self->fits = format_describe(param, self->offered, sizeof(self->offered)) || self->fits;
}

static void on_node_info(void *data, const struct pw_node_info *info) {
	struct stream *self = data;
	self->draws = info->state == PW_NODE_STATE_RUNNING;
	if ((info->change_mask & PW_NODE_CHANGE_MASK_PARAMS) == 0) {
		return;
	}
	pw_node_enum_params(
		(struct pw_node *)self->node, 0, SPA_PARAM_EnumFormat, 0, UINT32_MAX, NULL);
	if (self->stream != NULL) {
		self->sync = pw_core_sync(self->core, PW_ID_CORE, self->sync);
	}
}

static const struct pw_node_events node_events = {
	PW_VERSION_NODE_EVENTS,
	.info = on_node_info,
	.param = on_node_param,
};

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
	uint32_t version, const struct spa_dict *properties) {
	(void)permissions;
	(void)version;
	struct stream *self = data;
	rights_note(&self->rights, id, type);
	if (id != self->node_id || strcmp(type, PW_TYPE_INTERFACE_Node) != 0 ||
		self->node != NULL) {
		return;
	}
	const char *serial =
		properties != NULL ? spa_dict_lookup(properties, PW_KEY_OBJECT_SERIAL) : NULL;
	snprintf(self->serial, sizeof(self->serial), "%s", serial != NULL ? serial : "");
	self->node = pw_registry_bind(self->registry, id, type, PW_VERSION_NODE, 0);
	if (self->node != NULL) {
		pw_proxy_add_object_listener(self->node, &self->node_listener, &node_events, self);
	}
}

static void on_global_remove(void *data, uint32_t id) {
	struct stream *self = data;
	if (id == self->node_id && self->node != NULL) {
		end(self, ERROR_SOURCE_GONE, "");
	}
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = on_global,
	.global_remove = on_global_remove,
};

/* The first answer says which nodes there are, the second what ours offers: its information came
 * first, and its formats were asked for then. */
static void on_done(void *data, uint32_t id, int sequence) {
	struct stream *self = data;
	if (id != PW_ID_CORE || sequence != self->sync || self->ended) {
		return;
	}
	if (!self->answered) {
		self->answered = true;
		if (self->node == NULL) {
			char detail[64];
			snprintf(
				detail, sizeof(detail), "PipeWire shows no node %u", self->node_id);
			end(self, ERROR_SOURCE_GONE, detail);
			return;
		}
		pw_node_enum_params(
			(struct pw_node *)self->node, 0, SPA_PARAM_EnumFormat, 0, UINT32_MAX, NULL);
		self->sync = pw_core_sync(self->core, PW_ID_CORE, self->sync);
		return;
	}
	check_formats(self);
}

static void on_error(void *data, uint32_t id, int sequence, int result, const char *message) {
	(void)sequence;
	struct stream *self = data;
	const char *text = reason_text(result, message);
	if (id == PW_ID_CORE) {
		end(self, reason_connection(self->answered), text);
	} else {
		log_warning("PipeWire, object %u: %s", id, text);
	}
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = on_done,
	.error = on_error,
};

static void stream_start(struct source *source) {
	struct stream *self = (struct stream *)source;
	struct pw_properties *properties = pw_properties_new(PW_KEY_APP_NAME, "Portlight", NULL);
	int fd = self->fd;
	self->fd = -1;
	self->core = pw_context_connect_fd(self->context, fd, properties, 0);
	if (self->core == NULL) {
		end(self, reason_connection(self->answered), reason_text(-errno, NULL));
		return;
	}
	pw_core_add_listener(self->core, &self->core_listener, &core_events, self);
	self->registry = pw_core_get_registry(self->core, PW_VERSION_REGISTRY, 0);
	if (self->registry == NULL) {
		end(self, reason_connection(self->answered), "no registry");
		return;
	}
	pw_registry_add_listener(self->registry, &self->registry_listener, &registry_events, self);
	self->sync = pw_core_sync(self->core, PW_ID_CORE, 0);
}

/* The session of a share closes once its helper has left. xdg-desktop-portal-wlr up to 0.8 crashes
 * where that happens before it was told that its stream is paused, which is after the daemon learnt
 * that ours has gone. */
static void stream_stop(struct source *source) {
	struct stream *self = (struct stream *)source;
	bool lost = self->ended;
	self->ended = true;
	self->negotiation.stream = NULL;
	mailbox_close(&self->mailbox);
	if (lost || self->stream == NULL) {
		return;
	}
	pw_stream_set_active(self->stream, false);
	pw_loop_enter(self->loop);
	int64_t until = clock_us() + STOP_MAX_MS * INT64_C(1000);
	int64_t left = STOP_MAX_MS;
	while (self->draws && left > 0) {
		pw_loop_iterate(self->loop, (int)left);
		left = (until - clock_us()) / 1000;
	}
	pw_loop_leave(self->loop);
	log_debug("the producer %s", self->draws ? "goes on" : "stopped");
}

static void stream_destroy(struct source *source) {
	struct stream *self = (struct stream *)source;
	self->ended = true;
	if (self->stream != NULL) {
		pw_stream_destroy(self->stream);
	}
	if (self->node != NULL) {
		pw_proxy_destroy(self->node);
	}
	if (self->registry != NULL) {
		pw_proxy_destroy((struct pw_proxy *)self->registry);
	}
	if (self->core != NULL) {
		pw_core_disconnect(self->core);
	}
	if (self->wakeup != NULL) {
		pw_loop_destroy_source(self->loop, self->wakeup);
	}
	negotiation_finish(&self->negotiation);
	if (self->fd >= 0) {
		close(self->fd);
	}
	mailbox_finish(&self->mailbox);
	free(self);
}

static const struct source_impl stream_impl = {
	.start = stream_start,
	.want = stream_want,
	.lock = stream_lock,
	.unlock = stream_unlock,
	.cursor = stream_cursor,
	.refresh = stream_refresh,
	.set_rate = stream_set_rate,
	.stop = stream_stop,
	.destroy = stream_destroy,
};

struct source *stream_create(struct loop *loop, int fd, uint32_t node_id, uint32_t max_fps,
	bool cursor_wanted, const struct source_events *events, void *data) {
	struct stream *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		close(fd);
		return NULL;
	}
	*self = (struct stream){
		.source.impl = &stream_impl,
		.context = loop->context,
		.loop = loop->loop,
		.fd = fd,
		.node_id = node_id,
		.events = events,
		.data = data,
	};
	bool room = mailbox_init(&self->mailbox, cursor_wanted, events->read, data);
	self->wakeup = pw_loop_add_event(self->loop, on_wakeup, self);
	bool timer = negotiation_init(&self->negotiation, self->loop, &self->mailbox, max_fps);
	if (!room || !timer || self->wakeup == NULL) {
		stream_destroy(&self->source);
		return NULL;
	}
	return &self->source;
}
