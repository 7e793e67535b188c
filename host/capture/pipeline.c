#include "capture/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "capture/codec_choice.h"
#include "capture/cursor_packet.h"
#include "capture/follow.h"
#include "capture/motion.h"
#include "capture/pace.h"
#include "picture/canvas.h"

/* More credit than a peer could mean; the rest is dropped. */
#define CREDIT_HELD_MAX 64u
/* A picture is made better once nothing new has come for so long: on a moving screen that would
 * only take the time of the next one. */
#define REFINE_AFTER_US 100000
/* Where changes come steadily, the next one is waited for, up to this: in between, refining would
 * only add to its cost. */
#define REFINE_AFTER_MAX_US 250000
/* One of another size waits for its turn no longer than this, however low the rate: whoever changed
 * it is looking. */
#define RESIZE_WAIT_US 50000
/* A picture after such a rest has time to be checked throughout. */
#define REST_US 500000

/* Between pipeline_read() and the loop. */
struct intake {
	bool fresh;  /* a picture was read that the loop did not look at */
	bool moved;  /* the cursor's place is relative to another corner */
	bool failed; /* memory ran out */
	int64_t pts_us;
	int64_t read_us; /* when the last picture was read */
};

struct pipeline {
	struct packet_open open;
	struct source *source;
	struct encoder *encoder;
	struct channel *channel;
	const struct pipeline_loop *loop;
	void *loop_data;
	struct pace pace;
	struct motion motion;
	struct codec_choice choice;
	struct follow follow;
	int64_t encode_us; /* how long the last encode took */
	/* Under the source's lock. What was composed is the loop's alone. */
	struct canvas canvas;
	struct intake intake;
	struct cursor_packet cursor;
	uint32_t bitmap; /* of the cursor that is drawn in */
	uint32_t credit;
	uint32_t sequence;
	int64_t last_pts_us;
	int64_t taken_us;    /* of the last picture that was looked at */
	uint32_t last_width; /* of the last frame */
	uint32_t last_height;
	int64_t change_us;  /* when the last change was encoded */
	int64_t refine_us;  /* when the last picture may be made better */
	uint32_t refined;   /* frames that made it better since its last keyframe */
	uint32_t refinable; /* so many of them are short enough, as far as is known */
	bool ready;         /* READY was sent */
	bool begun;         /* the canvas has a picture */
	bool waiting;       /* the source announced a picture */
	bool changed;       /* cursor or size, without a new picture */
	bool resized;       /* what is sent next has another size than what was sent last */
	bool key;           /* a keyframe is wanted */
	bool coarse;        /* the last frame was too long */
	bool unsettled;     /* encoding the last picture again improves it */
	bool failed;
};

enum packet_chroma pipeline_chroma(const struct packet_open *open) {
	return open->fidelity == PACKET_FIDELITY_TEXT ? PACKET_CHROMA_444 : PACKET_CHROMA_420;
}

static struct rect region_rect(const struct packet_region *region) {
	return (struct rect){(int32_t)region->x, (int32_t)region->y, (int32_t)region->width,
		(int32_t)region->height};
}

/* Pictures are taken in for as long as there is credit for a frame of them. */
static void update_want(struct pipeline *pipeline) {
	source_want(pipeline->source, pipeline->credit > 0 && !pipeline->failed);
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
		.intake.read_us = -REST_US,
		.change_us = -REFINE_AFTER_MAX_US,
	};
	canvas_init(&pipeline->canvas, pipeline_chroma(open), open->max_width, open->max_height);
	pipeline->canvas.region = region_rect(&open->region);
	pace_init(&pipeline->pace, open->max_fps);
	codec_choice_init(&pipeline->choice, open->codec);
	update_want(pipeline);
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
	update_want(pipeline);
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
	bool set = true;
	source_lock(pipeline->source);
	if (cursor.bitmap != pipeline->bitmap) {
		pipeline->bitmap = cursor.bitmap;
		set = cursor_set_bitmap(drawn, cursor.width, cursor.height, cursor.rgba);
	}
	cursor_move(drawn, cursor.visible, cursor.x - cursor.hot_x - pipeline->canvas.crop.x,
		cursor.y - cursor.hot_y - pipeline->canvas.crop.y);
	pipeline->changed = pipeline->changed || drawn->changed;
	source_unlock(pipeline->source);
	if (!set) {
		out_of_memory(pipeline);
	}
}

