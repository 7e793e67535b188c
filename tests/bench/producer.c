/*
 * The benchmark's compositor: shows a workload at a fixed rate, through PipeWire or in shared
 * memory. It draws only what changes and writes only that into a buffer that it has used before,
 * as a compositor does.
 *
 *	bench-producer pipewire|memory WORKLOAD WIDTH HEIGHT
 *
 * In: "run FPS STEPS WARMUP". Out: "node ID" (PipeWire), "shown STEP NANOSECONDS" for each picture
 * that was handed over (its time stamp there), "missed STEP" where no buffer was free and the
 * picture waits, "warm" after the first WARMUP steps, "ran" after all of them. Between the two
 * there is no pause: an engine would use it to improve the picture, and one that only sees steps
 * could not.
 *
 * `memory` writes to descriptor 4 and tells of every step on descriptor 5, changed or not; see
 * engine_vpx.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "areas.h"
#include "source/pw_api.h"
#include "workload.h"

#define REGIONS 16
#define PICTURE_FD 4
#define TICKS_FD 5

/* One buffer, and what it lacks. */
struct slot {
	uint8_t *memory;
	size_t size;
	struct areas stale;
	struct slot *next;
};

struct producer {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_stream *stream; /* NULL: shared memory */
	struct spa_hook listener;
	struct spa_source *timer;
	struct workload *workload;
	uint32_t width;
	uint32_t height;
	struct slot *slots;
	struct areas unsent;
	bool waiting; /* a picture that was not handed over */
	uint32_t step;
	uint32_t steps_left;
	uint32_t warmup;
	uint64_t sequence;
	struct slot shared;
	bool shared_busy;
	char line[64];
	size_t line_length;
};

static int64_t now_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)SPA_TIMESPEC_TO_NSEC(&now);
}

static void say(const char *what, uint32_t number, int64_t time) {
	if (time != 0) {
		printf("%s %u %lld\n", what, number, (long long)time);
	} else {
		printf("%s %u\n", what, number);
	}
	fflush(stdout);
}

static void update_slot(const struct producer *producer, struct slot *slot) {
	const struct area all = {0, 0, (int32_t)producer->width, (int32_t)producer->height};
	size_t count = slot->stale.all ? 1 : slot->stale.count;
	const struct area *areas = slot->stale.all ? &all : slot->stale.list;
	const uint32_t *pixels = workload_pixels(producer->workload);
	uint32_t *out = (uint32_t *)(void *)slot->memory;
	for (size_t i = 0; i < count; i++) {
		for (int32_t row = 0; row < areas[i].height; row++) {
			size_t at =
				(size_t)(areas[i].y + row) * producer->width + (size_t)areas[i].x;
			memcpy(out + at, pixels + at, (size_t)areas[i].width * 4);
		}
	}
	slot->stale = (struct areas){0};
}

static void write_damage(const struct producer *producer, const struct spa_meta *meta) {
	struct spa_meta_region *regions = spa_meta_first(meta);
	size_t room = meta->size / sizeof(*regions);
	memset(regions, 0, meta->size);
	const struct areas *unsent = &producer->unsent;
	if (unsent->all || unsent->count > room) {
		regions[0].region = SPA_REGION(0, 0, producer->width, producer->height);
		return;
	}
	for (size_t i = 0; i < unsent->count; i++) {
		const struct area *area = &unsent->list[i];
		regions[i].region =
			SPA_REGION(area->x, area->y, (uint32_t)area->width, (uint32_t)area->height);
	}
}

static bool send_to_pipewire(struct producer *producer) {
	struct pw_buffer *buffer = pw_stream_dequeue_buffer(producer->stream);
	if (buffer == NULL) {
		return false;
	}
	struct spa_buffer *memory = buffer->buffer;
	update_slot(producer, buffer->user_data);
	const struct spa_meta *damage = spa_buffer_find_meta(memory, SPA_META_VideoDamage);
	if (damage != NULL) {
		write_damage(producer, damage);
	}
	*memory->datas[0].chunk = (struct spa_chunk){
		.size = producer->width * producer->height * 4,
		.stride = (int32_t)producer->width * 4,
	};
	int64_t time = now_ns();
	struct spa_meta_header *header =
		spa_buffer_find_meta_data(memory, SPA_META_Header, sizeof(*header));
	if (header != NULL) {
		*header = (struct spa_meta_header){.pts = time, .seq = ++producer->sequence};
	}
	pw_stream_queue_buffer(producer->stream, buffer);
	say("shown", producer->step, time);
	return true;
}

