/*
 * One measurement of the benchmark: one engine, one workload, one size. Prints a JSON object.
 * XDG_RUNTIME_DIR names a PipeWire daemon with a session manager; `make bench` starts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "process.h"
#include "quality.h"
#include "wire/packet.h"

#define FIRST_FRAME_S 15
#define TAIL_MS 3000
#define CREDIT 3
#define ARGUMENTS_MAX 8
#define DESCRIPTORS_MAX 3

struct frame {
	int64_t pts_us;
	int64_t received_us;
	size_t offset; /* in cell.data */
	size_t length;
	bool key;
};

struct shown {
	uint32_t step;
	int64_t pts_us;
};

struct cell {
	const char *engine;
	const char *codec;
	const char *workload;
	const char *pipeline;
	const char *helper;
	uint32_t width;
	uint32_t height;
	uint32_t fps;
	uint32_t steps;
	uint32_t warmup; /* steps before those that count */
	uint32_t kbps;
	uint32_t quality_every;
	char directory[512]; /* of our programs */
	pid_t producer;
	pid_t process; /* of the engine */
	int socket;
	int commands;
	int answers;
	uint32_t node_id;
	bool ran;
	uint32_t missed;
	char line[256];
	size_t line_length;
	struct frame *frames;
	size_t frame_count;
	struct shown *shown;
	size_t shown_count;
	struct bytes data;
	struct cost before;
	struct cost after;
	uint64_t peak_kib;
};

static void fail(const char *text) __attribute__((noreturn));
static void fail(const char *text) {
	fprintf(stderr, "bench-cell: %s\n", text);
	exit(1);
}

static void *grow(void *list, size_t count, size_t size) {
	/* In steps, by doubling. */
	if ((count & (count - 1)) != 0) {
		return list;
	}
	void *grown = realloc(list, (count == 0 ? 1 : 2 * count) * size);
	if (grown == NULL) {
		fail("out of memory");
	}
	return grown;
}

/* Starts a program with `descriptors` as its 3, 4, 5; -1 leaves one out. */
static pid_t start(char *const *argv, int in, int out, const int descriptors[DESCRIPTORS_MAX]) {
	pid_t pid = fork();
	if (pid < 0) {
		fail("fork failed");
	}
	if (pid > 0) {
		return pid;
	}
	int moved[DESCRIPTORS_MAX];
	for (int i = 0; i < DESCRIPTORS_MAX; i++) {
		moved[i] = descriptors[i] >= 0 ? fcntl(descriptors[i], F_DUPFD_CLOEXEC, 16) : -1;
	}
	for (int i = 0; i < DESCRIPTORS_MAX; i++) {
		if (moved[i] >= 0) {
			dup2(moved[i], 3 + i);
		}
	}
	if (in >= 0) {
		dup2(in, STDIN_FILENO);
	}
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
	}
	execvp(argv[0], argv);
	fprintf(stderr, "bench-cell: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void take_line(struct cell *cell, const char *line) {
	uint32_t step = 0;
	long long time = 0;
	if (sscanf(line, "shown %u %lld", &step, &time) == 2) {
		cell->shown = grow(cell->shown, cell->shown_count, sizeof(*cell->shown));
		cell->shown[cell->shown_count++] =
			(struct shown){.step = step, .pts_us = time / 1000};
	} else if (sscanf(line, "node %u", &step) == 1) {
		cell->node_id = step;
	} else if (strncmp(line, "missed", 6) == 0) {
		cell->missed++;
	} else if (strncmp(line, "ran", 3) == 0) {
		cell->ran = true;
	}
}

static void read_answers(struct cell *cell) {
	size_t room = sizeof(cell->line) - 1 - cell->line_length;
	ssize_t got = read(cell->answers, cell->line + cell->line_length, room);
	if (got <= 0) {
		fail("the producer ended");
	}
	cell->line_length += (size_t)got;
	cell->line[cell->line_length] = '\0';
	char *end;
	while ((end = strchr(cell->line, '\n')) != NULL) {
		*end = '\0';
		take_line(cell, cell->line);
		cell->line_length -= (size_t)(end + 1 - cell->line);
		memmove(cell->line, end + 1, cell->line_length + 1);
	}
}

