#include "control/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/framing.h"

#define READ_SIZE (16u * 1024u)

struct stdio {
	int in;  /* -1 once nothing is read any more */
	int out; /* -1 once nothing can be written any more */
	const struct stdio_listener *listener;
	void *data;
	struct framing framing;
	guint in_source;
	GIOCondition in_condition; /* of in_source */
	struct bytes queue;
	size_t written; /* of `queue` */
	size_t start;   /* of the message that is being appended */
	bool began;     /* its head had room */
	bool pressed;
	guint out_source;
	guint lost_source; /* tells of a failed write */
};

int stdio_claim_stdout(void) {
	if (fcntl(STDERR_FILENO, F_GETFD) < 0) {
		int null = open("/dev/null", O_WRONLY);
		if (null < 0 || (null != STDERR_FILENO && dup2(null, STDERR_FILENO) < 0)) {
			return -1;
		}
	}
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (out >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		(void)close(out);
		return -1;
	}
	return out;
}

static void update_sources(struct stdio *stdio);

static void set_non_blocking(int fd) {
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0) {
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	}
}

struct stdio *stdio_create(
	int in_fd, int out_fd, const struct stdio_listener *listener, void *data) {
	struct stdio *stdio = g_new0(struct stdio, 1);
	stdio->in = in_fd;
	stdio->out = out_fd;
	stdio->listener = listener;
	stdio->data = data;
	framing_init(&stdio->framing);
	set_non_blocking(in_fd);
	set_non_blocking(out_fd);
	update_sources(stdio);
	return stdio;
}

void stdio_stop_reading(struct stdio *stdio) {
	g_clear_handle_id(&stdio->in_source, g_source_remove);
	if (stdio->in >= 0) {
		(void)close(stdio->in);
		stdio->in = -1;
	}
}

static void stop_writing(struct stdio *stdio) {
	g_clear_handle_id(&stdio->out_source, g_source_remove);
	if (stdio->out >= 0) {
		(void)close(stdio->out);
		stdio->out = -1;
	}
	stdio->queue.length = 0;
	stdio->written = 0;
	stdio->pressed = false;
}

void stdio_destroy(struct stdio *stdio) {
	if (stdio == NULL) {
		return;
	}
	stdio_stop_reading(stdio);
	stop_writing(stdio);
	g_clear_handle_id(&stdio->lost_source, g_source_remove);
	framing_finish(&stdio->framing);
	bytes_finish(&stdio->queue);
	g_free(stdio);
}

/* ---- input ---- */

/* Hands out what is complete, as long as the owner can answer. */
static void deliver_messages(struct stdio *stdio) {
	while (stdio->in >= 0 && !stdio_is_pressed(stdio)) {
		const uint8_t *text = NULL;
		size_t length = 0;
		enum error_code code = ERROR_NONE;
		switch (framing_next(&stdio->framing, &text, &length, &code)) {
		case FRAMING_MESSAGE:
			stdio->listener->message(stdio->data, text, length);
			break;
		case FRAMING_MORE:
			return;
		case FRAMING_BROKEN:
			stdio_stop_reading(stdio);
			stdio->listener->broken(stdio->data, code);
			return;
		}
	}
}

static void handle_end_of_input(struct stdio *stdio) {
	enum error_code code = framing_end(&stdio->framing);
	stdio_stop_reading(stdio);
	if (code != ERROR_NONE) {
		stdio->listener->broken(stdio->data, code);
	} else {
		stdio->listener->closed(stdio->data);
	}
}

static void read_input(struct stdio *stdio) {
	uint8_t buffer[READ_SIZE];
	ssize_t got = read(stdio->in, buffer, sizeof(buffer));
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (got <= 0) {
		handle_end_of_input(stdio);
	} else if (!framing_feed(&stdio->framing, buffer, (size_t)got)) {
		stdio_stop_reading(stdio);
		stdio->listener->broken(stdio->data, ERROR_OUT_OF_MEMORY);
	} else {
		deliver_messages(stdio);
	}
}