static bool send_to_memory(struct producer *producer) {
	char done;
	if (producer->shared_busy && read(TICKS_FD, &done, 1) != 1) {
		return false;
	}
	update_slot(producer, &producer->shared);
	int64_t time = now_ns();
	producer->shared_busy = write(TICKS_FD, &time, sizeof(time)) == sizeof(time);
	say("shown", producer->step, time);
	return true;
}

static void send_picture(struct producer *producer) {
	bool sent =
		producer->stream != NULL ? send_to_pipewire(producer) : send_to_memory(producer);
	producer->waiting = !sent;
	if (sent) {
		producer->unsent = (struct areas){0};
	} else {
		say("missed", producer->step, 0);
	}
}

static void set_timer(struct producer *producer, uint32_t fps) {
	uint64_t interval = fps > 0 ? SPA_NSEC_PER_SEC / fps : 0;
	struct timespec value = {
		(time_t)(interval / SPA_NSEC_PER_SEC), (long)(interval % SPA_NSEC_PER_SEC)};
	pw_loop_update_timer(producer->loop, producer->timer, &value, &value, false);
}

static void on_timer(void *data, uint64_t expirations) {
	struct producer *producer = data;
	size_t changed = 0;
	for (; expirations > 0 && producer->steps_left > 0; expirations--) {
		struct area areas[WORKLOAD_AREAS_MAX];
		size_t count = workload_step(producer->workload, areas);
		areas_add(&producer->unsent, areas, count);
		areas_add(&producer->shared.stale, areas, count);
		for (struct slot *slot = producer->slots; slot != NULL; slot = slot->next) {
			areas_add(&slot->stale, areas, count);
		}
		changed += count;
		producer->step++;
		producer->steps_left--;
	}
	if (changed > 0 || producer->waiting || producer->stream == NULL) {
		send_picture(producer);
	}
	if (producer->warmup > 0 && producer->step >= producer->warmup) {
		producer->warmup = 0;
		say("warm", producer->step, 0);
	}
	if (producer->steps_left == 0) {
		set_timer(producer, 0);
		say("ran", producer->step, 0);
	}
}

static void on_stdin(void *data, int fd, uint32_t mask) {
	(void)mask;
	struct producer *producer = data;
	size_t room = sizeof(producer->line) - 1 - producer->line_length;
	ssize_t got = read(fd, producer->line + producer->line_length, room);
	if (got <= 0) {
		pw_main_loop_quit(producer->main_loop);
		return;
	}
	producer->line_length += (size_t)got;
	producer->line[producer->line_length] = '\0';
	uint32_t fps = 0;
	if (strchr(producer->line, '\n') != NULL) {
		producer->line_length = 0;
		if (sscanf(producer->line, "run %u %u %u", &fps, &producer->steps_left,
			    &producer->warmup) == 3) {
			set_timer(producer, fps);
		}
	}
}

static void on_state_changed(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	struct producer *producer = data;
	if (state == PW_STREAM_STATE_PAUSED && old != PW_STREAM_STATE_STREAMING) {
		say("node", pw_stream_get_node_id(producer->stream), 0);
	} else if (state == PW_STREAM_STATE_STREAMING) {
		/* Whoever looks anew sees all of the screen at once. */
		producer->unsent.all = true;
		send_picture(producer);
	} else if (state == PW_STREAM_STATE_ERROR) {
		fprintf(stderr, "bench-producer: %s\n", error);
		pw_main_loop_quit(producer->main_loop);
	}
}

