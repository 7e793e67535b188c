/*
 * portlight-host: the browser starts one process per native port. The end of stdin says that the
 * browser is gone. A parent-death signal would be wrong here: it fires when the thread that spawned
 * the process ends, and browsers spawn from short-lived threads.
 */
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/program.h"
#include "control/caller.h"
#include "control/extensions.h"
#include "control/host.h"
#include "control/port.h"
#include "wire/framing.h"
#include "wire/protocol.h"

#define EXIT_USAGE 2

static const char help[] =
	"Usage: portlight-host chrome-extension://ID/        (as Chromium starts it)\n"
	"       portlight-host MANIFEST ADD-ON-ID            (as Firefox starts it)\n"
	"       portlight-host                               (as Ubuntu's portal starts it)\n"
	"       portlight-host --help | --version\n"
	"\n"
	"The native messaging host of the Portlight extension. Browsers start it; it\n"
	"speaks length-prefixed JSON on stdin and stdout and logs to stderr. To share or\n"
	"record from a terminal, use portlight(1).\n"
	"\n"
	"Environment:\n"
	"  PORTLIGHT_LOG         error, warning (default), info or debug\n"
	"  PORTLIGHT_TIMEOUT_MS  how long to wait for the portal (10000 at most), and for a\n"
	"                        granted share to be opened (default 60000)\n";

/* The only message that a wrong caller gets. */
static void refuse_caller(int out) {
	struct bytes message = {0};
	size_t start = 0;
	if (framing_begin_message(&message, &start) &&
		protocol_write_error(&message, 0, ERROR_WRONG_CALLER, NULL)) {
		framing_finish_message(&message, start);
		(void)!write(out, message.data, message.length);
	}
	bytes_finish(&message);
}

static bool check_caller(int argc, char *const argv[]) {
	struct extensions extensions;
	extensions_read(&extensions, true);
	for (guint i = 0; i < extensions.problems->len; i++) {
		log_warning("%s", (const char *)extensions.problems->pdata[i]);
	}
	bool ours = caller_is_ours(argc, argv, &extensions);
	extensions_finish(&extensions);
	return ours;
}

/* Whoever starts a host talks to it through pipes or a socket. */
static bool stdin_is_channel(void) {
	struct stat status;
	return fstat(STDIN_FILENO, &status) == 0 &&
	       (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

static unsigned timeout_from_environment(void) {
	const char *text = getenv("PORTLIGHT_TIMEOUT_MS");
	guint64 value = 0;
	if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, 3600000, &value, NULL)) {
		return 0;
	}
	return (unsigned)value;
}

static gboolean handle_signal(gpointer data) {
	host_stop(data);
	return G_SOURCE_CONTINUE;
}

static void handle_done(void *data) {
	g_main_loop_quit(data);
}

static void run(int out) {
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	struct host_options options = {
		.in_fd = STDIN_FILENO,
		.out_fd = out,
		.timeout_ms = timeout_from_environment(),
		.done = handle_done,
		.data = loop,
	};
	struct host *host = host_create(&options);
	(void)g_unix_signal_add(SIGTERM, handle_signal, host);
	(void)g_unix_signal_add(SIGINT, handle_signal, host);
	(void)g_unix_signal_add(SIGHUP, handle_signal, host);
	g_main_loop_run(loop);
	host_destroy(host);
	g_main_loop_unref(loop);
}

int main(int argc, char *argv[]) {
	int status = EXIT_USAGE;
	if (program_answers("portlight-host", help, argc, argv, &status)) {
		return status;
	}
	int out = port_claim_stdout();
	log_init("portlight-host", LOG_WARNING);
	if (out < 0) {
		log_error("stdout is not open; a browser starts this program with pipes");
		return EXIT_FAILURE;
	}
	if (argc < 2 && !stdin_is_channel()) {
		if (isatty(STDIN_FILENO) == 1) {
			(void)fputs(help, stderr);
		} else {
			log_error("stdin is no pipe; a browser starts this program with pipes");
		}
		return EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (!check_caller(argc, argv)) {
		log_error("%s %s", error_message(ERROR_WRONG_CALLER),
			error_remedy(ERROR_WRONG_CALLER));
		refuse_caller(out);
		return EXIT_FAILURE;
	}
	run(out);
	return EXIT_SUCCESS;
}
