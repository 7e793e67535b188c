/*
 * One measurement of the benchmark: one engine, one workload, one size. Prints a JSON object.
 * XDG_RUNTIME_DIR names a PipeWire daemon with a session manager; `make bench` starts it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"

#define FIRST_FRAME_S 15
#define TAIL_MS 3000

void cell_fail(const char *text) {
	fprintf(stderr, "bench-cell: %s\n", text);
	exit(1);
}

static bool has_frame(const struct cell *cell) {
	return cell->frame_count > 0 && cell->frames[0].received_us != 0;
}

static bool is_warm(const struct cell *cell) {
	return cell->warm;
}

static bool has_run(const struct cell *cell) {
	return cell->ran;
}

/* What was shown last has arrived, or as good as. */
static bool has_last(const struct cell *cell) {
	int64_t wanted = cell->shown[cell->shown_count - 1].pts_ns / 1000 - 1;
	const struct frame *last = &cell->frames[cell->frame_count - 1];
	return last->received_us != 0 && last->pts_us >= wanted;
}

/* Lets the producer go on. */
static void start_steps(const struct cell *cell) {
	char command[64];
	int length = snprintf(command, sizeof(command), "run %u %u %u\n", cell->fps,
		cell->warmup + cell->steps, cell->warmup);
	if (write(cell->commands, command, (size_t)length) != length) {
		cell_fail("the producer is gone");
	}
}

static void await_steps(struct cell *cell, uint32_t steps, bool (*done)(const struct cell *cell)) {
	if (!cell_serve(cell, done, steps * 1000 / cell->fps * 2 + 5000)) {
		cell_fail("the producer did not finish");
	}
}

static void map_probe(struct cell *cell) {
	cell->probe_fd = memfd_create("probe", MFD_CLOEXEC);
	if (cell->probe_fd < 0 || ftruncate(cell->probe_fd, sizeof(*cell->probe)) != 0) {
		cell_fail("no memory for the probe");
	}
	cell->probe = mmap(NULL, sizeof(*cell->probe), PROT_READ, MAP_SHARED, cell->probe_fd, 0);
	if (cell->probe == MAP_FAILED) {
		cell_fail("no memory for the probe");
	}
}

/* The engine notes a packet just after it was sent. */
static void await_probe(const struct cell *cell) {
	for (int tries = 0; tries < 200; tries++) {
		uint32_t sent = 0;
		uint32_t count = atomic_load(&cell->probe->count);
		for (uint32_t i = 0; i < count && i < PROBE_EVENTS_MAX; i++) {
			sent += cell->probe->events[i].kind == PROBE_SENT;
		}
		if (sent >= cell->packets) {
			return;
		}
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	cell_fail("the probe missed a packet");
}

static void measure(struct cell *cell) {
	map_probe(cell);
	cell_start(cell);
	if (!cell_serve(cell, has_frame, FIRST_FRAME_S * 1000)) {
		cell_fail("no frame came");
	}
	start_steps(cell);
	await_steps(cell, cell->warmup, is_warm);
	cell->missed = 0;
	if (!process_cost(cell->process, &cell->before)) {
		cell_fail("the engine is gone");
	}
	await_steps(cell, cell->steps, has_run);
	cell_serve(cell, has_last, TAIL_MS);
	if (!process_cost(cell->process, &cell->after)) {
		cell_fail("the engine is gone");
	}
	await_probe(cell);
	if (cell->frames[cell->frame_count - 1].received_us == 0) {
		/* Its end had not come yet. */
		cell->frame_count--;
	}
	cell->peak_kib = process_peak_kib(cell->process);
}

static void parse_arguments(struct cell *cell, int argc, char **argv) {
	static const struct option options[] = {
		{"engine", required_argument, NULL, 'e'},
		{"codec", required_argument, NULL, 'c'},
		{"workload", required_argument, NULL, 'w'},
		{"pipeline", required_argument, NULL, 'p'},
		{"helper", required_argument, NULL, 'h'},
		{"size", required_argument, NULL, 's'},
		{"fps", required_argument, NULL, 'f'},
		{"steps", required_argument, NULL, 'n'},
		{"warmup", required_argument, NULL, 't'},
		{"kbps", required_argument, NULL, 'k'},
		{"quality-every", required_argument, NULL, 'q'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint32_t number = optarg != NULL ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'e':
			cell->engine = optarg;
			break;
		case 'c':
			cell->codec = optarg;
			break;
		case 'w':
			cell->workload = optarg;
			break;
		case 'p':
			cell->pipeline = optarg;
			break;
		case 'h':
			cell->helper = optarg;
			break;
		case 's':
			sscanf(optarg, "%ux%u", &cell->width, &cell->height);
			break;
		case 'f':
			cell->fps = number;
			break;
		case 'n':
			cell->steps = number;
			break;
		case 't':
			cell->warmup = number;
			break;
		case 'k':
			cell->kbps = number;
			break;
		case 'q':
			cell->quality_every = number;
			break;
		default:
			exit(2);
		}
	}
	if (cell->width < 2 || cell->height < 2 || cell->fps == 0 || cell->warmup == 0 ||
		cell->steps == 0) {
		cell_fail("--size, --fps, --warmup and --steps must be positive");
	}
}

int main(int argc, char **argv) {
	struct cell cell = {.engine = "portlight",
		.codec = "vp9",
		.workload = "typing",
		.pipeline = "",
		.helper = "portlight-capture",
		.width = 1920,
		.height = 1080,
		.fps = 30,
		.steps = 90,
		.warmup = 30,
		.kbps = 10000,
		.quality_every = 1};
	signal(SIGPIPE, SIG_IGN);
	parse_arguments(&cell, argc, argv);
	snprintf(cell.directory, sizeof(cell.directory), "%s", argv[0]);
	char *slash = strrchr(cell.directory, '/');
	if (slash == NULL) {
		cell_fail("call it by its path");
	}
	*slash = '\0';
	measure(&cell);
	close(cell.socket);
	process_end(cell.process, strcmp(cell.engine, "portlight") == 0 ? 1000 : 0);
	close(cell.commands);
	process_end(cell.producer, 1000);
	cell_print(&cell);
	free(cell.frames);
	free(cell.shown);
	bytes_finish(&cell.data);
	return 0;
}