void pipeline_read(struct pipeline *pipeline, const struct source_picture *picture) {
	struct intake *intake = &pipeline->intake;
	int64_t now = pipeline->loop->now(pipeline->loop_data);
	bool rested = now - intake->read_us >= REST_US;
	const struct rect crop = pipeline->canvas.crop;
	bool read = canvas_read(
		&pipeline->canvas, &picture->pixels, picture->orientation, picture->damage, rested);
	intake->fresh = true;
	intake->failed = intake->failed || !read;
	intake->moved = intake->moved || memcmp(&crop, &pipeline->canvas.crop, sizeof(crop)) != 0;
	intake->pts_us = picture->pts_us;
	intake->read_us = now;
}

/* Looks at what was taken in since the last time. False when that was nothing, or it failed. */
static bool take_intake(struct pipeline *pipeline, int64_t *pts_us) {
	struct intake *intake = &pipeline->intake;
	source_lock(pipeline->source);
	const struct intake last = *intake;
	intake->fresh = false;
	intake->moved = false;
	pipeline->begun = !canvas_is_empty(&pipeline->canvas);
	source_unlock(pipeline->source);
	pipeline->waiting = false;
	pipeline->taken_us = last.pts_us;
	if (last.moved) {
		cursor_packet_repeat(&pipeline->cursor);
	}
	if (last.failed) {
		out_of_memory(pipeline);
	}
	if (!last.fresh || last.failed || !pipeline->begun) {
		return false;
	}
	*pts_us = last.pts_us;
	return true;
}

static struct encoder_wish choose(
	struct pipeline *pipeline, const struct picture *picture, const struct damage *damage) {
	motion_see(&pipeline->motion, picture, damage);
	const struct codec_choice_view view = {
		.now_us = pipeline->loop->now(pipeline->loop_data),
		.changed = pipeline->motion.changed,
		.pixels = (uint64_t)picture->width * picture->height,
		.vp9_only = !codec_choice_vp8_fits(picture->width, picture->height),
		.encode_us = pipeline->encode_us,
		.interval_us = pipeline->pace.interval_us,
	};
	enum packet_codec last = pipeline->choice.codec;
	struct encoder_wish wish = {.codec = codec_choice_see(&pipeline->choice, &view),
		.key = pipeline->key,
		.moving = pipeline->motion.moving,
		.coarse = pipeline->coarse};
	if (pipeline->open.codec != PACKET_CODEC_VP9) {
		const struct follow_view scrolled = {
			.now_us = view.now_us,
			.interval_us = view.interval_us,
			.all = codec_choice_most_changed(&view) && !wish.moving,
			.fresh = wish.key || wish.codec != last,
		};
		follow_see(&pipeline->follow, picture, &scrolled, &wish);
	}
	return wish;
}

/* A picture whose next refinement is too long keeps those before it: tried again and again it would
 * go round between that and a coarse keyframe. */
static void count_refinement(
	struct pipeline *pipeline, const struct damage *damage, const struct encoder_frame *frame) {
	bool changed = !damage_is_empty(damage);
	if (changed) {
		pipeline->refinable = UINT32_MAX;
	}
	if (changed || frame->key) {
		pipeline->refined = 0;
	} else if (frame->length > CHANNEL_FRAME_MAX) {
		pipeline->refinable = pipeline->refined;
	} else if (frame->length > 0) {
		pipeline->refined++;
	}
}

