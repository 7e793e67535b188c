#include "control/port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "wire/framing.h"

#define READ_SIZE (16u * 1024u)

struct port {
	int in;  /* -1 once reading stopped */
	int out; /* -1 once writing failed */
	const struct port_listener *listener;
	void *data;
	struct framing framing;
	guint in_source;
	GIOCondition in_condition; /* of in_source */
	struct bytes queue;
	size_t written; /* of `queue` */
	size_t start;   /* of the message that is being appended */
	bool began;     /* there was memory for its head */
	bool pressed;
	guint out_source;
	guint lost_source; /* reports a failed write */
};

int port_claim_stdout(void) {
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

static void update_sources(struct port *port);

struct port *port_create(int in_fd, int out_fd, const struct port_listener *listener, void *data) {
	struct port *port = g_new0(struct port, 1);
	port->in = in_fd;
	port->out = out_fd;
	port->listener = listener;
	port->data = data;
	(void)g_unix_set_fd_nonblocking(in_fd, TRUE, NULL);
	(void)g_unix_set_fd_nonblocking(out_fd, TRUE, NULL);
	update_sources(port);
	return port;
}

void port_stop_reading(struct port *port) {
	g_clear_handle_id(&port->in_source, g_source_remove);
	close_fd(&port->in);
}

static void stop_writing(struct port *port) {
	g_clear_handle_id(&port->out_source, g_source_remove);
	close_fd(&port->out);
	port->queue.length = 0;
	port->written = 0;
	port->pressed = false;
}

void port_destroy(struct port *port) {
	if (port == NULL) {
		return;
	}
	port_stop_reading(port);
	stop_writing(port);
	g_clear_handle_id(&port->lost_source, g_source_remove);
	framing_finish(&port->framing);
	bytes_finish(&port->queue);
	g_free(port);
}

/* ---- input ---- */

static void close_input(struct port *port, enum error_code code) {
	port_stop_reading(port);
	port->listener->closed(port->data, code);
}

/* Delivers the complete messages, as long as the answers can be queued. */
static void deliver_messages(struct port *port) {
	while (port->in >= 0 && !port->pressed) {
		const uint8_t *text = NULL;
		size_t length = 0;
		enum error_code code = ERROR_NONE;
		switch (framing_next(&port->framing, &text, &length, &code)) {
		case FRAMING_MESSAGE:
			port->listener->message(port->data, text, length);
			break;
		case FRAMING_MORE:
			return;
		case FRAMING_BROKEN:
			close_input(port, code);
			return;
		}
	}
}

static void read_input(struct port *port) {
	uint8_t buffer[READ_SIZE];
	ssize_t got = read(port->in, buffer, sizeof(buffer));
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (got <= 0) {
		close_input(port, framing_end(&port->framing));
	} else if (!framing_feed(&port->framing, buffer, (size_t)got)) {
		close_input(port, ERROR_OUT_OF_MEMORY);
	} else {
		deliver_messages(port);
	}
}

static gboolean handle_input(gint fd, GIOCondition condition, gpointer data) {
	struct port *port = data;
	if (!port->pressed) {
		read_input(port);
	} else if ((condition & (G_IO_HUP | G_IO_ERR)) != 0) {
		/* Nobody would read the answers to what is still unread. */
		close_input(port, ERROR_NONE);
	}
	update_sources(port);
	return G_SOURCE_CONTINUE;
}

/* ---- output ---- */

static gboolean handle_lost(gpointer data) {
	struct port *port = data;
	port->lost_source = 0;
	if (port->in >= 0) {
		close_input(port, ERROR_NONE);
	} else {
		port->listener->flushed(port->data);
	}
	return G_SOURCE_REMOVE;
}

/* Writes what the pipe takes. */
static void write_queue(struct port *port) {
	while (port->written < port->queue.length) {
		ssize_t put = write(port->out, port->queue.data + port->written,
			port->queue.length - port->written);
		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0 && errno == EAGAIN) {
			return;
		}
		if (put < 0) {
			log_info("cannot write to the browser: %s", g_strerror(errno));
			stop_writing(port);
			port->lost_source = g_idle_add(handle_lost, port);
			return;
		}
		port->written += (size_t)put;
	}
	port->queue.length = 0;
	port->written = 0;
}

static gboolean handle_output(gint fd, GIOCondition condition, gpointer data) {
	struct port *port = data;
	write_queue(port);
	if (port->pressed && port->queue.length - port->written <= PORT_RELIEVED_BYTES) {
		port->pressed = false;
		port->listener->relieved(port->data);
		deliver_messages(port);
	}
	if (port_is_flushed(port)) {
		port->listener->flushed(port->data);
	}
	update_sources(port);
	return G_SOURCE_CONTINUE;
}

/* Watches the input while answers can be queued, else only its end; the output while something is
 * queued, or pressed: port_end() may have written all of the queue itself. */
static void update_sources(struct port *port) {
	GIOCondition wanted = G_IO_HUP | G_IO_ERR | (port->pressed ? 0 : G_IO_IN);
	if (port->in_source != 0 && port->in_condition != wanted) {
		g_clear_handle_id(&port->in_source, g_source_remove);
	}
	if (port->in >= 0 && port->in_source == 0) {
		port->in_source = g_unix_fd_add(port->in, wanted, handle_input, port);
		port->in_condition = wanted;
	}
	bool awaited = port->queue.length > port->written || port->pressed;
	if (awaited && port->out_source == 0) {
		port->out_source = g_unix_fd_add(port->out, G_IO_OUT, handle_output, port);
	} else if (!awaited) {
		g_clear_handle_id(&port->out_source, g_source_remove);
	}
}

struct bytes *port_begin(struct port *port) {
	if (port->written > PORT_RELIEVED_BYTES) {
		bytes_consume(&port->queue, port->written);
		port->written = 0;
	}
	port->began = framing_begin_message(&port->queue, &port->start);
	return &port->queue;
}

void port_end(struct port *port, bool ok) {
	if (!ok || !port->began) {
		log_error("a message was dropped: out of memory");
		port->queue.length = port->start;
		return;
	}
	framing_finish_message(&port->queue, port->start);
	if (port->out < 0) {
		port->queue.length = 0;
		return;
	}
	write_queue(port);
	if (port->queue.length - port->written > PORT_PRESSED_BYTES) {
		port->pressed = true;
	}
	update_sources(port);
}

bool port_is_pressed(const struct port *port) {
	return port->pressed;
}

bool port_is_flushed(const struct port *port) {
	return port->queue.length == port->written;
}
