#include "control/helper.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/program.h"
#include "wire/text.h"

/* The helper's end of the socket, in its process. */
#define HELPER_FD 3

struct helper_process {
	const struct helper_listener *listener;
	void *data;
	pid_t pid; /* 0: none, or reaped */
	int fd;    /* our end of the socket, -1 once closed */
	int words; /* its standard error; -1: none */
	uint8_t *buffer;
	guint words_source;
	guint socket_source;
	guint writable_source; /* while something is due */
	struct due {
		struct packet_set set; /* the newest */
		bool has_set;
		bool keyframe;
		uint32_t credit; /* frames, summed */
	} due;                   /* what its socket has no room for yet */
	guint ready_timer;
	guint grace_timer;
	guint child_source;
	guint idle_source; /* ends a helper that never started */
	char *start_error;
	uint64_t frames; /* complete ones */
	uint64_t bytes;
	enum packet_codec codec; /* of the last frame; before it, the first one's */
	bool is_ready;
	bool told; /* after `ended` or helper_stop(): only `gone` may still come */
};

static void close_socket(struct helper_process *helper) {
	g_clear_handle_id(&helper->socket_source, g_source_remove);
	g_clear_handle_id(&helper->writable_source, g_source_remove);
	close_fd(&helper->fd);
}

static gboolean handle_grace_over(gpointer data) {
	struct helper_process *helper = data;
	helper->grace_timer = 0;
	log_warning("portlight-capture %d did not exit; killing it", (int)helper->pid);
	(void)kill(helper->pid, SIGKILL);
	return G_SOURCE_REMOVE;
}

/* Closes the socket, which tells the process to exit, and kills it if it does not. */
static void begin_exit(struct helper_process *helper) {
	g_clear_handle_id(&helper->ready_timer, g_source_remove);
	close_socket(helper);
	if (helper->pid > 0 && helper->grace_timer == 0) {
		helper->grace_timer = g_timeout_add(HELPER_GRACE_MS, handle_grace_over, helper);
	}
}

static void tell_ended(struct helper_process *helper, enum error_code code, const char *detail) {
	begin_exit(helper);
	if (!helper->told) {
		helper->told = true;
		helper->listener->ended(helper->data, code, detail);
	}
}

/* ---- packets ---- */

/* False when the socket has no room now. */
static bool send_packet(struct helper_process *helper, const struct packet *packet, int passed_fd) {
	uint8_t bytes[64];
	struct iovec part = {.iov_base = bytes, .iov_len = packet_write(packet, bytes)};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (passed_fd >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &passed_fd, sizeof(int));
	}
	if (sendmsg(helper->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		return true;
	}
	if (errno == EAGAIN) {
		return false;
	}
	/* The reading side sees a closed socket, after what the helper sent before. */
	log_warning("cannot send to portlight-capture: %s", g_strerror(errno));
	return true;
}

/* Sends what is due. False when the socket has no room for all of it. */
static bool send_due(struct helper_process *helper) {
	struct due *due = &helper->due;
	const struct packet set = {.type = PACKET_SET, .set = due->set};
	if (due->has_set && !send_packet(helper, &set, -1)) {
		return false;
	}
	due->has_set = false;
	const struct packet keyframe = {.type = PACKET_KEYFRAME};
	if (due->keyframe && !send_packet(helper, &keyframe, -1)) {
		return false;
	}
	due->keyframe = false;
	while (due->credit > 0) {
		uint16_t frames = (uint16_t)MIN(due->credit, PACKET_CREDIT_MAX);
		const struct packet credit = {.type = PACKET_CREDIT, .credit = {.frames = frames}};
		if (!send_packet(helper, &credit, -1)) {
			return false;
		}
		due->credit -= frames;
	}
	return true;
}

static gboolean handle_writable(gint fd, GIOCondition condition, gpointer data) {
	struct helper_process *helper = data;
	if (!send_due(helper)) {
		return G_SOURCE_CONTINUE;
	}
	helper->writable_source = 0;
	return G_SOURCE_REMOVE;
}

/* Sends what has become due, the rest once the socket has room. */
static void post(struct helper_process *helper) {
	if (helper->fd >= 0 && helper->writable_source == 0 && !send_due(helper)) {
		helper->writable_source =
			g_unix_fd_add(helper->fd, G_IO_OUT, handle_writable, helper);
	}
}

