/*
 * The helper's event loop: PipeWire's own, since a stream's events are emitted on it. It also runs
 * the timers and file descriptors of the rest of the helper, which includes no PipeWire header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pw_context;
struct pw_loop;
struct pw_main_loop;
struct spa_handle;
struct spa_source;

/* Otherwise a descriptor is readable, has an error or was hung up. */
#define LOOP_WRITABLE 4u

/* Zero-initialise it. */
struct loop {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_context *context;
	struct spa_handle *converter; /* keeps the plugin's library open */
};

/*
 * Sets up the PipeWire client and opens every file that it needs, since the sandbox forbids that
 * later. False, after a log message, when PipeWire's libraries don't work; call loop_finish() even
 * so, after the loop's sources are removed.
 */
bool loop_init(struct loop *loop);
void loop_finish(struct loop *loop);

/* Runs until loop_quit(). */
void loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* Adds a timer, initially off. NULL when out of memory. Free it with loop_remove(). */
struct spa_source *loop_add_timer(
	struct loop *loop, void (*due)(void *data, uint64_t expirations), void *data);
/* Expires once, in `delay_us`; replaces an earlier setting. 0: off. */
void loop_set_timer(struct loop *loop, struct spa_source *timer, int64_t delay_us);

/* Watches `fd`, which the caller keeps, for reading. NULL when out of memory. Free it with
 * loop_remove(). */
struct spa_source *loop_add_fd(
	struct loop *loop, int fd, void (*ready)(void *data, int fd, uint32_t mask), void *data);
/* Whether to watch it for writing as well. */
void loop_watch_writable(struct loop *loop, struct spa_source *source, bool writable);

/* NULL is fine. */
void loop_remove(struct loop *loop, struct spa_source *source);
