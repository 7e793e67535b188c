/*
 * A compositor's screen cast for tests: a PipeWire video source that does what it is told, line by
 * line on stdin, including what a correct one never would. It answers on stdout.
 *
 *	fill RRGGBB [X Y W H]	paint on the canvas; nothing is sent, but the area counts as damaged
 *	film N			paint a grainy picture, another one for each N
 *	frame [FAULT…]		send the canvas; answers "sent" or "no-buffer"
 *	lose			as if a frame was sent that PipeWire lost
 *	cursor mutter|kwin	send a buffer that tells of a moved pointer only, over stale pixels
 *	crop X Y W H | crop none
 *	transform N		SPA's, of the frames from here on
 *	pointer X Y		a white square beside the picture, from the next buffer on
 *	resize W H		renegotiate; a "format WxH" line follows
 *	formats NAME,…		the same, with other formats and the size as it is
 *	bare N			no memory for the buffers of the next N formats: a "bare" line each;
 *				answers "left N", those of the last time that did not come
 *	run FPS COUNT		send COUNT frames of a moving box; answers "ran SENT"
 *	marker HZ		paint and send the desktop's marker so often a second, until the end
 *	limit			answers "limit N/D", the frames a second that were agreed on
 *	quit
 *
 * Faults of a frame: damage-none, damage-empty, damage-stale (a list whose tail is left over),
 * damage-lie (a list that names the upper left corner alone), damage-many (more than a list holds,
 *each wrong but their union right), header-corrupted, chunk-corrupted, size-0, garbage (wrong
 *pixels; goes with the corrupted ones), truncated (chunk size), wild-offset, wild-stride,
 *sequence-gap (the one before, whose damage is told no more, got lost), old-pts, no-pts.
 *
 * With --heed-limit, `run` sends no frame that comes sooner after the last than was agreed.
 *
 * Like a compositor it sends the screen again some time after its stream starts again; not with
 * --no-refresh.
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

#include "marker.h"
#include "screen.h"

#define DUE_NS 16000000L /* until the next picture, at 60 Hz */

struct producer {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_stream *stream;
	struct spa_hook listener;
	struct spa_source *timer;
	struct spa_source *refresh;
	struct spa_source *marker_timer;
	struct screen screen;
	/* How it was started. */
	char formats[64];
	uint32_t pool;
	bool no_damage_meta;
	bool no_cursor_meta;
	bool dmabuf_only;
	bool memptr; /* PipeWire allocates, as MemPtr */
	bool heed_limit;
	bool no_refresh;
	bool resizing;             /* the buffers are still of the old size */
	struct spa_fraction limit; /* the negotiated maxFramerate */
	/* Of `run`. */
	uint32_t frames_left;
	uint32_t frames_sent;
	uint64_t sent_at; /* in nanoseconds */
	uint32_t box;
	uint32_t marker_counter;
	uint32_t buffers;
	uint32_t bare_formats; /* whose buffers get no memory */
	bool bare;             /* this one's */
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

static bool send_frame(struct producer *producer, const char *faults) {
	struct pw_buffer *buffer =
		producer->resizing ? NULL : pw_stream_dequeue_buffer(producer->stream);
	if (buffer == NULL) {
		return false;
	}
	bool has_memory = buffer->user_data != NULL;
	if (has_memory) {
		screen_write(&producer->screen, buffer->buffer, faults);
	}
	pw_stream_queue_buffer(producer->stream, buffer);
	return has_memory;
}

static void send_cursor(struct producer *producer, const char *dialect) {
	bool kwin = strcmp(dialect, "kwin") == 0;
	struct spa_region damage = producer->screen.damage;
	bool sent = send_frame(
		producer, kwin ? "garbage chunk-corrupted" : "garbage chunk-corrupted size-0");
	producer->screen.damage = damage;
	say(sent ? "sent" : "no-buffer");
}

static void move_box(struct producer *producer) {
	struct spa_region box = SPA_REGION((int32_t)producer->box, 16, 32, 32);
	screen_paint(&producer->screen, 0x808080, &box);
	producer->box = (producer->box + 8) % (producer->screen.width - 32);
	box.position.x = (int32_t)producer->box;
	screen_paint(&producer->screen, 0xffffff, &box);
}

static void set_timer(struct producer *producer, uint32_t fps) {
	uint64_t interval = fps > 0 ? SPA_NSEC_PER_SEC / fps : 0;
	struct timespec value = {
		(time_t)(interval / SPA_NSEC_PER_SEC), (long)(interval % SPA_NSEC_PER_SEC)};
	pw_loop_update_timer(producer->loop, producer->timer, &value, &value, false);
}

static uint64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return SPA_TIMESPEC_TO_NSEC(&now) / SPA_NSEC_PER_MSEC;
}