static void handle_packet(struct helper_process *helper, const void *data, size_t length) {
	struct packet packet;
	if (length > PACKET_SIZE_MAX || !packet_parse(data, length, &packet)) {
		tell_ended(helper, ERROR_BAD_PACKET, NULL);
		return;
	}
	switch (packet.type) {
	case PACKET_READY:
		if (helper->is_ready) {
			break;
		}
		helper->is_ready = true;
		helper->codec = packet.ready.codec;
		g_clear_handle_id(&helper->ready_timer, g_source_remove);
		helper->listener->ready(helper->data, &packet.ready);
		return;
	case PACKET_FRAME:
		if (!helper->is_ready) {
			break;
		}
		helper->codec = packet.frame.codec;
		helper->bytes += packet.frame.payload_length;
		helper->frames += packet.frame.part == packet.frame.parts - 1;
		helper->listener->frame(helper->data, &packet.frame);
		return;
	case PACKET_CURSOR:
		if (!helper->is_ready || helper->listener->cursor == NULL) {
			break;
		}
		helper->listener->cursor(helper->data, &packet.cursor);
		return;
	case PACKET_ENDED:
		tell_ended(helper, packet.ended.code, packet.ended.detail);
		return;
	case PACKET_OPEN:
	case PACKET_CREDIT:
	case PACKET_KEYFRAME:
	case PACKET_SET:
		break;
	}
	tell_ended(helper, ERROR_BAD_PACKET, "a packet out of place");
}

/* False when there is nothing to read. */
static bool read_packet(struct helper_process *helper) {
	ssize_t length =
		recv(helper->fd, helper->buffer, PACKET_SIZE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (length > 0) {
		handle_packet(helper, helper->buffer, (size_t)length);
		return true;
	}
	if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* `ended` waits for the exit status, which says more. */
		begin_exit(helper);
	}
	return false;
}

static gboolean handle_socket(gint fd, GIOCondition condition, gpointer data) {
	(void)read_packet(data);
	return G_SOURCE_CONTINUE;
}

/* ---- the process ---- */

/* Passes its log on without anything that a terminal obeys. A read gives whole lines, since each is
 * one write of less than PIPE_BUF bytes. False when there is nothing to read. */
static bool relay_words(struct helper_process *helper) {
	char text[PIPE_BUF + 1];
	ssize_t length = read(helper->words, text, PIPE_BUF);
	if (length <= 0) {
		return false;
	}
	text[length] = '\0';
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (*line != '\0') {
			text_clean(line);
			log_relay(line);
		}
	}
	return true;
}

static gboolean handle_words(gint fd, GIOCondition condition, gpointer data) {
	struct helper_process *helper = data;
	if (relay_words(helper)) {
		return G_SOURCE_CONTINUE;
	}
	helper->words_source = 0;
	return G_SOURCE_REMOVE;
}

static void handle_exit(GPid pid, gint status, gpointer data) {
	struct helper_process *helper = data;
	helper->child_source = 0;
	helper->pid = 0;
	/* What it said before it exited still counts. */
	while (helper->words_source != 0 && relay_words(helper)) {
	}
	while (helper->fd >= 0 && read_packet(helper)) {
	}
	if (!helper->told) {
		g_autoptr(GError) error = NULL;
		(void)g_spawn_check_wait_status(status, &error);
		tell_ended(
			helper, ERROR_HELPER_CRASHED, error != NULL ? error->message : "it exited");
	}
	g_clear_handle_id(&helper->grace_timer, g_source_remove);
	helper->listener->gone(helper->data);
}

static gboolean handle_no_ready(gpointer data) {
	struct helper_process *helper = data;
	helper->ready_timer = 0;
	tell_ended(helper, ERROR_HELPER_TIMEOUT, NULL);
	return G_SOURCE_REMOVE;
}

static gboolean handle_not_started(gpointer data) {
	struct helper_process *helper = data;
	helper->idle_source = 0;
	tell_ended(helper, ERROR_HELPER_MISSING, helper->start_error);
	helper->listener->gone(helper->data);
	return G_SOURCE_REMOVE;
}

/* Starts the program with an end of the socket. Its standard error is a pipe: ours may be the
 * user's terminal, from which it could read. Standard input and output are /dev/null. */
