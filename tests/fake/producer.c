/*
 * A compositor's screen cast for tests: a PipeWire video source that does what it is told, line by
 * line on stdin, including what a correct one never would. It answers on stdout.
 *
 *	fill RRGGBB [X Y W H]	paint on the canvas; nothing is sent, but the area counts as damaged
 *	film N			paint a grainy picture, another one for each N
 *	frame [FAULT…]		send the canvas; answers "sent PTS" (in microseconds) or "no-buffer"
 *	lose			as if a frame was sent that PipeWire lost
 *	cursor mutter|kwin	send a buffer that tells of a moved pointer only, over stale pixels;
 *				answers "sent 0" or "no-buffer"
 *	crop X Y W H | crop none
 *	transform N		SPA's, of the frames from here on
 *	pointer X Y		a white square beside the picture, from the next buffer on
 *	resize W H		renegotiate; a "format WxH" line follows
 *	formats NAME,…		the same, with other formats and the size as it is
 *	bare N			no memory for the buffers of the next N formats: a "bare" line each;
 *				answers "left N", those of the last time that did not come
 *	run FPS COUNT		send COUNT frames of a moving box; answers "ran SENT PTS"
 *	marker HZ		paint and send the desktop's marker so often a second, until the end
 *	limit			answers "limit N/D COUNT": the frames a second that were agreed on,
 *				and how many formats so far
 *	version			answers "version N.N.N", PipeWire's
 *	quit
 *
 * Faults of a frame: damage-none, damage-empty, damage-stale (a list whose tail is left over),
 * damage-lie (a list that names the upper left corner alone), damage-many (more than a list holds,
 * each wrong but their union right), header-corrupted, chunk-corrupted, size-0, garbage (wrong
 * pixels; goes with the corrupted ones), truncated (chunk size), wild-offset, wild-stride,
 * sequence-gap (the one before, whose damage is told no more, got lost), old-pts, no-pts.
 *
 * --name is the stream's, "fake-screen" without it. With --heed-limit, `run` sends no frame that
 *comes sooner after the last than was agreed.
 *
 * With --at-once it sends one picture as soon as its stream runs, and by itself no other: so do
 *wlroots compositors whose screen is still.
 *
 * Like a compositor it sends the screen again some time after its stream starts again; not with
 * --no-refresh. It tells "refreshed PTS" then.
 *
 * Events that it tells by itself: "node ID", "state NAME", "format WxH", "buffers COUNT".
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "marker.h"
#include "producer.h"

void producer_tell(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void send_frame(struct producer *producer, const char *faults) {
	if (producer_send(producer, faults)) {
		producer_tell("sent %" PRId64, producer->screen.pts_us);
	} else {
		producer_tell("no-buffer");
	}
}

static void send_cursor(struct producer *producer, const char *dialect) {
	bool kwin = strcmp(dialect, "kwin") == 0;
	struct spa_region damage = producer->screen.damage;
	bool sent = producer_send(
		producer, kwin ? "garbage chunk-corrupted" : "garbage chunk-corrupted size-0");
	producer->screen.damage = damage;
	producer_tell(sent ? "sent 0" : "no-buffer");
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
	producer_send(producer, "");
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
	if (!is_too_soon(producer, now) && producer_send(producer, "")) {
		producer->frames_sent++;
		producer->sent_at = now;
	}
	if (--producer->frames_left == 0) {
		set_timer(producer, 0);
		producer_tell("ran %u %" PRId64, producer->frames_sent, producer->screen.pts_us);
	}
}

static void on_refresh(void *data, uint64_t expirations) {
	(void)expirations;
	struct producer *producer = data;
	if (producer->at_once && !producer->screen.shown) {
		producer_send(producer, "");
	} else if (!producer->at_once) {
		producer_refresh(producer);
	}
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
		send_frame(producer, line + 5);
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
		producer_resize(producer, a, b);
	} else if (sscanf(line, "formats %63s", producer->formats) == 1) {
		producer_offer(producer);
	} else if (sscanf(line, "bare %u", &a) == 1) {
		producer_tell("left %u", producer->bare_formats);
		producer->bare_formats = a;
	} else if (sscanf(line, "run %u %u", &a, &b) == 2) {
		producer->frames_left = b;
		producer->frames_sent = 0;
		set_timer(producer, a);
	} else if (sscanf(line, "marker %u", &a) == 1 && a > 1) {
		start_marker(producer, a);
	} else if (strcmp(line, "version") == 0) {
		producer_tell("version %s", pw_get_library_version());
	} else if (strcmp(line, "limit") == 0) {
		producer_tell("limit %u/%u %u", producer->limit.num, producer->limit.denom,
			producer->negotiated);
	} else if (strcmp(line, "quit") == 0) {
		pw_main_loop_quit(producer->main_loop);
	} else {
		producer_tell("error unknown command: %s", line);
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

static bool set_flag(struct producer *producer, int option) {
	bool *const flags[] = {
		['b'] = &producer->screen.bottom_up,
		['d'] = &producer->no_damage_meta,
		['c'] = &producer->no_cursor_meta,
		['m'] = &producer->dmabuf_only,
		['k'] = &producer->no_flags,
		['l'] = &producer->heed_limit,
		['r'] = &producer->no_refresh,
		['a'] = &producer->at_once,
	};
	bool known = option > 0 && option <= 'r' && flags[option] != NULL;
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
		{"name", required_argument, NULL, 'N'},
		{"bottom-up", no_argument, NULL, 'b'},
		{"no-damage-meta", no_argument, NULL, 'd'},
		{"no-cursor-meta", no_argument, NULL, 'c'},
		{"dmabuf-only", no_argument, NULL, 'm'},
		{"no-flags", no_argument, NULL, 'k'},
		{"heed-limit", no_argument, NULL, 'l'},
		{"no-refresh", no_argument, NULL, 'r'},
		{"at-once", no_argument, NULL, 'a'},
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
		case 'N':
			producer->name = optarg;
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

int main(int argc, char **argv) {
	/* A test that dies must not leave it behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct producer producer = {.formats = "BGRx", .name = "fake-screen"};
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
	if (producer_connect(&producer)) {
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
