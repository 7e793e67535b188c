#include "capture/pipeline.h"

#include <stdlib.h>

#include "base/log.h"
#include "capture/canvas.h"
#include "capture/cursor_packet.h"
#include "capture/pace.h"

/* More credit than a peer could mean; the rest is dropped. */
#define CREDIT_HELD_MAX 64u
/* A picture is made better once nothing new has come for so long: on a moving screen that would
 * only take the time of the next one. */
#define REFINE_AFTER_US 100000
/* A picture after such a rest has time to be checked throughout. */
#define REST_US 500000

struct pipeline {
	struct packet_open open;
	struct source *source;
	struct encoder *encoder;
	struct channel *channel;
	const struct pipeline_loop *loop;
	void *loop_data;
	struct pace pace;
	struct canvas canvas;
	struct cursor_packet cursor;
	uint32_t bitmap; /* of the cursor that is drawn in */
	uint32_t credit;
	uint32_t sequence;
	int64_t last_pts_us;
	int64_t taken_us;  /* when a picture was taken last */
	int64_t refine_us; /* when the last picture may be made better */
	bool ready;        /* READY was sent */
	bool waiting;      /* the source has a picture */
	bool changed;      /* cursor or size, without a new picture */
	bool key;          /* a keyframe is wanted */
	bool unsettled;    /* encoding the last picture again improves it */
	bool failed;
};

enum packet_chroma pipeline_chroma(const struct packet_open *open) {
	return open->fidelity == PACKET_FIDELITY_TEXT ? PACKET_CHROMA_444 : PACKET_CHROMA_420;
}

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
		.taken_us = -REST_US,
	};
	canvas_init(&pipeline->canvas, pipeline_chroma(open), open->max_width, open->max_height);
	pace_init(&pipeline->pace, open->max_fps);
	return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline) {
	if (pipeline != NULL) {
		canvas_finish(&pipeline->canvas);
		free(pipeline);
	}
}

static void fail(struct pipeline *pipeline, enum error_code code, const char *detail) {
	pipeline->failed = true;
	pipeline->loop->failed(pipeline->loop_data, code, detail);
}

static void out_of_memory(struct pipeline *pipeline) {
	fail(pipeline, ERROR_OUT_OF_MEMORY, "no memory for the picture");
}

/* Learns where the cursor is. */
static void update_cursor(struct pipeline *pipeline) {
	struct source_cursor cursor;
	if (pipeline->open.cursor == PACKET_CURSOR_AS_IS ||
		!source_cursor(pipeline->source, &cursor)) {
		return;
	}
	if (pipeline->open.cursor == PACKET_CURSOR_SEND) {
		cursor_packet_update(&pipeline->cursor, &cursor);
		return;
	}
	struct cursor *drawn = &pipeline->canvas.cursor;
	if (cursor.bitmap != pipeline->bitmap) {
		pipeline->bitmap = cursor.bitmap;
		if (!cursor_set_bitmap(drawn, cursor.width, cursor.height, cursor.rgba)) {
			out_of_memory(pipeline);
			return;
		}
	}
	cursor_move(drawn, cursor.visible, cursor.x - cursor.hot_x, cursor.y - cursor.hot_y);
	pipeline->changed = pipeline->changed || drawn->changed;
}

/* Brings the canvas up to date with the newest picture of the source. False when there is none
 * after all, or it failed. */
static bool read_newest(struct pipeline *pipeline, int64_t now, int64_t *pts_us) {
	struct source_picture newest;
	pipeline->waiting = false;
	if (!source_take(pipeline->source, &newest)) {
		return false;
	}
	bool rested = now - pipeline->taken_us >= REST_US;
	bool read = canvas_read(
		&pipeline->canvas, &newest.pixels, newest.orientation, &newest.damage, rested);
	*pts_us = newest.pts_us;
	source_give_back(pipeline->source);
	pipeline->taken_us = now;
	if (!read) {
		out_of_memory(pipeline);
	}
	return read;
}

