#include "capture/pipeline.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/log.h"
#include "capture/codec_choice.h"
#include "capture/cursor_packet.h"
#include "capture/follow.h"
#include "capture/motion.h"
#include "capture/pace.h"
#include "picture/canvas.h"

/* More credit than a peer has a use for; the rest is dropped. */
#define CREDIT_HELD_MAX 64u
/* A picture is refined once nothing new has come for this long: on a moving screen, refining would
 * only delay the next picture. */
#define REFINE_AFTER_US 100000
/* Where changes come at steady intervals, refining waits for the next one, at most this long. */
#define REFINE_AFTER_MAX_US 250000
/* A picture of another size waits no longer, however low the rate: whoever resized it looks. */
#define RESIZE_WAIT_US 50000

/* What pipeline_read() hands to the loop. The source may hold its own lock when it takes this one,
 * so never call the source while holding it. */
struct intake {
	pthread_mutex_t lock;
	struct canvas canvas; /* a composed picture belongs to the loop and needs no lock */
	bool fresh;           /* a picture was read that the loop hasn't looked at */
	bool moved;           /* the crop moved, so the cursor's position did too */
	bool failed;          /* out of memory */
	int64_t pts_us;
};

enum state {
	STATE_STARTING, /* READY was not sent */
	STATE_EMPTY,    /* no picture was read yet */
	STATE_LIVE,
	STATE_FAILED,
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
	struct intake intake;
	enum state state;
	/* What the peer has yet to get. */
	struct {
		bool picture;    /* one that the source announced */
		bool change;     /* the last picture, with another cursor or size */
		bool keyframe;   /* any picture, as a keyframe */
		bool refinement; /* the last picture again, in better quality */
	} owed;
	struct cursor_packet cursor;
	uint32_t bitmap; /* of the cursor that is drawn in; the source's count */
	uint32_t credit;
	uint32_t frames;          /* sent */
	struct packet_frame sent; /* the last frame */
	uint32_t width;           /* of the source's last picture, upright */
	uint32_t height;
	int64_t taken_us;   /* time stamp of the last picture that the loop looked at */
	int64_t encode_us;  /* how long the last encode took */
	int64_t change_us;  /* when the last change was encoded */
	int64_t refine_us;  /* when the next refinement is due */
	uint32_t refined;   /* refinements since the last change or keyframe */
	uint32_t refinable; /* how many of them are known to fit into a frame */
};

enum packet_chroma pipeline_chroma(const struct packet_open *open) {
	return open->fidelity == PACKET_FIDELITY_TEXT ? PACKET_CHROMA_444 : PACKET_CHROMA_420;
}

static int64_t clock_now(const struct pipeline *pipeline) {
	return pipeline->loop->now(pipeline->loop_data);
}

static struct rect region_rect(const struct packet_region *region) {
	return (struct rect){(int32_t)region->x, (int32_t)region->y, (int32_t)region->width,
		(int32_t)region->height};
}

/* Pictures are only taken in while there is credit for a frame. */
static void set_credit(struct pipeline *pipeline, uint32_t credit) {
	pipeline->credit = MIN(credit, CREDIT_HELD_MAX);
	source_want(pipeline->source, pipeline->credit > 0 && pipeline->state != STATE_FAILED);
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
		.sent.pts_us = -1,
		.change_us = -REFINE_AFTER_MAX_US,
	};
	struct canvas *canvas = &pipeline->intake.canvas;
	pthread_mutex_init(&pipeline->intake.lock, NULL);
	canvas_init(canvas, pipeline_chroma(open), open->max_width, open->max_height);
	canvas->region = region_rect(&open->region);
	pace_init(&pipeline->pace, open->max_fps);
	codec_choice_init(&pipeline->choice, open->codec);
	set_credit(pipeline, open->credit);
	return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline) {
	if (pipeline != NULL) {
		canvas_finish(&pipeline->intake.canvas);
		pthread_mutex_destroy(&pipeline->intake.lock);
		free(pipeline);
	}
}

static void fail(struct pipeline *pipeline, enum error_code code, const char *detail) {
	pipeline->state = STATE_FAILED;
	set_credit(pipeline, 0);
	pipeline->loop->failed(pipeline->loop_data, code, detail);
}

static void out_of_memory(struct pipeline *pipeline) {
	fail(pipeline, ERROR_OUT_OF_MEMORY, "no memory for the picture");
}

