#include "capture_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vpx/vp8dx.h>

#include <cmocka.h>

#define PROGRAM_MAX 8

static int64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int ms) {
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* In a child of ours: dies with us, and knows only the private daemon. */
static void prepare_child(const char *directory, bool quiet) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("XDG_RUNTIME_DIR", directory, 1);
	setenv("XDG_STATE_HOME", directory, 1);
	setenv("XDG_CONFIG_HOME", directory, 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1);
	unsetenv("PIPEWIRE_REMOTE");
	unsetenv("PIPEWIRE_RUNTIME_DIR");
	if (quiet && getenv("PORTLIGHT_TEST_VERBOSE") == NULL) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		dup2(null, STDOUT_FILENO);
	}
}

static void stop_process(pid_t *pid, int signal) {
	if (*pid > 0) {
		kill(*pid, signal);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
}

int rig_connect(const struct rig *rig) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/pipewire-0", rig->directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void rig_start(struct rig *rig) {
	*rig = (struct rig){0};
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/portlight-rig-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	rig->pipewire = fork();
	if (rig->pipewire == 0) {
		prepare_child(rig->directory, true);
		execlp("pipewire", "pipewire", "-c", RIG_PIPEWIRE_CONF, NULL);
		_exit(127);
	}
	int64_t deadline = now_ms() + 5000;
	int fd = -1;
	while ((fd = rig_connect(rig)) < 0 && now_ms() < deadline) {
		sleep_ms(10);
	}
	assert_true(fd >= 0);
	close(fd);
	rig->wireplumber = fork();
	if (rig->wireplumber == 0) {
		prepare_child(rig->directory, true);
		execlp("wireplumber", "wireplumber", "-c", "policy.conf", NULL);
		_exit(127);
	}
}

void rig_stop(struct rig *rig) {
	stop_process(&rig->wireplumber, SIGTERM);
	stop_process(&rig->pipewire, SIGTERM);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", rig->directory);
	assert_int_equal(system(command), 0);
}

void producer_start(
	struct producer *producer, const struct rig *rig, const char *const *arguments) {
	*producer = (struct producer){0};
	int commands[2];
	int answers[2];
	assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	producer->pid = fork();
	if (producer->pid == 0) {
		prepare_child(rig->directory, false);
		dup2(commands[0], STDIN_FILENO);
		dup2(answers[1], STDOUT_FILENO);
		const char *argv[PROGRAM_MAX + 2] = {RIG_PRODUCER};
		for (int i = 0; i < PROGRAM_MAX && arguments[i] != NULL; i++) {
			argv[i + 1] = arguments[i];
		}
		execv(RIG_PRODUCER, (char *const *)argv);
		_exit(127);
	}
	close(commands[0]);
	close(answers[1]);
	producer->commands = commands[1];
	producer->answers = answers[0];
	const char *line = producer_expect(producer, "node ");
	producer->node_id = (uint32_t)strtoul(line + strlen("node "), NULL, 10);
}

void producer_stop(struct producer *producer) {
	close(producer->commands);
	close(producer->answers);
	stop_process(&producer->pid, SIGTERM);
}

void producer_kill(struct producer *producer) {
	stop_process(&producer->pid, SIGKILL);
}

void producer_say(struct producer *producer, const char *format, ...) {
	char line[256];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	assert_true(length > 0 && (size_t)length < sizeof(line) - 1);
	line[length++] = '\n';
	assert_int_equal(write(producer->commands, line, (size_t)length), length);
}

/* Reads a line, without its end. */
static const char *read_line(struct producer *producer, int64_t deadline) {
	static char line[sizeof(producer->buffer)];
	for (;;) {
		char *end = memchr(producer->buffer, '\n', producer->used);
		if (end != NULL) {
			size_t length = (size_t)(end - producer->buffer);
			memcpy(line, producer->buffer, length);
			line[length] = '\0';
			producer->used -= length + 1;
			memmove(producer->buffer, end + 1, producer->used);
			if (getenv("PORTLIGHT_TEST_VERBOSE") != NULL) {
				print_message("producer: %s\n", line);
			}
			return line;
		}
		struct pollfd poller = {.fd = producer->answers, .events = POLLIN};
		int64_t left = deadline - now_ms();
		if (left <= 0 || poll(&poller, 1, (int)left) <= 0) {
			return NULL;
		}
		ssize_t got = read(producer->answers, producer->buffer + producer->used,
			sizeof(producer->buffer) - producer->used);
		if (got <= 0) {
			return NULL;
		}
		producer->used += (size_t)got;
	}
}

const char *producer_expect(struct producer *producer, const char *wanted) {
	int64_t deadline = now_ms() + 5000;
	for (;;) {
		const char *line = read_line(producer, deadline);
		if (line == NULL || strncmp(line, "error", 5) == 0) {
			fail_msg("the producer says %s, not %s", line != NULL ? line : "nothing",
				wanted);
		} else if (strncmp(line, wanted, strlen(wanted)) == 0) {
			return line;
		}
	}
}