static gboolean handle_input(gint fd, GIOCondition condition, gpointer data) {
	(void)fd;
	struct stdio *stdio = data;
	if (!stdio->pressed) {
		read_input(stdio);
	} else if ((condition & (G_IO_HUP | G_IO_ERR)) != 0) {
		/* What is unread would get answers that nobody reads. */
		stdio_stop_reading(stdio);
		stdio->listener->closed(stdio->data);
	}
	update_sources(stdio);
	return G_SOURCE_CONTINUE;
}

/* ---- output ---- */

static gboolean handle_lost(gpointer data) {
	struct stdio *stdio = data;
	stdio->lost_source = 0;
	if (stdio->in >= 0) {
		stdio_stop_reading(stdio);
		stdio->listener->closed(stdio->data);
	} else {
		stdio->listener->flushed(stdio->data);
	}
	return G_SOURCE_REMOVE;
}

/* Writes what the pipe takes. */
static void write_queue(struct stdio *stdio) {
	while (stdio->written < stdio->queue.length) {
		ssize_t put = write(stdio->out, stdio->queue.data + stdio->written,
			stdio->queue.length - stdio->written);
		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0 && errno == EAGAIN) {
			return;
		}
		if (put < 0) {
			log_info("cannot write to the browser: %s", g_strerror(errno));
			stop_writing(stdio);
			stdio->lost_source = g_idle_add(handle_lost, stdio);
			return;
		}
		stdio->written += (size_t)put;
	}
	stdio->queue.length = 0;
	stdio->written = 0;
}

static gboolean handle_output(gint fd, GIOCondition condition, gpointer data) {
	(void)fd;
	(void)condition;
	struct stdio *stdio = data;
	write_queue(stdio);
	if (stdio->pressed && stdio->queue.length - stdio->written <= STDIO_RELIEVED_BYTES) {
		stdio->pressed = false;
		stdio->listener->relieved(stdio->data);
		deliver_messages(stdio);
	}
	if (stdio_is_flushed(stdio)) {
		stdio->listener->flushed(stdio->data);
	}
	update_sources(stdio);
	return G_SOURCE_CONTINUE;
}

/* Watches what there is to wait for: input while answers can be queued, else its end only; the pipe
 * while something is queued, or the owner waits to be relieved: stdio_end() may have written all of
 * the queue itself. */
static void update_sources(struct stdio *stdio) {
	GIOCondition wanted = G_IO_HUP | G_IO_ERR | (stdio->pressed ? 0 : G_IO_IN);
	if (stdio->in_source != 0 && stdio->in_condition != wanted) {
		g_clear_handle_id(&stdio->in_source, g_source_remove);
	}
	if (stdio->in >= 0 && stdio->in_source == 0) {
		stdio->in_source = g_unix_fd_add(stdio->in, wanted, handle_input, stdio);
		stdio->in_condition = wanted;
	}
	bool awaited = stdio->queue.length > stdio->written || stdio->pressed;
	if (awaited && stdio->out_source == 0) {
		stdio->out_source = g_unix_fd_add(stdio->out, G_IO_OUT, handle_output, stdio);
	} else if (!awaited) {
		g_clear_handle_id(&stdio->out_source, g_source_remove);
	}
}

struct bytes *stdio_begin(struct stdio *stdio) {
	if (stdio->written > STDIO_RELIEVED_BYTES) {
		bytes_consume(&stdio->queue, stdio->written);
		stdio->written = 0;
	}
	stdio->began = framing_begin_message(&stdio->queue, &stdio->start);
	return &stdio->queue;
}

void stdio_end(struct stdio *stdio, bool ok) {
	if (!ok || !stdio->began) {
		log_error("a message was dropped: out of memory");
		stdio->queue.length = stdio->start;
		return;
	}
	framing_finish_message(&stdio->queue, stdio->start);
	if (stdio->out < 0) {
		stdio->queue.length = 0;
		return;
	}
	write_queue(stdio);
	if (stdio->queue.length - stdio->written > STDIO_PRESSED_BYTES) {
		stdio->pressed = true;
	}
	update_sources(stdio);
}

bool stdio_is_pressed(const struct stdio *stdio) {
	return stdio->pressed;
}

bool stdio_is_flushed(const struct stdio *stdio) {
	return stdio->queue.length == stdio->written;
}