static void send_packet(const struct cell *cell, const struct packet *packet, int fd) {
	uint8_t bytes[PACKET_SIZE_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = bytes, .iov_len = packet_write(packet, bytes)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	sendmsg(cell->socket, &message, MSG_NOSIGNAL);
}

static void take_frame(struct cell *cell, const struct packet_frame *packet) {
	if (packet->part == 0) {
		cell->frames = grow(cell->frames, cell->frame_count, sizeof(*cell->frames));
		cell->frames[cell->frame_count++] = (struct frame){
			.pts_us = packet->pts_us, .offset = cell->data.length, .key = packet->key};
	}
	struct frame *frame = &cell->frames[cell->frame_count - 1];
	bytes_append(&cell->data, packet->payload, packet->payload_length);
	frame->length += packet->payload_length;
	if (packet->part + 1 == packet->parts) {
		frame->received_us = clock_us();
		if (strcmp(cell->engine, "portlight") == 0) {
			send_packet(cell,
				&(struct packet){.type = PACKET_CREDIT, .credit.frames = 1}, -1);
		}
	}
}

static void read_frames(struct cell *cell) {
	static uint8_t data[PACKET_SIZE_MAX + 1];
	ssize_t got = recv(cell->socket, data, sizeof(data), 0);
	struct packet packet;
	if (got <= 0 || !packet_parse(data, (size_t)got, &packet)) {
		fail("the engine ended or sent nonsense");
	}
	if (packet.type == PACKET_ENDED) {
		fprintf(stderr, "bench-cell: %s: %s\n", error_code_string(packet.ended.code),
			packet.ended.detail);
		exit(1);
	} else if (packet.type == PACKET_FRAME) {
		take_frame(cell, &packet.frame);
	}
}

static bool has_node(const struct cell *cell) {
	return cell->node_id != 0;
}

static bool has_frame(const struct cell *cell) {
	return cell->frame_count > 0 && cell->frames[0].received_us != 0;
}

static bool has_run(const struct cell *cell) {
	return cell->ran;
}

/* What was shown last has arrived, or as good as. */
static bool has_last(const struct cell *cell) {
	int64_t wanted = cell->shown[cell->shown_count - 1].pts_us;
	const struct frame *last = &cell->frames[cell->frame_count - 1];
	return last->received_us != 0 && last->pts_us >= wanted - 1;
}

/* Takes what comes until `done` or for so long. Returns `done`. */
static bool serve(struct cell *cell, bool (*done)(const struct cell *cell), uint32_t timeout_ms) {
	int64_t deadline = clock_us() + timeout_ms * INT64_C(1000);
	int64_t left;
	while (!done(cell) && (left = deadline - clock_us()) > 0) {
		struct pollfd polled[2] = {
			{.fd = cell->answers, .events = POLLIN},
			{.fd = cell->socket, .events = POLLIN},
		};
		if (poll(polled, 2, (int)(left / 1000) + 1) < 0) {
			fail("poll failed");
		}
		if (polled[1].revents != 0) {
			read_frames(cell);
		}
		if (polled[0].revents != 0) {
			read_answers(cell);
		}
	}
	return done(cell);
}

static int connect_pipewire(void) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *directory = getenv("XDG_RUNTIME_DIR");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/pipewire-0",
		directory != NULL ? directory : "");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fail("no PipeWire daemon in XDG_RUNTIME_DIR; start this with make bench");
	}
	return fd;
}

static void start_producer(struct cell *cell, const char *sink, int picture, int ticks) {
	char program[600];
	char width[16];
	char height[16];
	int commands[2];
	int answers[2];
	snprintf(program, sizeof(program), "%s/bench-producer", cell->directory);
	snprintf(width, sizeof(width), "%u", cell->width);
	snprintf(height, sizeof(height), "%u", cell->height);
	if (pipe2(commands, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) {
		fail("no pipe");
	}
	char *argv[] = {program, (char *)sink, (char *)cell->workload, width, height, NULL};
	cell->producer = start(argv, commands[0], answers[1], (const int[]){-1, picture, ticks});
	close(commands[0]);
	close(answers[1]);
	cell->commands = commands[1];
	cell->answers = answers[0];
}

static int open_socket(struct cell *cell) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		fail("no socket");
	}
	cell->socket = pair[0];
	return pair[1];
}

