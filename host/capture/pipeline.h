/*
 * Turns the source's pictures into frames on the channel. While the peer grants credit, it takes in
 * what changed in every picture; when the rate allows, it composes, encodes and sends. On a still
 * screen it encodes the same picture again until the encoder says that it has settled, and then
 * does nothing at all.
 *
 * It owns nothing that it is given, and knows neither PipeWire nor libvpx.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/channel.h"
#include "encode/encoder.h"
#include "source/source.h"
#include "wire/packet.h"

struct pipeline;

/* What the pipeline needs from the event loop. */
struct pipeline_loop {
	/* CLOCK_MONOTONIC in microseconds. */
	int64_t (*now)(void *data);
	/* Calls pipeline_step() in `delay_us`; replaces an earlier call. */
	void (*wake)(void *data, int64_t delay_us);
	/* The share can't go on. `detail` is lent. */
	void (*failed)(void *data, enum error_code code, const char *detail);
};

/* The chroma format that the share's encoder must take. */
enum packet_chroma pipeline_chroma(const struct packet_open *open);

/* `open` is copied; the other arguments must outlive the pipeline. NULL when out of memory. */
struct pipeline *pipeline_create(const struct packet_open *open, struct source *source,
	struct encoder *encoder, struct channel *channel, const struct pipeline_loop *loop,
	void *loop_data);
void pipeline_destroy(struct pipeline *pipeline);

/* Implements source_events.read; the only function here that other threads may call. */
void pipeline_read(struct pipeline *pipeline, const struct source_picture *picture);
/* The source announced a picture. The first one sends READY. */
void pipeline_picture(struct pipeline *pipeline, uint32_t width, uint32_t height);
/* The source's cursor moved, changed, appeared or disappeared. */
void pipeline_cursor(struct pipeline *pipeline);
/* The peer wants another rate, bitrate, size or region. */
void pipeline_set(struct pipeline *pipeline, const struct packet_set *set);
/* The peer grants more frames. */
void pipeline_credit(struct pipeline *pipeline, uint32_t frames);
/* The peer wants the next frame to be a keyframe; one is sent even if nothing changes. */
void pipeline_keyframe(struct pipeline *pipeline);
/* Does what can be done now. Call it when a wake-up is due and when the channel is idle again. */
void pipeline_step(struct pipeline *pipeline);
