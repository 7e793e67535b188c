/*
 * A compositor's screen cast for tests: a PipeWire video source that does what it is told, line by
 * line on stdin, including what a correct one never would. It answers on stdout.
 *
 *	fill RRGGBB [X Y W H]	paint on the canvas; nothing is sent, but the area counts as damaged
 *	frame [FAULT…]		send the canvas; answers "sent" or "no-buffer"
 *	lose			as if a frame was sent that PipeWire lost
 *	cursor mutter|kwin	send a buffer that tells of a moved pointer only, over stale pixels
 *	crop X Y W H | crop none
 *	resize W H		renegotiate; a "format WxH" line follows
 *	run FPS COUNT		send COUNT frames of a moving box; answers "ran SENT"
 *	quit
 *
 * Faults of a frame: damage-none, damage-empty, damage-stale (a list whose tail is left over),
 * damage-many (more than a list holds, each wrong but their union right), header-corrupted,
 * chunk-corrupted, size-0, garbage (wrong pixels; goes with the corrupted ones), truncated (chunk
 * size), wild-offset, wild-stride, sequence-gap, old-pts, no-pts.
 *
 * Like a compositor it sends the screen again, as it is, when its stream starts again.
 *
 * Events that it tells by itself: "node ID", "state NAME", "format WxH", "buffers COUNT".
 */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "capture/pw_api.h"

#define REGIONS 16
#define SIDE_MAX 4096