/* Takes over what the source knows of its cursor. */
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
	struct canvas *canvas = &pipeline->intake.canvas;
	bool set = true;
	pthread_mutex_lock(&pipeline->intake.lock);
	if (cursor.bitmap != pipeline->bitmap) {
		pipeline->bitmap = cursor.bitmap;
		set = cursor_set_bitmap(&canvas->cursor, cursor.width, cursor.height, cursor.rgba);
	}
	cursor_move(&canvas->cursor, cursor.visible, cursor.x - cursor.hot_x - canvas->crop.x,
		cursor.y - cursor.hot_y - canvas->crop.y);
	pipeline->owed.change = pipeline->owed.change || canvas->cursor.changed;
	pthread_mutex_unlock(&pipeline->intake.lock);
	if (!set) {
		out_of_memory(pipeline);
	}
}

void pipeline_read(struct pipeline *pipeline, const struct source_picture *picture) {
	struct intake *intake = &pipeline->intake;
	pthread_mutex_lock(&intake->lock);
	const struct rect crop = intake->canvas.crop;
	bool read = canvas_read(
		&intake->canvas, &picture->pixels, picture->orientation, picture->damage);
	intake->fresh = true;
	intake->failed = intake->failed || !read;
	intake->moved = intake->moved || memcmp(&crop, &intake->canvas.crop, sizeof(crop)) != 0;
	intake->pts_us = picture->pts_us;
	pthread_mutex_unlock(&intake->lock);
}

/* Looks at what was read since the last call. False when that was nothing, or it failed. */
static bool take_intake(struct pipeline *pipeline) {
	struct intake *intake = &pipeline->intake;
	pthread_mutex_lock(&intake->lock);
	bool fresh = intake->fresh;
	bool moved = intake->moved;
	bool failed = intake->failed;
	bool empty = canvas_is_empty(&intake->canvas);
	pipeline->taken_us = intake->pts_us;
	intake->fresh = false;
	intake->moved = false;
	pthread_mutex_unlock(&intake->lock);
	pipeline->state = empty ? STATE_EMPTY : STATE_LIVE;
	pipeline->owed.picture = false;
	if (moved) {
		cursor_packet_repeat(&pipeline->cursor);
	}
	if (failed) {
		out_of_memory(pipeline);
	}
	return fresh && !failed && !empty;
}

static struct encoder_wish choose(
	struct pipeline *pipeline, const struct picture *picture, const struct damage *damage) {
	motion_see(&pipeline->motion, picture, damage);
	const struct codec_choice_view view = {
		.now_us = clock_now(pipeline),
		.changed = pipeline->motion.changed,
		.width = picture->width,
		.height = picture->height,
		.encode_us = pipeline->encode_us,
		.interval_us = pipeline->pace.interval_us,
	};
	enum packet_codec last = pipeline->choice.codec;
	struct encoder_wish wish = {
		.codec = codec_choice_see(&pipeline->choice, &view),
		.key = pipeline->owed.keyframe,
		.moving = pipeline->motion.moving,
	};
	if (pipeline->open.codec != PACKET_CODEC_VP9) {
		bool fresh = wish.key || wish.codec != last;
		follow_see(&pipeline->follow, picture, &view, fresh, &wish);
	}
	return wish;
}

/* When a refinement doesn't fit into a frame, the picture keeps to those before it. Trying again
 * would alternate between that refinement and a coarse keyframe forever. */
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

/* A picture whose frame is too long to send is encoded again as a coarse keyframe. False when it
 * failed. */
static bool encode(struct pipeline *pipeline, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame) {
	if (!encoder_encode(pipeline->encoder, picture, damage, wish, frame)) {
		fail(pipeline, ERROR_ENCODER_FAILED, encoder_error(pipeline->encoder));
		return false;
	}
	count_refinement(pipeline, damage, frame);
	if (frame->length <= CHANNEL_FRAME_MAX) {
		return true;
	}
	if (wish->coarse) {
		fail(pipeline, ERROR_ENCODER_FAILED, "a frame is longer than 8 MiB");
		return false;
	}
	/* No decoder gets this frame, so no later one may refer to it. */
	pipeline->owed.keyframe = true;
	const struct encoder_wish coarse = {.codec = wish->codec, .key = true, .coarse = true};
	return encode(pipeline, picture, &(struct damage){0}, &coarse, frame);
}

