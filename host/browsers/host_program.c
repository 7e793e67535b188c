#include "browsers/host_program.h"

#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MAX 128u
#define WAIT_US (5 * G_USEC_PER_SEC)

/* In the new process: what it starts itself ends with it, and it ends with us. */
static void lead_group(void *data) {
	(void)data;
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The first line, at most ANSWER_MAX bytes with the end of the line; "" when none comes. */
static void read_line(int fd, char *line) {
	gint64 end = g_get_monotonic_time() + WAIT_US;
	size_t length = 0;
	while (length < ANSWER_MAX && memchr(line, '\n', length) == NULL) {
		gint64 left = end - g_get_monotonic_time();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		if (left <= 0 || poll(&wait, 1, (int)(left / 1000) + 1) == 0) {
			length = 0;
			break;
		}
		ssize_t got = read(fd, line + length, ANSWER_MAX - length);
		if (got <= 0) {
			break;
		}
		length += (size_t)got;
	}
	line[length] = '\0';
}

char *host_program_version(const char *path) {
	char *argv[] = {(char *)path, (char[]){"--version"}, NULL};
	GPid pid = 0;
	cleanup_fd int fd = -1;
	if (!g_spawn_async_with_pipes("/", argv, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, lead_group, NULL, &pid,
		    NULL, &fd, NULL, NULL)) {
		return NULL;
	}
	char line[ANSWER_MAX + 1] = "";
	read_line(fd, line);
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	static const char form[] = "^portlight-host ([0-9]+\\.[0-9]+\\.[0-9]+[0-9A-Za-z.+~-]*)\\n$";
	g_autoptr(GRegex) regex = g_regex_new(form, G_REGEX_RAW, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	return g_regex_match(regex, line, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}