struct producer {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_stream *stream;
	struct spa_hook listener;
	struct spa_source *timer;
	/* How it was started. */
	const char *formats;
	int32_t padding; /* bytes after each row */
	uint32_t offset; /* bytes before the picture */
	uint32_t pool;
	bool bottom_up;
	bool no_damage_meta;
	bool no_cursor_meta;
	bool dmabuf_only;
	bool memptr; /* PipeWire allocates, as MemPtr */
	/* The picture. */
	uint32_t width;
	uint32_t height;
	uint32_t format;
	uint32_t *canvas; /* 0xRRGGBB */
	struct spa_region damage;
	struct spa_region crop;
	uint64_t sequence;
	bool shown; /* this canvas was sent */
	/* Of `run`. */
	uint32_t frames_left;
	uint32_t frames_sent;
	uint32_t box;
	uint32_t buffers;
	char line[256];
	size_t line_length;
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static uint32_t row_size(const struct producer *producer) {
	return producer->width * 4 + (uint32_t)producer->padding;
}

static uint32_t buffer_size(const struct producer *producer) {
	return producer->offset + row_size(producer) * producer->height;
}

static bool is_rgb(const struct producer *producer) {
	return producer->format == SPA_VIDEO_FORMAT_RGBx ||
	       producer->format == SPA_VIDEO_FORMAT_RGBA;
}

static void paint(struct producer *producer, uint32_t colour, const struct spa_region *where) {
	for (uint32_t y = 0; y < where->size.height; y++) {
		for (uint32_t x = 0; x < where->size.width; x++) {
			uint32_t column = (uint32_t)where->position.x + x;
			uint32_t row = (uint32_t)where->position.y + y;
			if (column < producer->width && row < producer->height) {
				producer->canvas[row * producer->width + column] = colour;
			}
		}
	}
	struct spa_region *damage = &producer->damage;
	if (damage->size.width == 0) {
		*damage = *where;
		return;
	}
	int32_t left = SPA_MIN(damage->position.x, where->position.x);
	int32_t top = SPA_MIN(damage->position.y, where->position.y);
	int32_t right = SPA_MAX(damage->position.x + (int32_t)damage->size.width,
		where->position.x + (int32_t)where->size.width);
	int32_t bottom = SPA_MAX(damage->position.y + (int32_t)damage->size.height,
		where->position.y + (int32_t)where->size.height);
	*damage = SPA_REGION(left, top, (uint32_t)(right - left), (uint32_t)(bottom - top));
}

static void copy_canvas(const struct producer *producer, uint8_t *memory) {
	bool rgb = is_rgb(producer);
	for (uint32_t y = 0; y < producer->height; y++) {
		uint32_t row = producer->bottom_up ? producer->height - 1 - y : y;
		uint8_t *out = memory + producer->offset + (size_t)row * row_size(producer);
		const uint32_t *in = producer->canvas + (size_t)y * producer->width;
		for (uint32_t x = 0; x < producer->width; x++) {
			uint8_t red = (uint8_t)(in[x] >> 16);
			uint8_t blue = (uint8_t)in[x];
			out[4 * x] = rgb ? red : blue;
			out[4 * x + 1] = (uint8_t)(in[x] >> 8);
			out[4 * x + 2] = rgb ? blue : red;
			out[4 * x + 3] = (uint8_t)(x * 7);
		}
		memset(out + 4 * (size_t)producer->width, 0xa5, (size_t)producer->padding);
	}
}

static bool has(const char *faults, const char *fault) {
	return strstr(faults, fault) != NULL;
}

static void write_damage(
	const struct producer *producer, struct spa_meta *meta, const char *faults) {
	struct spa_meta_region *regions = spa_meta_first(meta);
	uint32_t room = meta->size / (uint32_t)sizeof(*regions);
	memset(regions, 0, meta->size);
	if (has(faults, "damage-empty")) {
		return;
	}
	const struct spa_region *damage = &producer->damage;
	uint32_t used = 0;
	if (has(faults, "damage-many") && damage->size.width >= room) {
		uint32_t slice = damage->size.width / room;
		for (; used < room; used++) {
			uint32_t width =
				used + 1 < room ? slice : damage->size.width - slice * (room - 1);
			regions[used].region =
				SPA_REGION(damage->position.x + (int32_t)(used * slice),
					damage->position.y, width, damage->size.height);
		}
		return;
	}
	regions[used++].region = *damage;
	if (has(faults, "damage-stale") && room >= 3) {
		/* An empty one ends the list; these are from some earlier frame. */
		regions[used + 1].region = SPA_REGION(0, 0, 8, 8);
	}
}

static void write_metadata(
	struct producer *producer, struct spa_buffer *buffer, const char *faults) {
	struct spa_meta_header *header =
		spa_buffer_find_meta_data(buffer, SPA_META_Header, sizeof(*header));
	if (header != NULL) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		producer->sequence += has(faults, "sequence-gap") ? 2 : 1;
		header->seq = producer->sequence;
		header->pts = has(faults, "no-pts") ? -1 : (int64_t)SPA_TIMESPEC_TO_NSEC(&now);
		header->pts -= has(faults, "old-pts") ? INT64_C(5000000000) : 0;
		header->flags =
			has(faults, "header-corrupted") ? SPA_META_HEADER_FLAG_CORRUPTED : 0;
	}
	struct spa_meta_region *crop =
		spa_buffer_find_meta_data(buffer, SPA_META_VideoCrop, sizeof(*crop));
	if (crop != NULL) {
		crop->region = producer->crop;
	}
	struct spa_meta *damage = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
	if (damage != NULL) {
		write_damage(producer, damage, faults);
	}
}

static void write_chunk(
	const struct producer *producer, struct spa_data *data, const char *faults) {
	struct spa_chunk *chunk = data->chunk;
	uint32_t row = row_size(producer);
	chunk->size = has(faults, "size-0") ? 0 : row * producer->height;
	chunk->offset = producer->offset;
	chunk->stride = (int32_t)row;
	chunk->flags = has(faults, "chunk-corrupted") ? SPA_CHUNK_FLAG_CORRUPTED : 0;
	if (producer->bottom_up) {
		chunk->stride = -chunk->stride;
		chunk->offset += row * (producer->height - 1);
	}
	if (has(faults, "truncated")) {
		chunk->size /= 2;
	}
	if (has(faults, "wild-offset")) {
		chunk->offset = data->maxsize - 16;
	}
	if (has(faults, "wild-stride")) {
		chunk->stride = INT32_MAX;
	}
}

