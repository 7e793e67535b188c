#include "capture/pipeline.h"

#include <stdlib.h>

#include "base/log.h"
#include "capture/pace.h"

/* More credit than a peer could mean; the rest is dropped. */
#define CREDIT_HELD_MAX 64u
/* A picture is made better once nothing new has come for so long: on a moving screen that would
 * only take the time of the next one. */
#define REFINE_AFTER_US 100000

struct pipeline {
	struct packet_open open;
	struct source *source;
	struct encoder *encoder;
	struct channel *channel;
	const struct pipeline_loop *loop;
	void *loop_data;
	struct pace pace;
	struct picture picture; /* what was encoded last */
	uint32_t credit;
	uint32_t sequence;
	int64_t last_pts_us;
	int64_t refine_us; /* when the last picture may be made better */
	bool ready;        /* READY was sent */
	bool waiting;      /* the source has a picture */
	bool key;          /* a keyframe is wanted */
	bool unsettled;    /* encoding the last picture again improves it */
	bool failed;
};

struct pipeline *pipeline_create(const struct packet_open *open, struct source *source,
	struct encoder *encoder, struct channel *channel, const struct pipeline_loop *loop,
	void *loop_data) {
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (pipeline == NULL) {
		return NULL;
	}
	*pipeline = (struct pipeline){
		.open = *open,
		.source = source,
		.encoder = encoder,
		.channel = channel,
		.loop = loop,
		.loop_data = loop_data,
		.credit = open->credit,
		.last_pts_us = -1,
	};
	pace_init(&pipeline->pace, open->max_fps);
	return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline) {
	if (pipeline != NULL) {
		picture_finish(&pipeline->picture);
		free(pipeline);
	}
}

static void fail(struct pipeline *pipeline, enum error_code code, const char *detail) {
	pipeline->failed = true;
	pipeline->loop->failed(pipeline->loop_data, code, detail);
}

/* Brings our picture up to date with the newest of the source. False when there is none after all,
 * or it failed. */
static bool convert_newest(struct pipeline *pipeline, struct damage *damage, int64_t *pts_us) {
	struct source_picture newest;
	pipeline->waiting = false;
	if (!source_take(pipeline->source, &newest)) {
		return false;
	}
	uint32_t width = newest.pixels.width & ~1u;
	uint32_t height = newest.pixels.height & ~1u;
	bool resized = pipeline->picture.width != width || pipeline->picture.height != height;
	bool fits = picture_resize(&pipeline->picture, width, height, PACKET_CHROMA_420);
	if (fits) {
		*damage = newest.damage;
		if (resized) {
			damage_set_full(damage, width, height);
		}
		convert_damaged(&newest.pixels, damage, &pipeline->picture);
		*pts_us = newest.pts_us;
	}
	source_give_back(pipeline->source);
	if (!fits) {
		fail(pipeline, ERROR_OUT_OF_MEMORY, "no memory for the picture");
	}
	return fits;
}

static void encode_and_send(
	struct pipeline *pipeline, const struct damage *damage, int64_t pts_us) {
	struct encoder_frame frame;
	if (!encoder_encode(pipeline->encoder, &pipeline->picture, damage, pipeline->key, &frame)) {
		fail(pipeline, ERROR_ENCODER_FAILED, encoder_error(pipeline->encoder));
		return;
	}
	if (frame.length > CHANNEL_FRAME_MAX) {
		fail(pipeline, ERROR_ENCODER_FAILED, "a frame is longer than 8 MiB");
		return;
	}
	/* Decoders want time to go forward, also where a compositor's clock jumps back. */
	pipeline->last_pts_us = pts_us > pipeline->last_pts_us ? pts_us : pipeline->last_pts_us + 1;
	const struct packet_frame header = {
		.sequence = pipeline->sequence++,
		.key = frame.key,
		.width = pipeline->picture.width,
		.height = pipeline->picture.height,
		.pts_us = pipeline->last_pts_us,
	};
	pipeline->credit--;
	pipeline->key = false;
	pipeline->unsettled = !frame.settled;
	log_debug("frame %u: %zu bytes, %u damaged areas%s%s", header.sequence, frame.length,
		damage->count, frame.key ? ", key" : "", frame.settled ? ", settled" : "");
	/* A broken channel shows as a closed socket; the loop ends on that. */
	(void)channel_send_frame(pipeline->channel, &header, frame.data, frame.length);
}

/* True when a frame is wanted, permitted and can be sent at once. */
static bool may_encode(const struct pipeline *pipeline) {
	bool again = pipeline->sequence > 0 && (pipeline->key || pipeline->unsettled);
	return !pipeline->failed && pipeline->ready && pipeline->credit > 0 &&
	       channel_idle(pipeline->channel) && (pipeline->waiting || again);
}

void pipeline_step(struct pipeline *pipeline) {
	while (may_encode(pipeline)) {
		int64_t now = pipeline->loop->now(pipeline->loop_data);
		bool refine = !pipeline->waiting && !pipeline->key;
		int64_t delay =
			refine ? pipeline->refine_us - now : pace_wait(&pipeline->pace, now);
		if (delay > 0) {
			pipeline->loop->wake(pipeline->loop_data, delay);
			return;
		}
		struct damage damage = {0};
		int64_t pts_us = now;
		if (pipeline->waiting && !convert_newest(pipeline, &damage, &pts_us)) {
			continue;
		}
		if (refine) {
			pipeline->refine_us = now + pipeline->pace.interval_us;
		} else {
			pace_took(&pipeline->pace, now);
			pipeline->refine_us = now + REFINE_AFTER_US;
		}
		encode_and_send(pipeline, &damage, pts_us);
	}
}

void pipeline_picture(struct pipeline *pipeline, uint32_t width, uint32_t height) {
	pipeline->waiting = true;
	if (!pipeline->ready && !pipeline->failed) {
		const struct packet packet = {
			.type = PACKET_READY,
			.ready = {.codec = pipeline->open.codec,
				.width = width & ~1u,
				.height = height & ~1u},
		};
		pipeline->ready = true;
		(void)channel_send(pipeline->channel, &packet);
	}
	pipeline_step(pipeline);
}

void pipeline_credit(struct pipeline *pipeline, uint32_t frames) {
	uint32_t credit = pipeline->credit + frames;
	pipeline->credit = credit < CREDIT_HELD_MAX ? credit : CREDIT_HELD_MAX;
	pipeline_step(pipeline);
}

void pipeline_keyframe(struct pipeline *pipeline) {
	pipeline->key = true;
	pipeline_step(pipeline);
}