void producer_send(struct producer *producer, const char *command) {
	int64_t deadline = now_ms() + 2000;
	const char *line = NULL;
	do {
		if (line != NULL) {
			sleep_ms(2);
		}
		producer_say(producer, "%s", command);
		do {
			line = read_line(producer, deadline);
			if (line == NULL) {
				fail_msg("the producer did not send: %s", command);
			}
		} while (strcmp(line, "sent") != 0 && strcmp(line, "no-buffer") != 0);
	} while (strcmp(line, "sent") != 0);
}

void helper_start(struct helper *helper) {
	*helper = (struct helper){0};
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	helper->pid = fork();
	if (helper->pid == 0) {
		/* As from a browser: without the desktop's environment. */
		unsetenv("XDG_RUNTIME_DIR");
		/* Looking for leaks at exit takes ptrace, which the sandbox kills for. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		if (pair[1] == 3) {
			fcntl(3, F_SETFD, 0);
		} else {
			dup2(pair[1], 3);
		}
		execl(RIG_HELPER, RIG_HELPER, NULL);
		_exit(127);
	}
	close(pair[1]);
	helper->socket = pair[0];
}

void helper_stop(struct helper *helper) {
	if (helper->socket >= 0) {
		close(helper->socket);
	}
	int64_t deadline = now_ms() + 1000;
	int status = 0;
	pid_t got = 0;
	while ((got = waitpid(helper->pid, &status, WNOHANG)) == 0 && now_ms() < deadline) {
		sleep_ms(5);
	}
	if (got == 0) {
		kill(helper->pid, SIGKILL);
		waitpid(helper->pid, NULL, 0);
		fail_msg("the helper lives on a second after its socket closed");
	}
	if (helper->decoder_open) {
		vpx_codec_destroy(&helper->decoder);
	}
	free(helper->data);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void send_with_fd(int socket, const void *data, size_t length, int fd) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = (void *)data, .iov_len = length};
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
	assert_int_equal(sendmsg(socket, &message, MSG_NOSIGNAL), length);
}

void helper_open(struct helper *helper, int fd, const struct packet_open *open) {
	const struct packet packet = {.type = PACKET_OPEN, .open = *open};
	uint8_t bytes[PACKET_SIZE_MAX];
	helper->codec = open->codec;
	send_with_fd(helper->socket, bytes, packet_write(&packet, bytes), fd);
	if (fd >= 0) {
		close(fd);
	}
}

void helper_send(struct helper *helper, const struct packet *packet) {
	uint8_t bytes[PACKET_SIZE_MAX];
	helper_send_bytes(helper, bytes, packet_write(packet, bytes));
}

void helper_send_bytes(struct helper *helper, const void *data, size_t length) {
	send_with_fd(helper->socket, data, length, -1);
}

void helper_credit(struct helper *helper, uint16_t frames) {
	helper_send(helper, &(struct packet){.type = PACKET_CREDIT, .credit.frames = frames});
}

static void decode(struct helper *helper) {
	if (!helper->decoder_open) {
		vpx_codec_iface_t *interface =
			helper->codec == PACKET_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
		assert_int_equal(vpx_codec_dec_init(&helper->decoder, interface, NULL, 0), 0);
		helper->decoder_open = true;
	}
	assert_int_equal(vpx_codec_decode(&helper->decoder, helper->data,
				 (unsigned int)helper->frame_length, NULL, 0),
		VPX_CODEC_OK);
	vpx_codec_iter_t iterator = NULL;
	helper->image = vpx_codec_get_frame(&helper->decoder, &iterator);
	assert_non_null(helper->image);
	assert_int_equal(helper->image->d_w, helper->frame.width);
	assert_int_equal(helper->image->d_h, helper->frame.height);
}

/* True when the fragment completes its frame. */
static bool take_fragment(struct helper *helper, const struct packet_frame *frame) {
	assert_true(helper->ready);
	assert_int_equal(frame->sequence, helper->frames);
	if (frame->part == 0) {
		helper->frame_length = 0;
		if (helper->frames > 0) {
			assert_true(frame->pts_us > helper->frame.pts_us);
		}
		helper->frame = *frame;
	}
	assert_true(frame->parts == helper->frame.parts);
	size_t needed = helper->frame_length + frame->payload_length;
	if (needed > helper->capacity) {
		helper->data = realloc(helper->data, needed);
		assert_non_null(helper->data);
		helper->capacity = needed;
	}
	memcpy(helper->data + helper->frame_length, frame->payload, frame->payload_length);
	helper->frame_length = needed;
	if (frame->part + 1 < frame->parts) {
		return false;
	}
	helper->frames++;
	helper->keyframes += frame->key;
	return true;
}

/* Takes one packet. True when it completed a frame. */
static bool take_packet(struct helper *helper, const uint8_t *data, size_t length) {
	struct packet packet;
	assert_true(packet_parse(data, length, &packet));
	assert_false(helper->ended);
	switch (packet.type) {
	case PACKET_READY:
		assert_false(helper->ready);
		helper->ready = true;
		helper->ready_packet = packet.ready;
		return false;
	case PACKET_ENDED:
		helper->ended = true;
		helper->ended_packet = packet.ended;
		return false;
	case PACKET_FRAME:
		return take_fragment(helper, &packet.frame);
	default:
		fail_msg("a packet of type %d from the helper", packet.type);
		return false;
	}
}

/* Receives at most one packet by `deadline`. False when the time is up or nothing more will come.
 */
static bool receive(struct helper *helper, int64_t deadline, bool *whole) {
	static uint8_t data[PACKET_SIZE_MAX + 1];
	struct pollfd poller = {.fd = helper->socket, .events = POLLIN};
	int64_t left = deadline - now_ms();
	*whole = false;
	if (helper->closed || poll(&poller, 1, left > 0 ? (int)left : 0) <= 0) {
		return false;
	}
	ssize_t got = recv(helper->socket, data, sizeof(data), 0);
	if (got <= 0) {
		helper->closed = true;
		return false;
	}
	*whole = take_packet(helper, data, (size_t)got);
	return true;
}

bool helper_next_frame(struct helper *helper, int timeout_ms) {
	int64_t deadline = now_ms() + timeout_ms;
	bool whole = false;
	while (!whole) {
		if (!receive(helper, deadline, &whole)) {
			return false;
		}
	}
	decode(helper);
	if (helper->auto_credit) {
		helper_credit(helper, 1);
	}
	return true;
}

uint32_t helper_drain(struct helper *helper, int quiet_ms) {
	uint32_t count = 0;
	while (helper_next_frame(helper, quiet_ms)) {
		count++;
	}
	return count;
}

void helper_expect_end(struct helper *helper, enum error_code code) {
	int64_t deadline = now_ms() + 5000;
	bool whole = false;
	while (!helper->ended && receive(helper, deadline, &whole)) {
	}
	assert_true(helper->ended);
	assert_string_equal(error_code_string(helper->ended_packet.code), error_code_string(code));
	while (!helper->closed && receive(helper, now_ms() + 1000, &whole)) {
	}
	assert_true(helper->closed);
}

void helper_expect_colour(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour) {
	assert_non_null(helper->image);
	const vpx_image_t *image = helper->image;
	assert_true(x < image->d_w && y < image->d_h);
	double red = (double)(colour >> 16 & 255);
	double green = (double)(colour >> 8 & 255);
	double blue = (double)(colour & 255);
	/* BT.601, limited range. */
	const double wanted[3] = {
		16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255,
		128 + (-37.797 * red - 74.203 * green + 112.0 * blue) / 255,
		128 + (112.0 * red - 93.786 * green - 18.214 * blue) / 255,
	};
	for (int plane = 0; plane < 3; plane++) {
		uint32_t column = plane == 0 ? x : x / 2;
		uint32_t row = plane == 0 ? y : y / 2;
		int got = image->planes[plane][(int)row * image->stride[plane] + (int)column];
		double difference = got - wanted[plane];
		if (difference > 6 || difference < -6) {
			fail_msg("at %u,%u plane %d: %d in place of %.0f (%06x)", x, y, plane, got,
				wanted[plane], colour);
		}
	}
}

static bool read_proc(pid_t pid, const char *name, char *text, size_t size) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	size_t got = fread(text, 1, size - 1, file);
	text[got] = '\0';
	fclose(file);
	return got > 0;
}

long process_cpu_ms(pid_t pid) {
	char text[1024];
	assert_true(read_proc(pid, "stat", text, sizeof(text)));
	char state;
	long user = 0;
	long system = 0;
	const char *rest = strrchr(text, ')');
	assert_non_null(rest);
	assert_int_equal(sscanf(rest + 2, "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
				 &state, &user, &system),
		3);
	return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

long process_memory_kib(pid_t pid, const char *field) {
	char text[4096];
	assert_true(read_proc(pid, "status", text, sizeof(text)));
	const char *at = strstr(text, field);
	assert_non_null(at);
	return strtol(at + strlen(field) + 1, NULL, 10);
}

bool process_gone(pid_t pid, int timeout_ms) {
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		char text[1024];
		const char *rest =
			read_proc(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
		if (rest == NULL || rest[2] == 'Z') {
			return true;
		}
		if (now_ms() > deadline) {
			return false;
		}
		sleep_ms(10);
	}
}
