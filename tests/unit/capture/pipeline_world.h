/*
 * A pipeline between a scripted source and a scripted encoder, with the test's own clock.
 */
#pragma once

#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/pipeline.h"

#define PICTURE_ROWS_MAX 256

struct world {
	/* Both are scripted. */
	struct source {
		struct world *world;
	} source;
	struct encoder {
		struct world *world;
	} encoder;
	struct channel channel;
	int peer;
	struct pipeline *pipeline;
	int64_t now;
	int64_t wake_at; /* -1: no wake-up is pending */
	enum error_code failed;
	/* The source. */
	uint8_t pixels[64 * PICTURE_ROWS_MAX * 4];
	uint32_t width;
	uint32_t height;
	struct damage damage;
	bool waiting; /* a picture was not read yet */
	bool wanted;
	int reads;
	int refreshes;
	uint32_t source_fps; /* the requested rate */
	int64_t pts_us;
	/* The encoder. */
	int encodes;
	int keys;
	int unsettled;       /* encodes that still improve the picture */
	int hurried;         /* encodes that had to be fast */
	int searched;        /* encodes that had to search far */
	int refinements;     /* since the last change or keyframe */
	int long_refinement; /* the first one that is too long; 0: the picture settles */
	bool encoder_fails;
	bool shows_while_encoding; /* a picture arrives during every encode */
	struct damage encoded_damage;
	size_t frame_length;
	size_t coarse_length; /* of a coarse frame */
	enum packet_codec codec;
	int64_t encode_us; /* how long an encode takes */
	uint8_t *frame;
	uint32_t fps;
	uint32_t kbps;
	uint32_t encoded_width;
	/* The cursor. */
	struct source_cursor cursor;
	bool cursor_changed;
};

/* Lends the waiting picture, as the source's thread would. */
static inline void fake_read(struct world *world) {
	const struct source_picture picture = {
		.pixels = {world->pixels, 64 * 4, PIXEL_ORDER_BGR, world->width, world->height,
			NULL},
		.orientation = ORIENTATION_UPRIGHT,
		.damage = &world->damage,
		.pts_us = world->pts_us,
	};
	world->waiting = false;
	world->reads++;
	pipeline_read(world->pipeline, &picture);
	damage_clear(&world->damage);
}

/* A picture arrives that is not announced to the loop yet. */
static inline void arrive(struct world *world, int32_t x, int32_t side) {
	damage_add(&world->damage, &(struct rect){x, 0, side, side});
	world->waiting = true;
	world->pts_us = world->now;
	if (world->wanted) {
		fake_read(world);
	}
}

void source_want(struct source *source, bool wanted) {
	struct world *world = source->world;
	world->wanted = wanted;
	if (wanted && world->waiting) {
		fake_read(world);
	}
}

bool source_cursor(struct source *source, struct source_cursor *cursor) {
	struct world *world = source->world;
	bool changed = world->cursor_changed;
	world->cursor_changed = false;
	*cursor = world->cursor;
	return changed;
}

/* These three stand in for host/encode. */
void encoder_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps) {
	encoder->world->fps = fps;
	encoder->world->kbps = kbps;
}

bool encoder_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame) {
	struct world *world = encoder->world;
	assert_int_equal(picture->width % 2, 0);
	if (world->shows_while_encoding) {
		arrive(world, 0, 64);
	}
	if (world->encoder_fails) {
		return false;
	}
	bool is_key = wish->key || world->encodes == 0 || world->codec != wish->codec;
	world->codec = wish->codec;
	world->now += world->encode_us;
	world->encodes++;
	world->keys += is_key;
	world->encoded_damage = *damage;
	world->encoded_width = picture->width;
	world->refinements = damage_is_empty(damage) && !is_key ? world->refinements + 1 : 0;
	if (!damage_is_empty(damage)) {
		world->unsettled = 3;
	}
	world->unsettled -= world->unsettled > 0;
	world->hurried += wish->hurried;
	world->searched += wish->way > 0;
	*frame = (struct encoder_frame){world->frame,
		wish->coarse ? world->coarse_length : world->frame_length, is_key,
		world->unsettled == 0};
	if (world->long_refinement > 0) {
		frame->settled = false;
		frame->length = world->refinements >= world->long_refinement ? CHANNEL_FRAME_MAX + 1
									     : frame->length;
	}
	return true;
}

