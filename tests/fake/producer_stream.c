#include "producer.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DUE_NS 16000000L    /* until the next picture, at 60 Hz */
#define AT_ONCE_NS 3000000L /* what sway takes for the first one */

static uint64_t now_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return SPA_TIMESPEC_TO_NSEC(&now);
}

/* From 1.2 on a cycle that begins before the last one ended loses its picture. One that a consumer
 * on its way in or out never ends is over after this time. */
#define CYCLE_MAX_NS 100000000

static bool in_cycle(const struct producer *producer) {
	return producer->cycle_began > 0 && now_ns() - producer->cycle_began < CYCLE_MAX_NS;
}

static void begin_cycle(struct producer *producer) {
	producer->cycle_began = pw_stream_trigger_process(producer->stream) >= 0 ? now_ns() : 0;
}

/* A cycle takes one picture: where one got lost, the next one's takes that. */
static void on_trigger_done(void *data) {
	struct producer *producer = data;
	producer->cycle_began = 0;
	producer->queued -= producer->queued > 0;
	if (producer->queued > 0) {
		begin_cycle(producer);
	}
}

bool producer_send(struct producer *producer, const char *faults) {
	bool ready = !producer->resizing && !in_cycle(producer);
	struct pw_buffer *buffer = ready ? pw_stream_dequeue_buffer(producer->stream) : NULL;
	if (buffer == NULL) {
		return false;
	}
	bool has_memory = buffer->user_data != NULL;
	if (has_memory) {
		screen_write(&producer->screen, buffer->buffer, faults);
	}
	pw_stream_queue_buffer(producer->stream, buffer);
	producer->queued++;
	begin_cycle(producer);
	return has_memory;
}

static uint32_t format_by_name(const char *name) {
	return spa_debug_type_find_type_short(spa_type_video_format, name);
}

static uint32_t build_offers(const struct producer *producer, struct spa_pod_builder *builder,
	const struct spa_pod **offers) {
	uint32_t count = 0;
	char names[sizeof(producer->formats)];
	memcpy(names, producer->formats, sizeof(names));
	char *rest = names;
	for (char *name; (name = strsep(&rest, ",")) != NULL && count < 8;) {
		struct spa_pod_frame frame;
		spa_pod_builder_push_object(
			builder, &frame, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
		spa_pod_builder_add(builder, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video),
			SPA_FORMAT_mediaSubtype, SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw),
			SPA_FORMAT_VIDEO_format, SPA_POD_Id(format_by_name(name)), 0);
		if (producer->dmabuf_only) {
			spa_pod_builder_prop(
				builder, SPA_FORMAT_VIDEO_modifier, SPA_POD_PROP_FLAG_MANDATORY);
			spa_pod_builder_long(builder, 0);
		}
		spa_pod_builder_add(builder, SPA_FORMAT_VIDEO_size,
			SPA_POD_Rectangle(
				&SPA_RECTANGLE(producer->screen.width, producer->screen.height)),
			SPA_FORMAT_VIDEO_framerate, SPA_POD_Fraction(&SPA_FRACTION(0, 1)),
			SPA_FORMAT_VIDEO_maxFramerate,
			SPA_POD_CHOICE_RANGE_Fraction(
				&SPA_FRACTION(60, 1), &SPA_FRACTION(1, 1), &SPA_FRACTION(240, 1)),
			0);
		offers[count++] = spa_pod_builder_pop(builder, &frame);
	}
	return count;
}

void producer_offer(struct producer *producer) {
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offers[8];
	pw_stream_update_params(producer->stream, offers, build_offers(producer, &builder, offers));
}

void producer_resize(struct producer *producer, uint32_t width, uint32_t height) {
	if (!screen_resize(&producer->screen, width, height)) {
		producer_tell("error size");
		return;
	}
	producer->resizing = true;
	producer_offer(producer);
}

void producer_refresh(struct producer *producer) {
	if (!producer->screen.shown) {
		return;
	}
	producer->screen.damage = SPA_REGION(0, 0, producer->screen.width, producer->screen.height);
	if (producer_send(producer, "")) {
		producer_tell("refreshed %" PRId64, producer->screen.pts_us);
	}
}

static void on_state_changed(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	struct producer *producer = data;
	if (state == PW_STREAM_STATE_PAUSED && old != PW_STREAM_STATE_STREAMING) {
		producer_tell("node %u", pw_stream_get_node_id(producer->stream));
	}
	long due = producer->at_once ? AT_ONCE_NS : producer->no_refresh ? 0 : DUE_NS;
	struct timespec value = {0, state == PW_STREAM_STATE_STREAMING ? due : 0};
	pw_loop_update_timer(producer->loop, producer->refresh, &value, NULL, false);
	producer_tell("state %s%s%s", pw_stream_state_as_string(state), error != NULL ? " " : "",
		error != NULL ? error : "");
}