/* False when the encoder left the picture out: it is to be encoded again. */
static bool encode_and_send(struct pipeline *pipeline, const struct picture *picture,
	const struct damage *damage, int64_t pts_us) {
	const struct encoder_wish wish = choose(pipeline, picture, damage);
	int64_t began = pipeline->loop->now(pipeline->loop_data);
	struct encoder_frame frame;
	bool encoded = encoder_encode(pipeline->encoder, picture, damage, &wish, &frame);
	pipeline->encode_us = pipeline->loop->now(pipeline->loop_data) - began;
	follow_encoded(&pipeline->follow, &wish, began, pipeline->encode_us);
	if (!encoded) {
		fail(pipeline, ERROR_ENCODER_FAILED, encoder_error(pipeline->encoder));
		return true;
	}
	bool long_frame = frame.length > CHANNEL_FRAME_MAX;
	if (long_frame && wish.coarse) {
		fail(pipeline, ERROR_ENCODER_FAILED, "a frame is longer than 8 MiB");
		return true;
	}
	pipeline->coarse = long_frame;
	count_refinement(pipeline, damage, &frame);
	if (frame.length == 0 || long_frame) {
		/* What no decoder gets, no later frame may refer to. */
		pipeline->key = pipeline->key || long_frame;
		pipeline->unsettled = true;
		return false;
	}
	/* Decoders want time to go forward, also where a compositor's clock jumps back. */
	pipeline->last_pts_us = pts_us > pipeline->last_pts_us ? pts_us : pipeline->last_pts_us + 1;
	const struct packet_frame header = {
		.sequence = pipeline->sequence++,
		.key = frame.key,
		.codec = wish.codec,
		.width = picture->width,
		.height = picture->height,
		.pts_us = pipeline->last_pts_us,
	};
	pipeline->last_width = header.width;
	pipeline->last_height = header.height;
	pipeline->resized = false;
	pipeline->credit--;
	update_want(pipeline);
	pipeline->key = false;
	pipeline->unsettled = !frame.settled && pipeline->refined < pipeline->refinable;
	log_debug("frame %u: VP%s, %zu bytes, %u damaged areas%s%s", header.sequence,
		wish.codec == PACKET_CODEC_VP8 ? "8" : "9", frame.length, damage->count,
		frame.key ? ", key" : "", frame.settled ? ", settled" : "");
	/* A broken channel shows as a closed socket; the loop ends on that. */
	(void)channel_send_frame(pipeline->channel, &header, frame.data, frame.length);
	return true;
}

/* True when the canvas holds something that was not sent. */
static bool is_stale(const struct pipeline *pipeline) {
	return pipeline->begun && (pipeline->key || pipeline->changed);
}

/* When a picture that rests is to be encoded again; INT64_MAX: it is as good as it gets. */
static int64_t improve_at(const struct pipeline *pipeline) {
	return pipeline->unsettled ? pipeline->refine_us : codec_choice_rest_us(&pipeline->choice);
}

/* True when a frame is wanted, permitted and can be sent at once. */
static bool may_encode(const struct pipeline *pipeline) {
	return !pipeline->failed && pipeline->ready && pipeline->credit > 0 &&
	       channel_idle(pipeline->channel) &&
	       (pipeline->waiting || improve_at(pipeline) < INT64_MAX || is_stale(pipeline));
}

/* `interval_us`: between the last two changes. */
static int64_t refine_delay(int64_t interval_us) {
	int64_t delay = 2 * interval_us;
	bool steady = interval_us < REFINE_AFTER_MAX_US && delay > REFINE_AFTER_US;
	return !steady                       ? REFINE_AFTER_US
	       : delay < REFINE_AFTER_MAX_US ? delay
					     : REFINE_AFTER_MAX_US;
}

/* One frame, of what is newest; none when nothing of it shows. */
static void make_frame(struct pipeline *pipeline, bool refine, int64_t now) {
	int64_t pts_us = now;
	bool announced = pipeline->waiting;
	/* One may have come that is announced only later. */
	bool fresh = take_intake(pipeline, &pts_us);
	if (pipeline->failed || (announced && !fresh)) {
		return;
	}
	if (announced) {
		update_cursor(pipeline);
	}
	const struct picture *picture = NULL;
	struct damage damage;
	source_lock(pipeline->source);
	bool composed = canvas_compose(&pipeline->canvas, &picture, &damage);
	source_unlock(pipeline->source);
	if (!composed) {
		out_of_memory(pipeline);
		return;
	}
	pipeline->changed = false;
	if (damage_is_empty(&damage) && !pipeline->key && !refine) {
		return;
	}
	if (refine && !fresh) {
		pipeline->refine_us = now + pipeline->pace.interval_us;
	} else {
		pace_took(&pipeline->pace, now);
		pipeline->refine_us = now + refine_delay(now - pipeline->change_us);
		pipeline->change_us = now;
	}
	/* A picture from before the last refinement is shown when it comes, not before. */
	if (!encode_and_send(
		    pipeline, picture, &damage, pts_us > pipeline->last_pts_us ? pts_us : now)) {
		pipeline->refine_us = now + pipeline->pace.interval_us;
	}
}

static void send_cursor(struct pipeline *pipeline) {
	if (pipeline->cursor.waits && pipeline->ready && !pipeline->failed && pipeline->begun &&
		channel_idle(pipeline->channel)) {
		source_lock(pipeline->source);
		struct packet packet = cursor_packet_make(&pipeline->cursor, &pipeline->canvas);
		source_unlock(pipeline->source);
		(void)channel_send(pipeline->channel, &packet);
	}
}