/* False when the encoder left the picture out: it is to be encoded again. */
static bool encode_and_send(struct pipeline *pipeline, const struct picture *picture,
	const struct damage *damage, int64_t pts_us) {
	struct encoder_frame frame;
	if (!encoder_encode(pipeline->encoder, picture, damage, pipeline->key, &frame)) {
		fail(pipeline, ERROR_ENCODER_FAILED, encoder_error(pipeline->encoder));
		return true;
	}
	if (frame.length == 0) {
		pipeline->unsettled = true;
		return false;
	}
	if (frame.length > CHANNEL_FRAME_MAX) {
		fail(pipeline, ERROR_ENCODER_FAILED, "a frame is longer than 8 MiB");
		return true;
	}
	/* Decoders want time to go forward, also where a compositor's clock jumps back. */
	pipeline->last_pts_us = pts_us > pipeline->last_pts_us ? pts_us : pipeline->last_pts_us + 1;
	const struct packet_frame header = {
		.sequence = pipeline->sequence++,
		.key = frame.key,
		.width = picture->width,
		.height = picture->height,
		.pts_us = pipeline->last_pts_us,
	};
	pipeline->credit--;
	pipeline->key = false;
	pipeline->unsettled = !frame.settled;
	log_debug("frame %u: %zu bytes, %u damaged areas%s%s", header.sequence, frame.length,
		damage->count, frame.key ? ", key" : "", frame.settled ? ", settled" : "");
	/* A broken channel shows as a closed socket; the loop ends on that. */
	(void)channel_send_frame(pipeline->channel, &header, frame.data, frame.length);
	return true;
}

/* True when the canvas holds something that was not sent. */
static bool is_stale(const struct pipeline *pipeline) {
	return !canvas_is_empty(&pipeline->canvas) && (pipeline->key || pipeline->changed);
}

/* True when a frame is wanted, permitted and can be sent at once. */
static bool may_encode(const struct pipeline *pipeline) {
	return !pipeline->failed && pipeline->ready && pipeline->credit > 0 &&
	       channel_idle(pipeline->channel) &&
	       (pipeline->waiting || pipeline->unsettled || is_stale(pipeline));
}

/* One frame, of what is newest; none when nothing of it shows. */
static void make_frame(struct pipeline *pipeline, bool refine, int64_t now) {
	int64_t pts_us = now;
	if (pipeline->waiting) {
		if (!read_newest(pipeline, now, &pts_us)) {
			return;
		}
		update_cursor(pipeline);
	}
	const struct picture *picture = NULL;
	struct damage damage;
	if (!canvas_compose(&pipeline->canvas, &picture, &damage)) {
		out_of_memory(pipeline);
		return;
	}
	pipeline->changed = false;
	if (damage_is_empty(&damage) && !pipeline->key && !refine) {
		return;
	}
	if (refine) {
		pipeline->refine_us = now + pipeline->pace.interval_us;
	} else {
		pace_took(&pipeline->pace, now);
		pipeline->refine_us = now + REFINE_AFTER_US;
	}
	/* A picture from before the last refinement is shown when it comes, not before. */
	if (!encode_and_send(
		    pipeline, picture, &damage, pts_us > pipeline->last_pts_us ? pts_us : now)) {
		pipeline->refine_us = now + pipeline->pace.interval_us;
	}
}

static void send_cursor(struct pipeline *pipeline) {
	if (pipeline->cursor.waits && pipeline->ready && !pipeline->failed &&
		!canvas_is_empty(&pipeline->canvas) && channel_idle(pipeline->channel)) {
		struct packet packet = cursor_packet_make(&pipeline->cursor, &pipeline->canvas);
		(void)channel_send(pipeline->channel, &packet);
	}
}

void pipeline_step(struct pipeline *pipeline) {
	send_cursor(pipeline);
	while (may_encode(pipeline)) {
		int64_t now = pipeline->loop->now(pipeline->loop_data);
		bool refine = !pipeline->waiting && !is_stale(pipeline);
		int64_t delay =
			refine ? pipeline->refine_us - now : pace_wait(&pipeline->pace, now);
		if (delay > 0) {
			pipeline->loop->wake(pipeline->loop_data, delay);
			return;
		}
		make_frame(pipeline, refine, now);
	}
}

void pipeline_picture(struct pipeline *pipeline, uint32_t width, uint32_t height) {
	pipeline->waiting = true;
	canvas_size(&pipeline->canvas, &width, &height);
	if (!pipeline->ready && !pipeline->failed) {
		const struct packet packet = {
			.type = PACKET_READY,
			.ready = {.codec = pipeline->open.codec,
				.width = width,
				.height = height,
				.chroma = pipeline->canvas.chroma},
		};
		pipeline->ready = true;
		(void)channel_send(pipeline->channel, &packet);
	}
	pipeline_step(pipeline);
}

void pipeline_cursor(struct pipeline *pipeline) {
	update_cursor(pipeline);
	pipeline_step(pipeline);
}

void pipeline_set(struct pipeline *pipeline, const struct packet_set *set) {
	struct canvas *canvas = &pipeline->canvas;
	pace_set_fps(&pipeline->pace, set->max_fps);
	encoder_set_rate(pipeline->encoder, set->max_fps, set->max_kbps);
	if (canvas->max_width != set->max_width || canvas->max_height != set->max_height) {
		canvas->max_width = set->max_width;
		canvas->max_height = set->max_height;
		pipeline->changed = true;
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
