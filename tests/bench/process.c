#include "process.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static int64_t to_ns(const struct timespec *time) {
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int64_t clock_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return to_ns(&now) / 1000;
}

/* A number in a file of lines "field:	number". */
static uint64_t read_field(const char *path, const char *field) {
	FILE *file = fopen(path, "re");
	char line[256];
	size_t length = strlen(field);
	uint64_t number = 0;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, field, length) == 0 && line[length] == ':') {
			number = strtoull(line + length + 1, NULL, 10);
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return number;
}

static uint64_t count_wakeups(pid_t pid) {
	char path[320];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	uint64_t count = 0;
	const struct dirent *task;
	while (tasks != NULL && (task = readdir(tasks)) != NULL) {
		if (task->d_name[0] != '.') {
			snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid,
				task->d_name);
			count += read_field(path, "voluntary_ctxt_switches");
		}
	}
	if (tasks != NULL) {
		closedir(tasks);
	}
	return count;
}

bool process_cost(pid_t pid, struct cost *cost) {
	clockid_t clock;
	struct timespec cpu;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0) {
		return false;
	}
	*cost = (struct cost){
		.at_us = clock_us(), .cpu_ns = to_ns(&cpu), .wakeups = count_wakeups(pid)};
	return true;
}

uint64_t process_peak_kib(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return read_field(path, "VmHWM");
}

int process_end(pid_t pid, int timeout_ms) {
	int status = 0;
	if (pid <= 0) {
		return -1;
	}
	int64_t deadline = clock_us() + timeout_ms * INT64_C(1000);
	pid_t got;
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && clock_us() < deadline) {
		nanosleep(&(struct timespec){0, 2000000}, NULL);
	}
	if (got == 0) {
		kill(pid, SIGKILL);
		got = waitpid(pid, &status, 0);
	}
	return got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