static bool start(struct helper_process *helper) {
	cleanup_free char *program = program_find("portlight-capture");
	if (program == NULL) {
		helper->start_error = g_strdup("portlight-capture was not found");
		return false;
	}
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		helper->start_error = g_strdup_printf("socketpair: %s", g_strerror(errno));
		return false;
	}
	helper->fd = ends[0];
	cleanup_fd int theirs = ends[1];
	const char *const argv[] = {program, NULL};
	const int target = HELPER_FD;
	g_autoptr(GError) error = NULL;
	if (!g_spawn_async_with_pipes_and_fds(NULL, argv, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, -1, -1, -1,
		    &theirs, &target, 1, &helper->pid, NULL, NULL, &helper->words, &error)) {
		helper->start_error = g_strdup(error->message);
		return false;
	}
	return true;
}

/* ---- the verbs ---- */

struct helper_process *helper_create(const struct helper_options *options, int remote_fd,
	const struct helper_listener *listener, void *data) {
	cleanup_fd int remote = remote_fd;
	struct helper_process *helper = g_new0(struct helper_process, 1);
	helper->listener = listener;
	helper->data = data;
	helper->fd = -1;
	helper->words = -1;
	helper->buffer = g_malloc(PACKET_SIZE_MAX);
	if (!start(helper)) {
		helper->idle_source = g_idle_add(handle_not_started, helper);
		return helper;
	}
	(void)g_unix_set_fd_nonblocking(helper->words, TRUE, NULL);
	helper->words_source =
		g_unix_fd_add(helper->words, G_IO_IN | G_IO_HUP, handle_words, helper);
	helper->child_source = g_child_watch_add(helper->pid, handle_exit, helper);
	helper->ready_timer = g_timeout_add(
		options->ready_timeout_ms > 0 ? options->ready_timeout_ms : HELPER_READY_TIMEOUT_MS,
		handle_no_ready, helper);
	helper_set_paused(helper, false);
	struct packet packet = {.type = PACKET_OPEN, .open = options->open};
	(void)send_packet(helper, &packet, remote);
	return helper;
}

void helper_grant_credit(struct helper_process *helper, uint16_t frames) {
	helper->due.credit += frames;
	post(helper);
}

void helper_set(struct helper_process *helper, const struct packet_set *set) {
	helper->due.set = *set;
	helper->due.has_set = true;
	post(helper);
}

void helper_request_keyframe(struct helper_process *helper) {
	helper->due.keyframe = true;
	post(helper);
}

void helper_set_paused(struct helper_process *helper, bool paused) {
	if (helper->fd < 0 || paused == (helper->socket_source == 0)) {
		return;
	}
	if (paused) {
		g_clear_handle_id(&helper->socket_source, g_source_remove);
	} else {
		helper->socket_source = g_unix_fd_add(helper->fd, G_IO_IN, handle_socket, helper);
	}
}

static uint64_t cpu_ms(pid_t pid) {
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
		return 0;
	}
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

static uint64_t rss_kib(pid_t pid) {
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int)pid);
	g_autofree char *text = NULL;
	/* The second number counts the resident pages. */
	const char *second =
		g_file_get_contents(path, &text, NULL, NULL) ? strchr(text, ' ') : NULL;
	uint64_t pages = second != NULL ? g_ascii_strtoull(second, NULL, 10) : 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

struct protocol_stats_result helper_stats(const struct helper_process *helper) {
	return (struct protocol_stats_result){
		.cpu_ms = helper->pid > 0 ? cpu_ms(helper->pid) : 0,
		.rss_kib = helper->pid > 0 ? rss_kib(helper->pid) : 0,
		.frames = helper->frames,
		.bytes = helper->bytes,
		.codec = helper->codec,
	};
}

void helper_stop(struct helper_process *helper) {
	helper->told = true;
	begin_exit(helper);
}

void helper_destroy(struct helper_process *helper) {
	if (helper == NULL) {
		return;
	}
	close_socket(helper);
	g_clear_handle_id(&helper->words_source, g_source_remove);
	close_fd(&helper->words);
	g_clear_handle_id(&helper->ready_timer, g_source_remove);
	g_clear_handle_id(&helper->grace_timer, g_source_remove);
	g_clear_handle_id(&helper->idle_source, g_source_remove);
	g_clear_handle_id(&helper->child_source, g_source_remove);
	if (helper->pid > 0) {
		(void)kill(helper->pid, SIGKILL);
		(void)waitpid(helper->pid, NULL, 0);
	}
	g_free(helper->start_error);
	g_free(helper->buffer);
	g_free(helper);
}
