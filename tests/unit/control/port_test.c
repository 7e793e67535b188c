/* The host's two pipes: messages both ways, the bound of the queue, and the ends. */
#include "unit.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "control/port.h"
#include "wire/framing.h"

/* One port, with the browser's ends of its pipes, and what it reported. */
struct fixture {
	struct port *port;
	int to_host;
	int from_host;
	unsigned messages;
	char last[32];
	enum error_code broken;
	unsigned closed;
	unsigned relieved;
	unsigned flushed;
};

static void handle_message(void *data, const uint8_t *text, size_t length) {
	struct fixture *fixture = data;
	fixture->messages++;
	assert_true(length < sizeof(fixture->last));
	memcpy(fixture->last, text, length);
	fixture->last[length] = '\0';
}

static void handle_closed(void *data, enum error_code code) {
	struct fixture *fixture = data;
	fixture->closed++;
	fixture->broken = code;
}

static void handle_relieved(void *data) {
	((struct fixture *)data)->relieved++;
}

static void handle_flushed(void *data) {
	((struct fixture *)data)->flushed++;
}

static const struct port_listener listener = {
	.message = handle_message,
	.closed = handle_closed,
	.relieved = handle_relieved,
	.flushed = handle_flushed,
};

static void set_up(struct fixture *fixture) {
	int in[2];
	int out[2];
	*fixture = (struct fixture){0};
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fixture->to_host = in[1];
	fixture->from_host = out[0];
	fixture->port = port_create(in[0], out[1], &listener, fixture);
}

static void tear_down(struct fixture *fixture) {
	port_destroy(fixture->port);
	if (fixture->to_host >= 0) {
		(void)close(fixture->to_host);
	}
	if (fixture->from_host >= 0) {
		(void)close(fixture->from_host);
	}
}

