/*
 * The helper's event loop: PipeWire's own, because a stream's events arrive on it. Timers and
 * descriptors of the rest of the helper run on the same loop, without PipeWire's headers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pw_context;
struct pw_loop;
struct pw_main_loop;
struct spa_handle;
struct spa_source;

/* What a descriptor is ready for; the bits of poll(2). An error or a hang-up counts as readable. */
#define LOOP_READABLE 1u
#define LOOP_WRITABLE 4u

/* Zero-initialise it. */
struct loop {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_context *context;
	struct spa_handle *converter; /* keeps the plugin's library open */
};

/*
 * Sets up PipeWire's client. Everything that opens a file happens here: once the sandbox is sealed,
 * nothing can. False after a log message when PipeWire's libraries don't work. Call loop_finish()
 * in either case, after every source on the loop is gone.
 */
bool loop_init(struct loop *loop);
void loop_finish(struct loop *loop);

/* Until loop_quit(). */
void loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* The timer is off at first. NULL when memory ran out. Free it with loop_remove(). */
struct spa_source *loop_add_timer(
	struct loop *loop, void (*due)(void *data, uint64_t expirations), void *data);
/* Once, in `delay_us`; replaces an earlier setting. 0: off. */
void loop_set_timer(struct loop *loop, struct spa_source *timer, int64_t delay_us);

/* Watches `fd`, which stays the caller's, for reading. `mask`: LOOP_READABLE, LOOP_WRITABLE or
 * both. NULL when memory ran out. Free it with loop_remove(). */
struct spa_source *loop_add_fd(
	struct loop *loop, int fd, void (*ready)(void *data, int fd, uint32_t mask), void *data);
/* From now on for writing as well, or not. */
void loop_watch_writable(struct loop *loop, struct spa_source *source, bool writable);

/* NULL is fine. */
void loop_remove(struct loop *loop, struct spa_source *source);