/* Until a new picture may be encoded. */
static int64_t turn_wait(const struct pipeline *pipeline, int64_t now) {
	int64_t wait = pace_wait(&pipeline->pace, now);
	int64_t longest = pipeline->pace.taken_us + RESIZE_WAIT_US - now;
	return pipeline->resized && wait > longest ? longest : wait;
}

static void make_frames(struct pipeline *pipeline) {
	while (may_encode(pipeline)) {
		int64_t now = pipeline->loop->now(pipeline->loop_data);
		bool refine = !pipeline->waiting && !is_stale(pipeline);
		int64_t delay = refine ? improve_at(pipeline) - now : turn_wait(pipeline, now);
		if (delay > 0) {
			pipeline->loop->wake(pipeline->loop_data, delay);
			return;
		}
		make_frame(pipeline, refine, now);
	}
}

/* Nothing is left to do until a packet or a picture comes: what tests wait for. */
static bool is_settled(const struct pipeline *pipeline) {
	return pipeline->ready && !pipeline->failed && !pipeline->waiting && !is_stale(pipeline) &&
	       improve_at(pipeline) == INT64_MAX && channel_idle(pipeline->channel);
}

void pipeline_step(struct pipeline *pipeline) {
	send_cursor(pipeline);
	make_frames(pipeline);
	/* Where a frame has another size or region, the cursor has another place. */
	send_cursor(pipeline);
	if (is_settled(pipeline)) {
		log_debug("settled: %u frames, credit for %u, pictures until %" PRId64 " us",
			pipeline->sequence, pipeline->credit, pipeline->taken_us);
	}
}

void pipeline_picture(struct pipeline *pipeline, uint32_t width, uint32_t height) {
	char detail[64];
	pipeline->waiting = true;
	uint32_t full_width = width;
	uint32_t full_height = height;
	bool shows = canvas_full_size(&pipeline->canvas, &full_width, &full_height) &&
		     canvas_size(&pipeline->canvas, &width, &height);
	bool fits =
		pipeline->open.codec != PACKET_CODEC_VP8 || codec_choice_vp8_fits(width, height);
	if (!pipeline->ready && !pipeline->failed && !shows) {
		snprintf(detail, sizeof(detail), "the picture is %ux%u", width, height);
		fail(pipeline, ERROR_REGION_OUTSIDE, detail);
	} else if (!pipeline->failed && shows && !fits) {
		snprintf(detail, sizeof(detail), "VP8 takes no picture of %ux%u", width, height);
		fail(pipeline, ERROR_ENCODER_FAILED, detail);
	} else if (!pipeline->ready && !pipeline->failed) {
		const struct packet packet = {
			.type = PACKET_READY,
			.ready = {.codec = pipeline->choice.codec,
				.width = width,
				.height = height,
				.full_width = full_width,
				.full_height = full_height,
				.chroma = pipeline->canvas.chroma},
		};
		pipeline->ready = true;
		(void)channel_send(pipeline->channel, &packet);
	}
	pipeline->resized = width != pipeline->last_width || height != pipeline->last_height;
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
	source_set_rate(pipeline->source, set->max_fps);
	const struct rect region = region_rect(&set->region);
	bool moved = memcmp(&region, &canvas->region, sizeof(region)) != 0;
	bool resized = canvas->max_width != set->max_width || canvas->max_height != set->max_height;
	source_lock(pipeline->source);
	canvas->region = region;
	canvas->max_width = set->max_width;
	canvas->max_height = set->max_height;
	source_unlock(pipeline->source);
	bool unread = pipeline->waiting && pipeline->credit == 0;
	if (moved && !unread && pipeline->begun) {
		/* What it shows now was not converted. */
		source_refresh(pipeline->source);
	}
	/* The picture with the new region brings the new size too. */
	pipeline->changed = pipeline->changed || (resized && !moved);
	pipeline->resized = pipeline->resized || resized;
	if (resized) {
		cursor_packet_repeat(&pipeline->cursor);
	}
	pipeline_step(pipeline);
}

void pipeline_credit(struct pipeline *pipeline, uint32_t frames) {
	uint32_t credit = pipeline->credit + frames;
	pipeline->credit = credit < CREDIT_HELD_MAX ? credit : CREDIT_HELD_MAX;
	update_want(pipeline);
	pipeline_step(pipeline);
}

void pipeline_keyframe(struct pipeline *pipeline) {
	pipeline->key = true;
	pipeline_step(pipeline);
}