static void start_libvpx(struct cell *cell) {
	char program[600];
	char numbers[4][16];
	const uint32_t values[4] = {cell->width, cell->height, cell->fps, cell->kbps};
	for (int i = 0; i < 4; i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%u", values[i]);
	}
	snprintf(program, sizeof(program), "%s/bench-vpx", cell->directory);
	int picture = memfd_create("picture", MFD_CLOEXEC);
	int ticks[2];
	if (picture < 0 || ftruncate(picture, (off_t)cell->width * cell->height * 4) != 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ticks) != 0) {
		fail("no memory for the picture");
	}
	int socket = open_socket(cell);
	char *argv[] = {
		program, (char *)cell->codec, numbers[0], numbers[1], numbers[2], numbers[3], NULL};
	start_producer(cell, "memory", picture, ticks[0]);
	cell->process = start(argv, -1, -1, (const int[]){socket, picture, ticks[1]});
	close(picture);
	close(ticks[0]);
	close(ticks[1]);
	close(socket);
}

static void start_portlight(struct cell *cell, int socket) {
	char *argv[] = {(char *)cell->helper, NULL};
	const struct packet open = {.type = PACKET_OPEN,
		.open = {.node_id = cell->node_id,
			.codec = strcmp(cell->codec, "vp8") == 0 ? PACKET_CODEC_VP8
								 : PACKET_CODEC_VP9,
			.max_fps = (uint16_t)cell->fps,
			.max_kbps = cell->kbps,
			.credit = CREDIT}};
	cell->process = start(argv, -1, -1, (const int[]){socket, -1, -1});
	int fd = connect_pipewire();
	send_packet(cell, &open, fd);
	close(fd);
}

static void start_gst(struct cell *cell, int socket) {
	char program[600];
	char pipeline[1024];
	snprintf(program, sizeof(program), "%s/bench-gst", cell->directory);
	snprintf(pipeline, sizeof(pipeline), "pipewiresrc path=%u %s", cell->node_id,
		cell->pipeline);
	char *argv[] = {program, pipeline, NULL};
	cell->process = start(argv, -1, -1, (const int[]){socket, -1, -1});
}

static void start_engine(struct cell *cell) {
	if (strcmp(cell->engine, "libvpx") == 0) {
		start_libvpx(cell);
		return;
	}
	int socket = open_socket(cell);
	start_producer(cell, "pipewire", -1, -1);
	if (!serve(cell, has_node, 5000)) {
		fail("the producer's node did not appear");
	}
	if (strcmp(cell->engine, "portlight") == 0) {
		start_portlight(cell, socket);
	} else {
		start_gst(cell, socket);
	}
	close(socket);
}

/* Lets the producer go on, and the engine catch up. */
static void run_steps(struct cell *cell, uint32_t steps) {
	char command[64];
	int length = snprintf(command, sizeof(command), "run %u %u\n", cell->fps, steps);
	cell->ran = false;
	if (steps > 0 && (write(cell->commands, command, (size_t)length) != length ||
				 !serve(cell, has_run, steps * 1000 / cell->fps * 2 + 5000))) {
		fail("the producer did not finish");
	}
	serve(cell, has_last, TAIL_MS);
}

static void measure(struct cell *cell) {
	start_engine(cell);
	if (!serve(cell, has_frame, FIRST_FRAME_S * 1000)) {
		fail("no frame came");
	}
	run_steps(cell, cell->warmup);
	cell->missed = 0;
	if (!process_cost(cell->process, &cell->before)) {
		fail("the engine is gone");
	}
	run_steps(cell, cell->steps);
	if (!process_cost(cell->process, &cell->after)) {
		fail("the engine is gone");
	}
	cell->peak_kib = process_peak_kib(cell->process);
}

static int compare_latency(const void *a, const void *b) {
	const int64_t *left = a;
	const int64_t *right = b;
	return (*left > *right) - (*left < *right);
}