const char *encoder_error(const struct encoder *encoder) {
	(void)encoder;
	return "scripted";
}

void source_refresh(struct source *source) {
	source->world->refreshes++;
}

void source_set_rate(struct source *source, uint32_t max_fps) {
	struct world *world = source->world;
	world->source_fps = max_fps;
}

static inline int64_t fake_now(void *data) {
	return ((struct world *)data)->now;
}

static inline void fake_wake(void *data, int64_t delay_us) {
	struct world *world = data;
	assert_true(delay_us > 0);
	world->wake_at = world->now + delay_us;
}

static inline void fake_failed(void *data, enum error_code code, const char *detail) {
	struct world *world = data;
	assert_int_equal(world->failed, ERROR_NONE);
	assert_non_null(detail);
	world->failed = code;
}

static const struct pipeline_loop fake_loop = {
	.now = fake_now, .wake = fake_wake, .failed = fake_failed};

/* `wish`: fields that are not 0 replace the defaults. */
static inline void world_open(struct world *world, const struct packet_open *wish) {
	memset(world, 0, sizeof(*world));
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(channel_init(&world->channel, fds[0]));
	world->peer = fds[1];
	world->source = (struct source){world};
	world->encoder = (struct encoder){world};
	world->now = 1000000;
	world->wake_at = -1;
	world->width = 64;
	world->height = 64;
	world->frame_length = 100;
	world->coarse_length = 100;
	world->frame = calloc(1, CHANNEL_FRAME_MAX + 1);
	assert_non_null(world->frame);
	struct packet_open open = *wish;
	open.codec = wish->codec != 0 ? wish->codec : PACKET_CODEC_VP8;
	open.max_fps = wish->max_fps != 0 ? wish->max_fps : 50;
	open.max_kbps = 1000;
	world->pipeline = pipeline_create(
		&open, &world->source, &world->encoder, &world->channel, &fake_loop, world);
	assert_non_null(world->pipeline);
}

static inline void world_init(struct world *world, uint16_t credit) {
	world_open(world, &(struct packet_open){.credit = credit});
}

static inline void world_finish(struct world *world) {
	pipeline_destroy(world->pipeline);
	channel_finish(&world->channel);
	close(world->peer);
	free(world->frame);
}

/* A picture arrives and is announced. */
static inline void show(struct world *world, int32_t x, int32_t side) {
	arrive(world, x, side);
	pipeline_picture(world->pipeline, world->width, world->height);
}

/* Lets time pass, with the wake-ups that are due. */
static inline void pass(struct world *world, int64_t us) {
	int64_t end = world->now + us;
	while (world->wake_at >= 0 && world->wake_at <= end) {
		world->now = world->wake_at;
		world->wake_at = -1;
		pipeline_step(world->pipeline);
	}
	world->now = end;
}

/* The next packet's type, or 0. */
static inline int receive(struct world *world, struct packet *packet) {
	static uint8_t data[PACKET_SIZE_MAX];
	ssize_t got = recv(world->peer, data, sizeof(data), MSG_DONTWAIT);
	if (got <= 0) {
		return 0;
	}
	assert_true(packet_parse(data, (size_t)got, packet));
	return (int)packet->type;
}

static inline int count_frames(struct world *world) {
	struct packet packet;
	int frames = 0;
	for (int type; (type = receive(world, &packet)) != 0;) {
		frames += type == PACKET_FRAME;
	}
	return frames;
}

static inline void move_cursor(struct world *world, int32_t x, const uint8_t *rgba) {
	world->cursor.visible = true;
	world->cursor.x = x;
	world->cursor.y = 9;
	if (rgba != NULL) {
		world->cursor.bitmap++;
		world->cursor.width = 8;
		world->cursor.height = 8;
		world->cursor.hot_x = 1;
		world->cursor.rgba = rgba;
	}
	world->cursor_changed = true;
	pipeline_cursor(world->pipeline);
}

static const uint8_t white[8 * 8 * 4] = {[0 ... 255] = 255};
