#include "capture_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define ARGUMENTS_MAX 8

int64_t time_now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_sleep_ms(int ms) {
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* In a child: it dies with the test, and knows only the private daemon. */
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

static void start_rig(struct rig *rig) {
	*rig = (struct rig){0};
	const char *folder = getenv("TMPDIR");
	snprintf(rig->directory, sizeof(rig->directory), "%s/portlight-rig-XXXXXX",
		folder != NULL ? folder : "/tmp");
	assert_non_null(mkdtemp(rig->directory));
	rig->pipewire = fork();
	if (rig->pipewire == 0) {
		prepare_child(rig->directory, true);
		execlp("pipewire", "pipewire", "-c", RIG_PIPEWIRE_CONF, NULL);
		_exit(127);
	}
	int64_t deadline = time_now_ms() + RIG_CAP_MS;
	int fd = -1;
	while ((fd = rig_connect(rig)) < 0 && time_now_ms() < deadline) {
		time_sleep_ms(10);
	}
	assert_true(fd >= 0);
	close(fd);
	rig->wireplumber = fork();
	if (rig->wireplumber == 0) {
		prepare_child(rig->directory, true);
		/* Only links, no devices: a configuration file until 0.4, a profile since 0.5. */
		bool old = access("/usr/share/wireplumber/policy.conf", R_OK) == 0;
		execlp("wireplumber", "wireplumber", old ? "-c" : "-p",
			old ? "policy.conf" : "policy", NULL);
		_exit(127);
	}
}

static int tear_down(void **state) {
	struct rig *rig = *state;
	stop_process(&rig->wireplumber, SIGTERM);
	stop_process(&rig->pipewire, SIGTERM);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", rig->directory);
	assert_int_equal(system(command), 0);
	return 0;
}

static int set_up(void **state) {
	static struct rig rig;
	start_rig(&rig);
	*state = &rig;
	return 0;
}

int rig_run(const struct CMUnitTest *tests, size_t count) {
	return _cmocka_run_group_tests("capture", tests, count, set_up, tear_down);
}

void rig_took(const char *what, int64_t ms) {
	printf("TIME\t%s\t%" PRId64 "\n", what, ms);
	fflush(stdout);
}

static int by_size(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

void rig_took_each(const char *what, int64_t *ms, size_t count) {
	char name[128];
	qsort(ms, count, sizeof(ms[0]), by_size);
	snprintf(name, sizeof(name), "%s, p50", what);
	rig_took(name, ms[count / 2]);
	snprintf(name, sizeof(name), "%s, p95", what);
	rig_took(name, ms[count * 95 / 100]);
}

static void run_producer(const char *arguments) {
	char text[256];
	char *argv[ARGUMENTS_MAX + 2] = {RIG_PRODUCER};
	char *rest = text;
	snprintf(text, sizeof(text), "%s", arguments);
	for (int i = 1; i <= ARGUMENTS_MAX; i++) {
		argv[i] = strsep(&rest, " ");
	}
	execv(RIG_PRODUCER, argv);
	_exit(127);
}

void producer_start(struct producer *producer, const struct rig *rig, const char *arguments) {
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
		run_producer(arguments);
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

/* Notes the time stamp if the line reports one of the picture that was sent last. */
static void note_sent(struct producer *producer, const char *line) {
	int64_t pts_us = 0;
	if (sscanf(line, "sent %" SCNd64, &pts_us) == 1 ||
		sscanf(line, "ran %*u %" SCNd64, &pts_us) == 1 ||
		sscanf(line, "refreshed %" SCNd64, &pts_us) == 1) {
		producer->sent_us = pts_us;
	}
}

/* Takes one line out of the buffer, without its newline; NULL when there is none. */
static const char *take_line(struct producer *producer) {
	static char line[sizeof(producer->buffer)];
	char *end = memchr(producer->buffer, '\n', producer->used);
	if (end == NULL) {
		return NULL;
	}
	size_t length = (size_t)(end - producer->buffer);
	memcpy(line, producer->buffer, length);
	line[length] = '\0';
	producer->used -= length + 1;
	memmove(producer->buffer, end + 1, producer->used);
	if (getenv("PORTLIGHT_TEST_VERBOSE") != NULL) {
		print_message("producer: %s\n", line);
	}
	if (strncmp(line, "error", 5) == 0) {
		fail_msg("the producer says %s", line);
	}
	note_sent(producer, line);
	return line;
}

/* NULL when no line comes by the deadline. */
static const char *read_line(struct producer *producer, int64_t deadline) {
	const char *line;
	while ((line = take_line(producer)) == NULL) {
		struct pollfd poller = {.fd = producer->answers, .events = POLLIN};
		int64_t left = deadline - time_now_ms();
		if (poll(&poller, 1, left > 0 ? (int)left : 0) <= 0) {
			return NULL;
		}
		ssize_t got = read(producer->answers, producer->buffer + producer->used,
			sizeof(producer->buffer) - producer->used);
		if (got <= 0) {
			fail_msg("the producer is gone");
		}
		producer->used += (size_t)got;
	}
	return line;
}

static const char *find_line(struct producer *producer, const char *wanted, int64_t deadline) {
	const char *line;
	do {
		line = read_line(producer, deadline);
	} while (line != NULL && strncmp(line, wanted, strlen(wanted)) != 0);
	return line;
}

const char *producer_look(struct producer *producer, const char *wanted) {
	return find_line(producer, wanted, 0);
}

const char *producer_expect(struct producer *producer, const char *wanted) {
	const char *line = find_line(producer, wanted, time_now_ms() + RIG_CAP_MS);
	if (line == NULL) {
		fail_msg("the producer does not say %s", wanted);
	}
	return line;
}

void producer_send(struct producer *producer, const char *command) {
	int64_t deadline = time_now_ms() + RIG_CAP_MS;
	for (;;) {
		producer_say(producer, "%s", command);
		const char *line;
		do {
			line = read_line(producer, deadline);
			if (line == NULL) {
				fail_msg("the producer does not send: %s", command);
				return;
			}
		} while (strncmp(line, "sent", 4) != 0 && strcmp(line, "no-buffer") != 0);
		if (strncmp(line, "sent", 4) == 0) {
			return;
		}
		time_sleep_ms(2);
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

long process_status(pid_t pid, const char *field) {
	char text[4096];
	assert_true(read_proc(pid, "status", text, sizeof(text)));
	const char *at = strstr(text, field);
	assert_non_null(at);
	return strtol(at + strlen(field) + 1, NULL, 10);
}

long process_sleeps(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	assert_non_null(threads);
	long sleeps = 0;
	for (const struct dirent *thread; (thread = readdir(threads)) != NULL;) {
		if (thread->d_name[0] != '.') {
			sleeps += process_status((pid_t)strtol(thread->d_name, NULL, 10),
				"\nvoluntary_ctxt_switches");
		}
	}
	closedir(threads);
	return sleeps;
}

bool process_gone(pid_t pid) {
	char text[1024];
	const char *rest = read_proc(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
	return rest == NULL || rest[2] == 'Z';
}