/* Nothing of the canvas's: what a consumer must never show. */
static void write_garbage(const struct producer *producer, uint8_t *memory) {
	memset(memory, 0x5a, buffer_size(producer));
}

static bool send_frame(struct producer *producer, const char *faults) {
	struct pw_buffer *buffer = pw_stream_dequeue_buffer(producer->stream);
	if (buffer == NULL) {
		return false;
	}
	struct spa_data *data = &buffer->buffer->datas[0];
	if (has(faults, "garbage")) {
		write_garbage(producer, data->data);
	} else {
		copy_canvas(producer, data->data);
	}
	write_metadata(producer, buffer->buffer, faults);
	write_chunk(producer, data, faults);
	if (!has(faults, "corrupted") && !has(faults, "size-0")) {
		producer->damage = SPA_REGION(0, 0, 0, 0);
	}
	producer->shown = true;
	pw_stream_queue_buffer(producer->stream, buffer);
	return true;
}

static void send_cursor(struct producer *producer, const char *dialect) {
	bool kwin = strcmp(dialect, "kwin") == 0;
	struct spa_region damage = producer->damage;
	bool sent = send_frame(
		producer, kwin ? "garbage chunk-corrupted" : "garbage chunk-corrupted size-0");
	producer->damage = damage;
	say(sent ? "sent" : "no-buffer");
}

static void move_box(struct producer *producer) {
	struct spa_region box = SPA_REGION((int32_t)producer->box, 16, 32, 32);
	paint(producer, 0x808080, &box);
	producer->box = (producer->box + 8) % (producer->width - 32);
	box.position.x = (int32_t)producer->box;
	paint(producer, 0xffffff, &box);
}

static void set_timer(struct producer *producer, uint32_t fps) {
	uint64_t interval = fps > 0 ? SPA_NSEC_PER_SEC / fps : 0;
	struct timespec value = {
		(time_t)(interval / SPA_NSEC_PER_SEC), (long)(interval % SPA_NSEC_PER_SEC)};
	pw_loop_update_timer(producer->loop, producer->timer, &value, &value, false);
}

static void on_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct producer *producer = data;
	move_box(producer);
	producer->frames_sent += send_frame(producer, "");
	if (--producer->frames_left == 0) {
		set_timer(producer, 0);
		say("ran %u", producer->frames_sent);
	}
}

static uint32_t format_by_name(const char *name) {
	return spa_debug_type_find_type_short(spa_type_video_format, name);
}

static uint32_t build_offers(const struct producer *producer, struct spa_pod_builder *builder,
	const struct spa_pod **offers) {
	uint32_t count = 0;
	char names[128];
	snprintf(names, sizeof(names), "%s", producer->formats);
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
			SPA_POD_Rectangle(&SPA_RECTANGLE(producer->width, producer->height)),
			SPA_FORMAT_VIDEO_framerate, SPA_POD_Fraction(&SPA_FRACTION(0, 1)),
			SPA_FORMAT_VIDEO_maxFramerate,
			SPA_POD_CHOICE_RANGE_Fraction(
				&SPA_FRACTION(60, 1), &SPA_FRACTION(1, 1), &SPA_FRACTION(240, 1)),
			0);
		offers[count++] = spa_pod_builder_pop(builder, &frame);
	}
	return count;
}

static bool resize_canvas(struct producer *producer, uint32_t width, uint32_t height) {
	if (width < 1 || width > SIDE_MAX || height < 1 || height > SIDE_MAX) {
		return false;
	}
	free(producer->canvas);
	producer->canvas = calloc((size_t)width * height, sizeof(*producer->canvas));
	producer->width = width;
	producer->height = height;
	producer->crop = SPA_REGION(0, 0, 0, 0);
	producer->damage = SPA_REGION(0, 0, 0, 0);
	producer->shown = false;
	return producer->canvas != NULL;
}

