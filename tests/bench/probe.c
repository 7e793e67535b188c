#include "probe.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "source/pw_api.h"

#define FRAMES_FD 3

static struct probe_log *event_log;
static struct pw_buffer *(*real_dequeue)(struct pw_stream *stream);
static int (*real_queue)(struct pw_stream *stream, struct pw_buffer *buffer);
static ssize_t (*real_sendmsg)(int fd, const struct msghdr *message, int flags);

/* Before main(): the helper's sandbox closes descriptors and forbids to map any. */
static void __attribute__((constructor)) begin(void) {
	const char *number = getenv(PROBE_VARIABLE);
	*(void **)&real_dequeue = dlsym(RTLD_NEXT, "pw_stream_dequeue_buffer");
	*(void **)&real_queue = dlsym(RTLD_NEXT, "pw_stream_queue_buffer");
	*(void **)&real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	if (number == NULL) {
		return;
	}
	int fd = (int)strtol(number, NULL, 10);
	void *memory = mmap(NULL, sizeof(*event_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	event_log = memory != MAP_FAILED ? memory : NULL;
	close(fd);
}

static void note(const struct probe_event *event) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (event_log != NULL) {
		uint32_t at = atomic_fetch_add(&event_log->count, 1);
		if (at < PROBE_EVENTS_MAX) {
			event_log->events[at] = *event;
			event_log->events[at].time_ns = (int64_t)SPA_TIMESPEC_TO_NSEC(&now);
		}
	}
}

struct pw_buffer *pw_stream_dequeue_buffer(struct pw_stream *stream) {
	struct pw_buffer *buffer = real_dequeue(stream);
	if (buffer != NULL) {
		note(&(struct probe_event){
			.kind = PROBE_DEQUEUED, .buffer = (uint64_t)(uintptr_t)buffer});
	}
	return buffer;
}

int pw_stream_queue_buffer(struct pw_stream *stream, struct pw_buffer *buffer) {
	note(&(struct probe_event){.kind = PROBE_QUEUED, .buffer = (uint64_t)(uintptr_t)buffer});
	return real_queue(stream, buffer);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
	ssize_t sent = real_sendmsg(fd, message, flags);
	if (fd == FRAMES_FD && sent > 0) {
		note(&(struct probe_event){.kind = PROBE_SENT, .bytes = (uint32_t)sent});
	}
	return sent;
}