static void on_param_changed(void *data, uint32_t id, const struct spa_pod *param) {
	struct producer *producer = data;
	struct spa_video_info_raw info = {0};
	if (id != SPA_PARAM_Format || param == NULL ||
		spa_format_video_raw_parse(param, &info) < 0) {
		return;
	}
	producer->screen.format = info.format;
	producer->resizing =
		producer->resizing && (info.size.width != producer->screen.width ||
					      info.size.height != producer->screen.height);
	producer->limit = info.max_framerate;
	producer->negotiated++;
	producer->buffers = 0;
	producer->bare = producer->bare_formats > 0;
	producer->bare_formats -= producer->bare;
	uint8_t memory[2048];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *params[8];
	uint32_t count = 0;
	int pool = (int)producer->pool;
	params[count++] = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamBuffers,
		SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
		SPA_POD_CHOICE_RANGE_Int(
			pool > 0 ? pool : 8, pool > 0 ? pool : 2, pool > 0 ? pool : 8),
		SPA_PARAM_BUFFERS_blocks, SPA_POD_Int(1), SPA_PARAM_BUFFERS_size,
		SPA_POD_Int((int)screen_buffer_size(&producer->screen)), SPA_PARAM_BUFFERS_stride,
		SPA_POD_Int((int)screen_row_size(&producer->screen)), SPA_PARAM_BUFFERS_dataType,
		SPA_POD_CHOICE_FLAGS_Int(1 << SPA_DATA_MemFd));
	const struct {
		uint32_t type;
		size_t size;
		bool wanted;
	} metas[] = {
		{SPA_META_Header, sizeof(struct spa_meta_header), true},
		{SPA_META_VideoCrop, sizeof(struct spa_meta_region), true},
		{SPA_META_VideoTransform, sizeof(struct spa_meta_videotransform), true},
		{SPA_META_VideoDamage, sizeof(struct spa_meta_region) * SCREEN_REGIONS,
			!producer->no_damage_meta},
		{SPA_META_Cursor,
			sizeof(struct spa_meta_cursor) + sizeof(struct spa_meta_bitmap) +
				64 * 64 * 4,
			!producer->no_cursor_meta},
	};
	for (size_t i = 0; i < SPA_N_ELEMENTS(metas); i++) {
		if (metas[i].wanted) {
			params[count++] = spa_pod_builder_add_object(&builder,
				SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type,
				SPA_POD_Id(metas[i].type), SPA_PARAM_META_size,
				SPA_POD_Int((int)metas[i].size));
		}
	}
	pw_stream_update_params(producer->stream, params, count);
	producer_tell("format %ux%u", info.size.width, info.size.height);
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct spa_data *memory = &buffer->buffer->datas[0];
	uint32_t size = screen_buffer_size(&producer->screen);
	/* What marks those with memory. */
	buffer->user_data = producer->bare ? NULL : producer;
	if (producer->bare) {
		producer_tell("bare");
		return;
	}
	int fd = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, size) != 0) {
		producer_tell("error memfd");
		return;
	}
	memory->type = SPA_DATA_MemFd;
	memory->flags = producer->no_flags ? 0 : SPA_DATA_FLAG_READWRITE;
	memory->fd = fd;
	memory->mapoffset = 0;
	memory->maxsize = size;
	memory->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	producer_tell("buffers %u", ++producer->buffers);
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	producer->queued = 0;
	struct spa_data *memory = &buffer->buffer->datas[0];
	if (buffer->user_data == NULL) {
		return;
	}
	munmap(memory->data, memory->maxsize);
	close((int)memory->fd);
}

static const struct pw_stream_events stream_events = {
	PW_VERSION_STREAM_EVENTS,
	.state_changed = on_state_changed,
	.param_changed = on_param_changed,
	.add_buffer = on_add_buffer,
	.remove_buffer = on_remove_buffer,
	.trigger_done = on_trigger_done,
};

bool producer_connect(struct producer *producer) {
	producer->stream = pw_stream_new_simple(producer->loop, producer->name,
		pw_properties_new(PW_KEY_NODE_NAME, "fake-screen", NULL), &stream_events, producer);
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offers[8];
	uint32_t count = build_offers(producer, &builder, offers);
	enum pw_stream_flags flags = PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_ALLOC_BUFFERS;
	return producer->stream != NULL && pw_stream_connect(producer->stream, PW_DIRECTION_OUTPUT,
						   PW_ID_ANY, flags, offers, count) == 0;
}