static void run(void) {
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

static void say(struct fixture *fixture, const char *text) {
	uint32_t length = (uint32_t)strlen(text);
	assert_int_equal(write(fixture->to_host, &length, sizeof(length)), sizeof(length));
	assert_int_equal(write(fixture->to_host, text, length), length);
}

static void answer(struct fixture *fixture, size_t length) {
	struct bytes *out = port_begin(fixture->port);
	bool ok = bytes_reserve(out, length);
	assert_true(ok);
	memset(out->data + out->length, 'a', length);
	out->length += length;
	port_end(fixture->port, ok);
}

/* Reads all that the pipe holds, letting the loop refill it; returns the count. */
static size_t read_all(struct fixture *fixture) {
	static uint8_t buffer[65536];
	size_t total = 0;
	assert_int_equal(fcntl(fixture->from_host, F_SETFL, O_NONBLOCK), 0);
	for (;;) {
		run();
		ssize_t got = read(fixture->from_host, buffer, sizeof(buffer));
		if (got <= 0) {
			return total;
		}
		total += (size_t)got;
	}
}

/* The same without the loop. */
static void read_what_is_there(struct fixture *fixture) {
	static uint8_t buffer[65536];
	assert_int_equal(fcntl(fixture->from_host, F_SETFL, O_NONBLOCK), 0);
	while (read(fixture->from_host, buffer, sizeof(buffer)) > 0) {
	}
}

static void messages_go_both_ways(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	say(&fixture, "{}");
	say(&fixture, "[two]");
	run();
	assert_int_equal(fixture.messages, 2);
	assert_string_equal(fixture.last, "[two]");
	answer(&fixture, 10);
	assert_true(port_is_flushed(fixture.port));
	assert_int_equal(read_all(&fixture), 14);
	tear_down(&fixture);
}

static void a_dropped_message_leaves_no_trace(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	struct bytes *out = port_begin(fixture.port);
	assert_true(bytes_append(out, "{\"half", 6));
	port_end(fixture.port, false);
	answer(&fixture, 2);
	assert_int_equal(read_all(&fixture), 6);
	tear_down(&fixture);
}

static void the_end_between_messages_is_clean(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	say(&fixture, "{}");
	(void)close(fixture.to_host);
	fixture.to_host = -1;
	run();
	assert_int_equal(fixture.messages, 1);
	assert_int_equal(fixture.closed, 1);
	assert_int_equal(fixture.broken, ERROR_NONE);
	tear_down(&fixture);
}

static void the_end_within_a_message_is_not(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	assert_int_equal(write(fixture.to_host, "\x05", 1), 1);
	(void)close(fixture.to_host);
	fixture.to_host = -1;
	run();
	assert_int_equal(fixture.closed, 1);
	assert_int_equal(fixture.broken, ERROR_BAD_FRAME);
	tear_down(&fixture);
}

static void nothing_is_read_after_a_broken_frame(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	uint32_t zero = 0;
	assert_int_equal(write(fixture.to_host, &zero, sizeof(zero)), sizeof(zero));
	say(&fixture, "{}");
	run();
	assert_int_equal(fixture.broken, ERROR_BAD_FRAME);
	assert_int_equal(fixture.messages, 0);
	answer(&fixture, 10);
	assert_int_equal(read_all(&fixture), 14);
	tear_down(&fixture);
}

static void an_answer_that_writes_the_whole_queue_relieves_too(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	while (!port_is_pressed(fixture.port)) {
		answer(&fixture, 50000);
	}
	while (!port_is_flushed(fixture.port)) {
		read_what_is_there(&fixture);
		answer(&fixture, 10);
	}
	assert_int_equal(fixture.relieved, 0);
	read_what_is_there(&fixture);
	say(&fixture, "{}");
	run();
	assert_int_equal(fixture.relieved, 1);
	assert_int_equal(fixture.messages, 1);
	tear_down(&fixture);
}

static void a_browser_that_does_not_read_is_not_read_from(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	size_t sent = 0;
	while (!port_is_pressed(fixture.port)) {
		answer(&fixture, 50000);
		sent += 50004;
	}
	assert_true(sent > PORT_PRESSED_BYTES && sent < 2 * PORT_PRESSED_BYTES);
	say(&fixture, "{}");
	run();
	assert_int_equal(fixture.messages, 0);
	assert_int_equal(read_all(&fixture), sent);
	assert_int_equal(fixture.relieved, 1);
	assert_int_equal(fixture.flushed, 1);
	assert_int_equal(fixture.messages, 1);
	assert_false(port_is_pressed(fixture.port));
	tear_down(&fixture);
}

static void a_browser_that_leaves_under_pressure_is_noticed(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	while (!port_is_pressed(fixture.port)) {
		answer(&fixture, 50000);
	}
	run();
	assert_int_equal(fixture.closed, 0);
	(void)close(fixture.to_host);
	fixture.to_host = -1;
	run();
	assert_int_equal(fixture.closed, 1);
	tear_down(&fixture);
}

static void a_closed_stdout_counts_as_the_end(void **state) {
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	(void)close(fixture.from_host);
	fixture.from_host = -1;
	answer(&fixture, 10);
	assert_int_equal(fixture.closed, 0); /* not from within a verb */
	assert_true(port_is_flushed(fixture.port));
	run();
	assert_int_equal(fixture.closed, 1);
	answer(&fixture, 10);
	assert_true(port_is_flushed(fixture.port));
	tear_down(&fixture);
}

static int ignore_broken_pipes(void **state) {
	(void)state;
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_go_both_ways),
		cmocka_unit_test(a_dropped_message_leaves_no_trace),
		cmocka_unit_test(the_end_between_messages_is_clean),
		cmocka_unit_test(the_end_within_a_message_is_not),
		cmocka_unit_test(nothing_is_read_after_a_broken_frame),
		cmocka_unit_test(an_answer_that_writes_the_whole_queue_relieves_too),
		cmocka_unit_test(a_browser_that_does_not_read_is_not_read_from),
		cmocka_unit_test(a_browser_that_leaves_under_pressure_is_noticed),
		cmocka_unit_test(a_closed_stdout_counts_as_the_end),
	};
	return cmocka_run_group_tests_name("port", tests, ignore_broken_pipes, NULL);
}
