/*
 * Writes one track of VP8 or VP9 into a WebM file as the frames come, so that a recording that is
 * cut off (kill -9, power) still plays up to its last second. Index and duration are added at the
 * end; a pipe, which can't seek, gets neither.
 *
 * Nothing here waits for the reader of a pipe or a socket: what goes there is queued, without a
 * bound, until webm_drain() writes it. The caller holds back frames while something is queued.
 *
 * Every function that returns false sets errno. After a false from webm_write() or webm_flush() the
 * file takes no more frames; webm_finish() may still be able to complete what there is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/packet.h"

/* One encoded frame. The first frame of a file is a keyframe. */
struct webm_frame {
	const uint8_t *data; /* lent for the call */
	size_t length;
	bool key;
	int64_t pts_us; /* on any clock; the first frame's becomes 0 in the file */
};

struct webm;

/* Starts a file on `fd`, which is empty, and takes it (also on failure). `codec` is VP8 or VP9,
 * `width` and `height` the first frame's; players scale later keyframes of other sizes to it. */
bool webm_create(
	int fd, enum packet_codec codec, uint32_t width, uint32_t height, struct webm **webm);
/* Closes the file without completing it. NULL is fine. */
void webm_destroy(struct webm *webm);

/*
 * Takes a copy of a frame. A frame is held until the next one tells how long it lasts. Timestamps
 * that stand still or jump back are moved to one millisecond after the previous frame's.
 *
 * Where the file system can, this reserves the room for a frame first: ENOSPC then means that this
 * frame was refused and everything before it is safe.
 */
bool webm_write(struct webm *webm, const struct webm_frame *frame);

/* Hands everything but the held frame to the kernel or the queue. Call it about once a second. */
bool webm_flush(struct webm *webm);

/* Writes the held frame, which lasts until `end_us` on the frames' clock, index and duration, and
 * closes the file, but not a pipe. Call once; then only webm_drain() and webm_destroy(). */
bool webm_finish(struct webm *webm, int64_t end_us);

/* Bytes that are queued; 0 where nothing is, as for every file. */
size_t webm_undrained(const struct webm *webm);
/* The pipe, to be watched for room (POLLOUT) while something is queued. */
int webm_fd(const struct webm *webm);
/* Writes queued bytes, as many as a pipe that has room takes without blocking. On false the reader
 * has gone, and the queue is dropped. */
bool webm_drain(struct webm *webm);
