#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cell.h"

#define FIRST_DESCRIPTOR 3
#define DESCRIPTORS_MAX 4
#define PROBE_FD 6
/* As the extension grants. */
#define CREDIT 3
#define NODE_MS 5000

/* Starts a program with `descriptors` as its 3 and following; -1 leaves one out. `probe` is a
 * library to load into it, or NULL. */
static pid_t start(char *const *argv, int in, int out, const int descriptors[DESCRIPTORS_MAX],
	const char *probe) {
	pid_t pid = fork();
	if (pid < 0) {
		cell_fail("fork failed");
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
			dup2(moved[i], FIRST_DESCRIPTOR + i);
		}
	}
	if (in >= 0) {
		dup2(in, STDIN_FILENO);
	}
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
	}
	if (probe != NULL) {
		char number[16];
		setenv("LD_PRELOAD", probe, 1);
		snprintf(number, sizeof(number), "%d", PROBE_FD);
		setenv(PROBE_VARIABLE, number, 1);
	}
	execvp(argv[0], argv);
	fprintf(stderr, "bench-cell: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static pid_t start_engine(
	const struct cell *cell, char *const *argv, const int descriptors[DESCRIPTORS_MAX]) {
	char probe[600];
	snprintf(probe, sizeof(probe), "%s/bench-probe.so", cell->directory);
	return start(argv, -1, -1, descriptors, probe);
}

static bool has_node(const struct cell *cell) {
	return cell->node_id != 0;
}

static int connect_pipewire(void) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *directory = getenv("XDG_RUNTIME_DIR");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/pipewire-0",
		directory != NULL ? directory : "");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		cell_fail("no PipeWire daemon in XDG_RUNTIME_DIR; start this with make bench");
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
		cell_fail("no pipe");
	}
	char *argv[] = {program, (char *)sink, (char *)cell->workload, width, height, NULL};
	cell->producer =
		start(argv, commands[0], answers[1], (const int[]){-1, picture, ticks, -1}, NULL);
	close(commands[0]);
	close(answers[1]);
	cell->commands = commands[1];
	cell->answers = answers[0];
}

static int open_socket(struct cell *cell) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		cell_fail("no socket");
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
		cell_fail("no memory for the picture");
	}
	int socket = open_socket(cell);
	char *argv[] = {
		program, (char *)cell->codec, numbers[0], numbers[1], numbers[2], numbers[3], NULL};
	start_producer(cell, "memory", picture, ticks[0]);
	cell->process =
		start_engine(cell, argv, (const int[]){socket, picture, ticks[1], cell->probe_fd});
	close(picture);
	close(ticks[0]);
	close(ticks[1]);
	close(socket);
}

static void start_portlight(struct cell *cell, int socket) {
	char *argv[] = {(char *)cell->helper, NULL};
	const struct packet open = {.type = PACKET_OPEN,
		.open = {.node_id = cell->node_id,
			.codec = strcmp(cell->codec, "vp8") == 0   ? PACKET_CODEC_VP8
				 : strcmp(cell->codec, "vp9") == 0 ? PACKET_CODEC_VP9
								   : PACKET_CODEC_AUTO,
			.max_fps = (uint16_t)cell->fps,
			.max_kbps = cell->kbps,
			.credit = CREDIT}};
	cell->process = start_engine(cell, argv, (const int[]){socket, -1, -1, cell->probe_fd});
	int fd = connect_pipewire();
	cell_send(cell, &open, fd);
	close(fd);
}

static void start_gst(struct cell *cell, int socket) {
	char program[600];
	char pipeline[1024];
	snprintf(program, sizeof(program), "%s/bench-gst", cell->directory);
	snprintf(pipeline, sizeof(pipeline), "pipewiresrc path=%u %s", cell->node_id,
		cell->pipeline);
	char *argv[] = {program, pipeline, NULL};
	cell->process = start_engine(cell, argv, (const int[]){socket, -1, -1, cell->probe_fd});
}

void cell_start(struct cell *cell) {
	if (strcmp(cell->engine, "libvpx") == 0) {
		start_libvpx(cell);
		return;
	}
	int socket = open_socket(cell);
	start_producer(cell, "pipewire", -1, -1);
	if (!cell_serve(cell, has_node, NODE_MS)) {
		cell_fail("the producer's node did not appear");
	}
	if (strcmp(cell->engine, "portlight") == 0) {
		start_portlight(cell, socket);
	} else {
		start_gst(cell, socket);
	}
	close(socket);
}