static void on_marker_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct producer *producer = data;
	marker_paint(&producer->screen, now_ms(), producer->marker_counter++);
	send_frame(producer, "");
}

/* Counts on from the time, so that what a later producer draws comes after this one's. */
static void start_marker(struct producer *producer, uint32_t hz) {
	producer->marker_counter = (uint32_t)(now_ms() * hz / 1000);
	struct timespec value = {0, SPA_NSEC_PER_SEC / hz};
	pw_loop_update_timer(producer->loop, producer->marker_timer, &value, &value, false);
}

static bool is_too_soon(const struct producer *producer, uint64_t now) {
	const struct spa_fraction *limit = &producer->limit;
	return producer->heed_limit && limit->num > 0 &&
	       now - producer->sent_at < SPA_NSEC_PER_SEC * limit->denom / limit->num;
}

static void on_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct producer *producer = data;
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	uint64_t now = SPA_TIMESPEC_TO_NSEC(&time);
	move_box(producer);
	if (!is_too_soon(producer, now) && send_frame(producer, "")) {
		producer->frames_sent++;
		producer->sent_at = now;
	}
	if (--producer->frames_left == 0) {
		set_timer(producer, 0);
		say("ran %u", producer->frames_sent);
	}
}

static void on_refresh(void *data, uint64_t expirations) {
	(void)expirations;
	struct producer *producer = data;
	if (producer->screen.shown) {
		producer->screen.damage =
			SPA_REGION(0, 0, producer->screen.width, producer->screen.height);
		send_frame(producer, "");
	}
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

static void renegotiate(struct producer *producer) {
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offers[8];
	pw_stream_update_params(producer->stream, offers, build_offers(producer, &builder, offers));
}

static void resize(struct producer *producer, uint32_t width, uint32_t height) {
	if (!screen_resize(&producer->screen, width, height)) {
		say("error size");
		return;
	}
	producer->resizing = true;
	renegotiate(producer);
}

static void run_command(struct producer *producer, char *line) {
	uint32_t a = 0;
	uint32_t b = 0;
	uint32_t colour = 0;
	int x = 0;
	int y = 0;
	char word[16];
	if (sscanf(line, "fill %x %d %d %u %u", &colour, &x, &y, &a, &b) == 5) {
		screen_paint(&producer->screen, colour, &SPA_REGION(x, y, a, b));
	} else if (sscanf(line, "fill %x", &colour) == 1) {
		screen_paint(&producer->screen, colour,
			&SPA_REGION(0, 0, producer->screen.width, producer->screen.height));
	} else if (sscanf(line, "film %u", &a) == 1) {
		screen_grain(&producer->screen, a);
	} else if (strncmp(line, "frame", 5) == 0) {
		say(send_frame(producer, line + 5) ? "sent" : "no-buffer");
	} else if (strcmp(line, "lose") == 0) {
		producer->screen.shown = true;
	} else if (sscanf(line, "cursor %15s", word) == 1) {
		send_cursor(producer, word);
	} else if (sscanf(line, "crop %d %d %u %u", &x, &y, &a, &b) == 4) {
		producer->screen.crop = SPA_REGION(x, y, a, b);
	} else if (strcmp(line, "crop none") == 0) {
		producer->screen.crop = SPA_REGION(0, 0, 0, 0);
	} else if (sscanf(line, "transform %u", &a) == 1) {
		producer->screen.transform = a;
	} else if (sscanf(line, "pointer %d %d", &x, &y) == 2) {
		producer->screen.pointer = true;
		producer->screen.pointer_x = x;
		producer->screen.pointer_y = y;
	} else if (sscanf(line, "resize %u %u", &a, &b) == 2) {
		resize(producer, a, b);
	} else if (sscanf(line, "formats %63s", producer->formats) == 1) {
		renegotiate(producer);
	} else if (sscanf(line, "bare %u", &a) == 1) {
		say("left %u", producer->bare_formats);
		producer->bare_formats = a;
	} else if (sscanf(line, "run %u %u", &a, &b) == 2) {
		producer->frames_left = b;
		producer->frames_sent = 0;
		set_timer(producer, a);
	} else if (sscanf(line, "marker %u", &a) == 1 && a > 1) {
		start_marker(producer, a);
	} else if (strcmp(line, "limit") == 0) {
		say("limit %u/%u", producer->limit.num, producer->limit.denom);
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
	struct producer *producer = data;
	if (state == PW_STREAM_STATE_PAUSED && old != PW_STREAM_STATE_STREAMING) {
		say("node %u", pw_stream_get_node_id(producer->stream));
	}
	struct timespec value = {
		0, state == PW_STREAM_STATE_STREAMING && !producer->no_refresh ? DUE_NS : 0};
	pw_loop_update_timer(producer->loop, producer->refresh, &value, NULL, false);
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
	producer->screen.format = info.format;
	producer->resizing =
		producer->resizing && (info.size.width != producer->screen.width ||
					      info.size.height != producer->screen.height);
	producer->limit = info.max_framerate;
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
		SPA_POD_CHOICE_FLAGS_Int(
			1 << (producer->memptr ? SPA_DATA_MemPtr : SPA_DATA_MemFd)));
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
	say("format %ux%u", info.size.width, info.size.height);
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
	struct producer *producer = data;
	struct spa_data *memory = &buffer->buffer->datas[0];
	uint32_t size = screen_buffer_size(&producer->screen);
	/* What marks those with memory. */
	buffer->user_data = producer->bare ? NULL : producer;
	if (producer->memptr) {
		say(memory->type == SPA_DATA_MemPtr ? "memptr" : "memfd");
		return;
	}
	if (producer->bare) {
		say("bare");
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
	if (producer->memptr || buffer->user_data == NULL) {
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

static bool set_flag(struct producer *producer, int option) {
	bool *const flags[] = {
		['b'] = &producer->screen.bottom_up,
		['d'] = &producer->no_damage_meta,
		['c'] = &producer->no_cursor_meta,
		['m'] = &producer->dmabuf_only,
		['t'] = &producer->memptr,
		['l'] = &producer->heed_limit,
		['r'] = &producer->no_refresh,
	};
	bool known = option > 0 && option <= 't' && flags[option] != NULL;
	if (known) {
		*flags[option] = true;
	}
	return known;
}

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
		{"heed-limit", no_argument, NULL, 'l'},
		{"no-refresh", no_argument, NULL, 'r'},
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
			snprintf(producer->formats, sizeof(producer->formats), "%s", optarg);
			break;
		case 'p':
			producer->screen.padding = (int32_t)strtol(optarg, NULL, 10);
			break;
		case 'o':
			producer->screen.offset = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			producer->pool = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		default:
			if (!set_flag(producer, option)) {
				return false;
			}
		}
	}
	return screen_resize(&producer->screen, width, height);
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
	producer.refresh = pw_loop_add_timer(producer.loop, on_refresh, &producer);
	producer.marker_timer = pw_loop_add_timer(producer.loop, on_marker_timer, &producer);
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
	free(producer.screen.canvas);
	pw_deinit();
	return status;
}