static void encode_and_send(struct pipeline *pipeline, const struct picture *picture,
	const struct damage *damage, int64_t pts_us) {
	const struct encoder_wish wish = choose(pipeline, picture, damage);
	int64_t began = clock_now(pipeline);
	struct encoder_frame frame;
	bool encoded = encode(pipeline, picture, damage, &wish, &frame);
	pipeline->encode_us = clock_now(pipeline) - began;
	follow_encoded(&pipeline->follow, &wish, began, pipeline->encode_us);
	if (!encoded) {
		return;
	}
	if (frame.length == 0) {
		/* Rate control skipped the picture. */
		pipeline->owed.refinement = true;
		pipeline->refine_us = began + pipeline->pace.interval_us;
		return;
	}
	struct packet_frame *sent = &pipeline->sent;
	*sent = (struct packet_frame){
		.sequence = pipeline->frames++,
		.key = frame.key,
		.codec = wish.codec,
		.width = picture->width,
		.height = picture->height,
		/* Decoders need increasing time stamps, even if a compositor's clock jumps back. */
		.pts_us = pts_us > sent->pts_us ? pts_us : sent->pts_us + 1,
	};
	pipeline->owed.keyframe = false;
	pipeline->owed.refinement = !frame.settled && pipeline->refined < pipeline->refinable;
	set_credit(pipeline, pipeline->credit - 1);
	log_debug("frame %u: VP%s, %zu bytes, %u damaged areas%s%s", sent->sequence,
		wish.codec == PACKET_CODEC_VP8 ? "8" : "9", frame.length, damage->count,
		frame.key ? ", key" : "", frame.settled ? ", settled" : "");
	/* A broken channel shows as a closed socket; the loop ends on that. */
	(void)channel_send_frame(pipeline->channel, sent, frame.data, frame.length);
}

/* True when the picture has to be sent again without a new one from the source. */
static bool is_stale(const struct pipeline *pipeline) {
	return pipeline->state == STATE_LIVE && (pipeline->owed.keyframe || pipeline->owed.change);
}

/* When a resting picture is encoded again; INT64_MAX: never, it can't get better. */
static int64_t improve_at(const struct pipeline *pipeline) {
	return pipeline->owed.refinement ? pipeline->refine_us
					 : codec_choice_rest_us(&pipeline->choice);
}

/* True when a frame is due, now or later. */
static bool has_work(const struct pipeline *pipeline) {
	return pipeline->owed.picture || is_stale(pipeline) || improve_at(pipeline) < INT64_MAX;
}

static bool can_send(const struct pipeline *pipeline) {
	return (pipeline->state == STATE_EMPTY || pipeline->state == STATE_LIVE) &&
	       channel_idle(pipeline->channel);
}

/* `interval_us`: between the last two changes. */
static int64_t refine_delay(int64_t interval_us) {
	return interval_us >= REFINE_AFTER_MAX_US
		       ? REFINE_AFTER_US
		       : MIN(MAX(2 * interval_us, REFINE_AFTER_US), REFINE_AFTER_MAX_US);
}

/* Sends one frame of the newest picture, or none when nothing in it changed. */
static void make_frame(struct pipeline *pipeline, bool refine, int64_t now) {
	bool announced = pipeline->owed.picture;
	/* A picture may have been read that is announced only later. */
	bool fresh = take_intake(pipeline);
	if (announced && fresh) {
		update_cursor(pipeline);
	}
	if (pipeline->state == STATE_FAILED || (announced && !fresh)) {
		return;
	}
	const struct picture *picture = NULL;
	struct damage damage;
	pthread_mutex_lock(&pipeline->intake.lock);
	bool composed = canvas_compose(&pipeline->intake.canvas, &picture, &damage);
	pthread_mutex_unlock(&pipeline->intake.lock);
	if (!composed) {
		out_of_memory(pipeline);
		return;
	}
	pipeline->owed.change = false;
	if (damage_is_empty(&damage) && !pipeline->owed.keyframe && !refine) {
		return;
	}
	if (refine && !fresh) {
		pipeline->refine_us = now + pipeline->pace.interval_us;
	} else {
		pace_took(&pipeline->pace, now);
		pipeline->refine_us = now + refine_delay(now - pipeline->change_us);
		pipeline->change_us = now;
	}
	/* A picture may be older than the last refinement, which was dated when it was made. */
	bool newer = fresh && pipeline->taken_us > pipeline->sent.pts_us;
	encode_and_send(pipeline, picture, &damage, newer ? pipeline->taken_us : now);
}

/* A bitmap costs a credit, as a frame does: a peer that stops reading gets no more of them. */
static void send_cursor(struct pipeline *pipeline) {
	struct cursor_packet *cursor = &pipeline->cursor;
	bool bitmap = cursor->bitmap_waits && pipeline->credit > 0;
	if ((cursor->waits || bitmap) && pipeline->state == STATE_LIVE &&
		channel_idle(pipeline->channel)) {
		pthread_mutex_lock(&pipeline->intake.lock);
		struct packet packet = cursor_packet_make(cursor, &pipeline->intake.canvas, bitmap);
		pthread_mutex_unlock(&pipeline->intake.lock);
		(void)channel_send(pipeline->channel, &packet);
		if (bitmap) {
			set_credit(pipeline, pipeline->credit - 1);
		}
	}
}

/* How long a new picture has to wait for its turn. Only the loop changes the region and the limits,
 * so canvas_size() needs no lock. */