static void resize(struct producer *producer, uint32_t width, uint32_t height) {
	if (!resize_canvas(producer, width, height)) {
		say("error size");
		return;
	}
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offers[8];
	pw_stream_update_params(producer->stream, offers, build_offers(producer, &builder, offers));
}

static void run_command(struct producer *producer, char *line) {
	uint32_t a = 0;
	uint32_t b = 0;
	uint32_t colour = 0;
	int x = 0;
	int y = 0;
	char word[16];
	if (sscanf(line, "fill %x %d %d %u %u", &colour, &x, &y, &a, &b) == 5) {
		paint(producer, colour, &SPA_REGION(x, y, a, b));
	} else if (sscanf(line, "fill %x", &colour) == 1) {
		paint(producer, colour, &SPA_REGION(0, 0, producer->width, producer->height));
	} else if (strncmp(line, "frame", 5) == 0) {
		say(send_frame(producer, line + 5) ? "sent" : "no-buffer");
	} else if (strcmp(line, "lose") == 0) {
		producer->shown = true;
	} else if (sscanf(line, "cursor %15s", word) == 1) {
		send_cursor(producer, word);
	} else if (sscanf(line, "crop %d %d %u %u", &x, &y, &a, &b) == 4) {
		producer->crop = SPA_REGION(x, y, a, b);
	} else if (strcmp(line, "crop none") == 0) {
		producer->crop = SPA_REGION(0, 0, 0, 0);
	} else if (sscanf(line, "resize %u %u", &a, &b) == 2) {
		resize(producer, a, b);
	} else if (sscanf(line, "run %u %u", &a, &b) == 2) {
		producer->frames_left = b;
		producer->frames_sent = 0;
		set_timer(producer, a);
	} else if (strcmp(line, "quit") == 0) {
		pw_main_loop_quit(producer->main_loop);
	} else {
		say("error unknown command: %s", line);
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
	char *end;
	while ((end = strchr(producer->line, '\n')) != NULL) {
		*end = '\0';
		run_command(producer, producer->line);
		producer->line_length -= (size_t)(end + 1 - producer->line);
		memmove(producer->line, end + 1, producer->line_length + 1);
	}
}

static void on_state_changed(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	(void)old;
	struct producer *producer = data;
	if (state == PW_STREAM_STATE_PAUSED && old != PW_STREAM_STATE_STREAMING) {
		say("node %u", pw_stream_get_node_id(producer->stream));
	}
	if (state == PW_STREAM_STATE_STREAMING && producer->shown) {
		producer->damage = SPA_REGION(0, 0, producer->width, producer->height);
		send_frame(producer, "");
	}
	say("state %s%s%s", pw_stream_state_as_string(state), error != NULL ? " " : "",
		error != NULL ? error : "");
}

static void on_param_changed(void *data, uint32_t id, const struct spa_pod *param) {
	struct producer *producer = data;
	struct spa_video_info_raw info = {0};
	if (id != SPA_PARAM_Format || param == NULL ||
		spa_format_video_raw_parse(param, &info) < 0) {
		return;
	}
	producer->format = info.format;
	producer->buffers = 0;
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
		SPA_POD_Int((int)buffer_size(producer)), SPA_PARAM_BUFFERS_stride,
		SPA_POD_Int((int)row_size(producer)), SPA_PARAM_BUFFERS_dataType,
		SPA_POD_CHOICE_FLAGS_Int(
			1 << (producer->memptr ? SPA_DATA_MemPtr : SPA_DATA_MemFd)));
	const struct {
		uint32_t type;
		size_t size;
		bool wanted;
	} metas[] = {
		{SPA_META_Header, sizeof(struct spa_meta_header), true},
		{SPA_META_VideoCrop, sizeof(struct spa_meta_region), true},
		{SPA_META_VideoDamage, sizeof(struct spa_meta_region) * REGIONS,
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
	say("format %ux%u", info.size.width, info.size.height);
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct spa_data *memory = &buffer->buffer->datas[0];
	uint32_t size = buffer_size(producer);
	if (producer->memptr) {
		say(memory->type == SPA_DATA_MemPtr ? "memptr" : "memfd");
		return;
	}
	int fd = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, size) != 0) {
		say("error memfd");
		return;
	}
	memory->type = SPA_DATA_MemFd;
	memory->flags = SPA_DATA_FLAG_READWRITE;
	memory->fd = fd;
	memory->mapoffset = 0;
	memory->maxsize = size;
	memory->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say("buffers %u", ++producer->buffers);
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct spa_data *memory = &buffer->buffer->datas[0];
	if (producer->memptr) {
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
};

static bool parse_arguments(struct producer *producer, int argc, char **argv) {
	static const struct option options[] = {
		{"size", required_argument, NULL, 's'},
		{"formats", required_argument, NULL, 'f'},
		{"padding", required_argument, NULL, 'p'},
		{"offset", required_argument, NULL, 'o'},
		{"pool", required_argument, NULL, 'n'},
		{"bottom-up", no_argument, NULL, 'b'},
		{"no-damage-meta", no_argument, NULL, 'd'},
		{"no-cursor-meta", no_argument, NULL, 'c'},
		{"dmabuf-only", no_argument, NULL, 'm'},
		{"memptr", no_argument, NULL, 't'},
		{0},
	};
	uint32_t width = 64;
	uint32_t height = 64;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			if (sscanf(optarg, "%ux%u", &width, &height) != 2) {
				return false;
			}
			break;
		case 'f':
			producer->formats = optarg;
			break;
		case 'p':
			producer->padding = (int32_t)strtol(optarg, NULL, 10);
			break;
		case 'o':
			producer->offset = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			producer->pool = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'b':
			producer->bottom_up = true;
			break;
		case 'd':
			producer->no_damage_meta = true;
			break;
		case 'c':
			producer->no_cursor_meta = true;
			break;
		case 'm':
			producer->dmabuf_only = true;
			break;
		case 't':
			producer->memptr = true;
			break;
		default:
			return false;
		}
	}
	return resize_canvas(producer, width, height);
}