/* When a step was handed over; 0 when it was not. */
static int64_t shown_at(const struct cell *cell, uint32_t step) {
	for (size_t i = 0; i < cell->shown_count; i++) {
		if (cell->shown[i].step == step) {
			return cell->shown[i].pts_us;
		}
	}
	return 0;
}

struct result {
	size_t encodes;
	size_t bytes;
	int64_t *latencies; /* sorted */
	size_t latency_count;
	struct quality quality;
};

static void summarise(const struct cell *cell, struct result *result) {
	struct quality_frame *frames = calloc(cell->frame_count, sizeof(*frames));
	result->latencies = calloc(cell->frame_count, sizeof(*result->latencies));
	if (frames == NULL || result->latencies == NULL) {
		fail("out of memory");
	}
	for (size_t i = 0; i < cell->frame_count; i++) {
		const struct frame *frame = &cell->frames[i];
		frames[i] =
			(struct quality_frame){cell->data.data + frame->offset, frame->length, 0};
	}
	if (!quality_measure(frames, cell->frame_count, strcmp(cell->codec, "vp8") == 0,
		    cell->workload, cell->width, cell->height, cell->warmup + 1,
		    cell->warmup + cell->steps, cell->quality_every, &result->quality)) {
		fail("the frames don't decode to the pictures that were shown");
	}
	for (size_t i = 0; i < cell->frame_count; i++) {
		const struct frame *frame = &cell->frames[i];
		if (frame->received_us <= cell->before.at_us) {
			continue;
		}
		result->encodes++;
		result->bytes += frame->length;
		uint32_t step = frames[i].step;
		bool first = i == 0 || frames[i - 1].step != step;
		if (first && step > cell->warmup) {
			result->latencies[result->latency_count++] =
				frame->received_us - shown_at(cell, step);
		}
	}
	qsort(result->latencies, result->latency_count, sizeof(*result->latencies),
		compare_latency);
	free(frames);
}

static double latency_ms(const struct result *result, double share) {
	if (result->latency_count == 0) {
		return 0;
	}
	size_t at = (size_t)(share * (double)result->latency_count);
	return (double)result
		       ->latencies[at < result->latency_count ? at : result->latency_count - 1] /
	       1000;
}

static void print(const struct cell *cell) {
	struct result result = {0};
	summarise(cell, &result);
	double seconds = (double)(cell->after.at_us - cell->before.at_us) / 1e6;
	double nominal = (double)cell->steps / cell->fps;
	double cpu_ms = (double)(cell->after.cpu_ns - cell->before.cpu_ns) / 1e6;
	printf("{\"workload\": \"%s\", \"width\": %u, \"height\": %u, \"engine\": \"%s\", "
	       "\"codec\": \"%s\", \"cpuMsPerFrame\": %.4f, \"cpuPercent\": %.3f, "
	       "\"encodeMs\": {\"p50\": %.3f, \"p95\": %.3f}, \"kbps\": %.1f, "
	       "\"psnr\": %.2f, \"ssim\": %.4f, \"rssMiB\": %.1f, "
	       "\"wakeupsPerSecond\": %.1f, \"frames\": %u, \"encodes\": %zu, \"missed\": %u}\n",
		cell->workload, cell->width, cell->height, cell->engine, cell->codec,
		cpu_ms / cell->steps, cpu_ms / nominal / 10, latency_ms(&result, 0.5),
		latency_ms(&result, 0.95), (double)result.bytes * 8 / 1000 / nominal,
		result.quality.psnr, result.quality.ssim, (double)cell->peak_kib / 1024,
		(double)(cell->after.wakeups - cell->before.wakeups) / seconds, cell->steps,
		result.encodes, cell->missed);
	free(result.latencies);
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
	if (cell->width < 2 || cell->height < 2 || cell->fps == 0 || cell->steps == 0) {
		fail("--size, --fps and --steps must be positive");
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
		fail("call it by its path");
	}
	*slash = '\0';
	measure(&cell);
	close(cell.socket);
	process_end(cell.process, strcmp(cell.engine, "portlight") == 0 ? 1000 : 0);
	close(cell.commands);
	process_end(cell.producer, 1000);
	print(&cell);
	free(cell.frames);
	free(cell.shown);
	bytes_finish(&cell.data);
	return 0;
}