static int64_t turn_wait(const struct pipeline *pipeline, int64_t now) {
	int64_t wait = pace_wait(&pipeline->pace, now);
	int64_t longest = pipeline->pace.taken_us + RESIZE_WAIT_US - now;
	uint32_t width = pipeline->width;
	uint32_t height = pipeline->height;
	bool resized = canvas_size(&pipeline->intake.canvas, &width, &height) &&
		       (width != pipeline->sent.width || height != pipeline->sent.height);
	return resized ? MIN(wait, longest) : wait;
}

static void make_frames(struct pipeline *pipeline) {
	while (can_send(pipeline) && pipeline->credit > 0 && has_work(pipeline)) {
		int64_t now = clock_now(pipeline);
		bool refine = !pipeline->owed.picture && !is_stale(pipeline);
		int64_t delay = refine ? improve_at(pipeline) - now : turn_wait(pipeline, now);
		if (delay > 0) {
			pipeline->loop->wake(pipeline->loop_data, delay);
			return;
		}
		make_frame(pipeline, refine, now);
	}
}

void pipeline_step(struct pipeline *pipeline) {
	send_cursor(pipeline);
	make_frames(pipeline);
	/* A frame of another size or region moves the cursor. */
	send_cursor(pipeline);
	/* Tests wait for this line. */
	if (can_send(pipeline) && !has_work(pipeline)) {
		log_debug("settled: %u frames, credit for %u, pictures until %" PRId64 " us",
			pipeline->frames, pipeline->credit, pipeline->taken_us);
	}
}

/* Checks a picture's size, and sends READY for the first one. */
static void check_size(struct pipeline *pipeline, uint32_t width, uint32_t height) {
	const struct canvas *canvas = &pipeline->intake.canvas;
	struct packet packet = {.type = PACKET_READY,
		.ready = {pipeline->choice.codec, width, height, width, height, canvas->chroma}};
	struct packet_ready *ready = &packet.ready;
	bool starting = pipeline->state == STATE_STARTING;
	char detail[64];
	if (!canvas_full_size(canvas, &ready->full_width, &ready->full_height) ||
		!canvas_size(canvas, &ready->width, &ready->height)) {
		if (starting) {
			snprintf(detail, sizeof(detail), "the picture is %ux%u", width, height);
			fail(pipeline, ERROR_REGION_OUTSIDE, detail);
		}
	} else if (pipeline->open.codec == PACKET_CODEC_VP8 &&
		   !codec_choice_vp8_fits(ready->width, ready->height)) {
		snprintf(detail, sizeof(detail), "VP8 can't encode %ux%u", ready->width,
			ready->height);
		fail(pipeline, ERROR_ENCODER_FAILED, detail);
	} else if (starting) {
		pipeline->state = STATE_EMPTY;
		(void)channel_send(pipeline->channel, &packet);
	}
}

void pipeline_picture(struct pipeline *pipeline, uint32_t width, uint32_t height) {
	pipeline->width = width;
	pipeline->height = height;
	pipeline->owed.picture = true;
	if (pipeline->state != STATE_FAILED) {
		check_size(pipeline, width, height);
	}
	pipeline_step(pipeline);
}

void pipeline_cursor(struct pipeline *pipeline) {
	update_cursor(pipeline);
	pipeline_step(pipeline);
}

void pipeline_set(struct pipeline *pipeline, const struct packet_set *set) {
	struct canvas *canvas = &pipeline->intake.canvas;
	pace_set_fps(&pipeline->pace, set->max_fps);
	encoder_set_rate(pipeline->encoder, set->max_fps, set->max_kbps);
	source_set_rate(pipeline->source, set->max_fps);
	const struct rect region = region_rect(&set->region);
	bool moved = memcmp(&region, &canvas->region, sizeof(region)) != 0;
	bool resized = canvas->max_width != set->max_width || canvas->max_height != set->max_height;
	pthread_mutex_lock(&pipeline->intake.lock);
	canvas->region = region;
	canvas->max_width = set->max_width;
	canvas->max_height = set->max_height;
	pthread_mutex_unlock(&pipeline->intake.lock);
	/* The canvas has only the old region's pixels, but an unread picture brings the new ones.
	 */
	bool unread = pipeline->owed.picture && pipeline->credit == 0;
	if (moved && !unread && pipeline->state == STATE_LIVE) {
		source_refresh(pipeline->source);
	}
	if (resized) {
		/* With another region the size comes with its picture. */
		pipeline->owed.change = pipeline->owed.change || !moved;
		cursor_packet_repeat(&pipeline->cursor);
	}
	pipeline_step(pipeline);
}

void pipeline_credit(struct pipeline *pipeline, uint32_t frames) {
	set_credit(pipeline, pipeline->credit + frames);
	pipeline_step(pipeline);
}

void pipeline_keyframe(struct pipeline *pipeline) {
	pipeline->owed.keyframe = true;
	pipeline_step(pipeline);
}