static bool connect_stream(struct producer *producer) {
	producer->stream = pw_stream_new_simple(producer->loop, "fake-screen",
		pw_properties_new(PW_KEY_NODE_NAME, "fake-screen", NULL), &stream_events, producer);
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offers[8];
	uint32_t count = build_offers(producer, &builder, offers);
	enum pw_stream_flags flags = PW_STREAM_FLAG_DRIVER;
	flags |= producer->memptr ? PW_STREAM_FLAG_MAP_BUFFERS : PW_STREAM_FLAG_ALLOC_BUFFERS;
	return producer->stream != NULL && pw_stream_connect(producer->stream, PW_DIRECTION_OUTPUT,
						   PW_ID_ANY, flags, offers, count) == 0;
}

int main(int argc, char **argv) {
	/* A test that dies must not leave it behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct producer producer = {.formats = "BGRx"};
	pw_init(&argc, &argv);
	if (!parse_arguments(&producer, argc, argv)) {
		fputs("fake-producer: bad arguments; see tests/fake/producer.c\n", stderr);
		return 2;
	}
	int status = 1;
	producer.main_loop = pw_main_loop_new(NULL);
	producer.loop = pw_main_loop_get_loop(producer.main_loop);
	producer.timer = pw_loop_add_timer(producer.loop, on_timer, &producer);
	pw_loop_add_io(
		producer.loop, STDIN_FILENO, SPA_IO_IN | SPA_IO_HUP, false, on_stdin, &producer);
	if (connect_stream(&producer)) {
		pw_main_loop_run(producer.main_loop);
		status = 0;
	}
	if (producer.stream != NULL) {
		pw_stream_destroy(producer.stream);
	}
	pw_main_loop_destroy(producer.main_loop);
	free(producer.canvas);
	pw_deinit();
	return status;
}