static void on_param_changed(void *data, uint32_t id, const struct spa_pod *param) {
	struct producer *producer = data;
	if (id != SPA_PARAM_Format || param == NULL) {
		return;
	}
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	int stride = (int)producer->width * 4;
	const struct spa_pod *params[] = {
		spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamBuffers,
			SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
			SPA_POD_CHOICE_RANGE_Int(8, 2, 8), SPA_PARAM_BUFFERS_blocks, SPA_POD_Int(1),
			SPA_PARAM_BUFFERS_size, SPA_POD_Int(stride * (int)producer->height),
			SPA_PARAM_BUFFERS_stride, SPA_POD_Int(stride), SPA_PARAM_BUFFERS_dataType,
			SPA_POD_CHOICE_FLAGS_Int(1 << SPA_DATA_MemFd)),
		spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
			SPA_PARAM_META_type, SPA_POD_Id(SPA_META_Header), SPA_PARAM_META_size,
			SPA_POD_Int(sizeof(struct spa_meta_header))),
		spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
			SPA_PARAM_META_type, SPA_POD_Id(SPA_META_VideoDamage), SPA_PARAM_META_size,
			SPA_POD_Int(sizeof(struct spa_meta_region) * REGIONS)),
	};
	pw_stream_update_params(producer->stream, params, SPA_N_ELEMENTS(params));
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct spa_data *memory = &buffer->buffer->datas[0];
	struct slot *slot = calloc(1, sizeof(*slot));
	size_t size = (size_t)producer->width * producer->height * 4;
	int fd = memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (slot == NULL || fd < 0 || ftruncate(fd, (off_t)size) != 0) {
		fputs("bench-producer: no memory for a buffer\n", stderr);
		exit(1);
	}
	slot->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	slot->size = size;
	slot->stale.all = true;
	slot->next = producer->slots;
	producer->slots = slot;
	buffer->user_data = slot;
	memory->type = SPA_DATA_MemFd;
	memory->flags = SPA_DATA_FLAG_READWRITE;
	memory->fd = fd;
	memory->mapoffset = 0;
	memory->maxsize = (uint32_t)size;
	memory->data = slot->memory;
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct slot *slot = buffer->user_data;
	for (struct slot **at = &producer->slots; *at != NULL; at = &(*at)->next) {
		if (*at == slot) {
			*at = slot->next;
			break;
		}
	}
	munmap(slot->memory, slot->size);
	close((int)buffer->buffer->datas[0].fd);
	free(slot);
}

static const struct pw_stream_events stream_events = {
	PW_VERSION_STREAM_EVENTS,
	.state_changed = on_state_changed,
	.param_changed = on_param_changed,
	.add_buffer = on_add_buffer,
	.remove_buffer = on_remove_buffer,
};

static bool connect_stream(struct producer *producer) {
	producer->stream = pw_stream_new_simple(producer->loop, "bench-screen",
		pw_properties_new(PW_KEY_NODE_NAME, "bench-screen", NULL), &stream_events,
		producer);
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offer = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_Format,
		SPA_PARAM_EnumFormat, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video),
		SPA_FORMAT_mediaSubtype, SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_Id(SPA_VIDEO_FORMAT_BGRx), SPA_FORMAT_VIDEO_size,
		SPA_POD_Rectangle(&SPA_RECTANGLE(producer->width, producer->height)),
		SPA_FORMAT_VIDEO_framerate, SPA_POD_Fraction(&SPA_FRACTION(0, 1)),
		SPA_FORMAT_VIDEO_maxFramerate,
		SPA_POD_CHOICE_RANGE_Fraction(
			&SPA_FRACTION(60, 1), &SPA_FRACTION(1, 1), &SPA_FRACTION(240, 1)));
	return producer->stream != NULL &&
	       pw_stream_connect(producer->stream, PW_DIRECTION_OUTPUT, PW_ID_ANY,
		       PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_ALLOC_BUFFERS, &offer, 1) == 0;
}

static bool connect_memory(struct producer *producer) {
	size_t size = (size_t)producer->width * producer->height * 4;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, PICTURE_FD, 0);
	if (memory == MAP_FAILED || fcntl(TICKS_FD, F_SETFL, O_NONBLOCK) != 0) {
		return false;
	}
	producer->shared = (struct slot){.memory = memory, .size = size, .stale.all = true};
	send_picture(producer);
	return true;
}

int main(int argc, char **argv) {
	/* Must not outlive what started it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (argc != 5) {
		fputs("bench-producer: started by bench-cell only\n", stderr);
		return 2;
	}
	struct producer producer = {
		.width = (uint32_t)strtoul(argv[3], NULL, 10),
		.height = (uint32_t)strtoul(argv[4], NULL, 10),
	};
	producer.workload = workload_create(argv[2], producer.width, producer.height);
	if (producer.workload == NULL) {
		fprintf(stderr, "bench-producer: no workload %s\n", argv[2]);
		return 2;
	}
	pw_init(&argc, &argv);
	producer.main_loop = pw_main_loop_new(NULL);
	producer.loop = pw_main_loop_get_loop(producer.main_loop);
	producer.timer = pw_loop_add_timer(producer.loop, on_timer, &producer);
	pw_loop_add_io(
		producer.loop, STDIN_FILENO, SPA_IO_IN | SPA_IO_HUP, false, on_stdin, &producer);
	bool memory = strcmp(argv[1], "memory") == 0;
	bool connected = memory ? connect_memory(&producer) : connect_stream(&producer);
	if (connected) {
		pw_main_loop_run(producer.main_loop);
	}
	if (producer.stream != NULL) {
		pw_stream_destroy(producer.stream);
	}
	pw_main_loop_destroy(producer.main_loop);
	pw_deinit();
	workload_destroy(producer.workload);
	return connected ? 0 : 1;
}
