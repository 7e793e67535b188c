/*
 * The pipeline between a scripted source and a scripted encoder, on a clock of the test's.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/pipeline.h"

struct world {
	/* First members of what the pipeline knows. */
	struct fake_source {
		struct source source;
		struct world *world;
	} source;
	struct fake_encoder {
		struct encoder encoder;
		struct world *world;
	} encoder;
	struct channel channel;
	int peer;
	struct pipeline *pipeline;
	int64_t now;
	int64_t wake_at; /* -1: no wake-up was asked for */
	enum error_code failed;
	/* Of the source. */
	uint8_t pixels[64 * 64 * 4];
	uint32_t width;
	uint32_t height;
	struct damage damage;
	bool waiting;
	bool lent;
	int takes;
	int64_t pts_us;
	/* Of the encoder. */
	int encodes;
	int keys;
	int unsettled; /* encodes that still improve the picture */
	bool encoder_fails;
	bool lent_while_encoding;
	struct damage encoded_damage;
	size_t frame_length;
	uint8_t *frame;
	uint32_t fps;
	uint32_t kbps;
	uint32_t encoded_width;
	/* Of the cursor. */
	struct source_cursor cursor;
	bool cursor_changed;
};

static bool fake_take(struct source *source, struct source_picture *picture) {
	struct world *world = ((struct fake_source *)source)->world;
	if (!world->waiting) {
		return false;
	}
	assert_false(world->lent);
	world->lent = true;
	world->waiting = false;
	world->takes++;
	picture->pixels = (struct pixels){
		world->pixels, 64 * 4, PIXEL_ORDER_BGR, world->width, world->height};
	picture->orientation = ORIENTATION_UPRIGHT;
	picture->damage = world->damage;
	picture->pts_us = world->pts_us;
	damage_clear(&world->damage);
	return true;
}

static void fake_give_back(struct source *source) {
	struct world *world = ((struct fake_source *)source)->world;
	assert_true(world->lent);
	world->lent = false;
}

static bool fake_cursor(struct source *source, struct source_cursor *cursor) {
	struct world *world = ((struct fake_source *)source)->world;
	bool changed = world->cursor_changed;
	assert_false(world->lent);
	world->cursor_changed = false;
	*cursor = world->cursor;
	return changed;
}

static void fake_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps) {
	struct world *world = ((struct fake_encoder *)encoder)->world;
	world->fps = fps;
	world->kbps = kbps;
}

static bool fake_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, bool key, struct encoder_frame *frame) {
	struct world *world = ((struct fake_encoder *)encoder)->world;
	assert_int_equal(picture->width % 2, 0);
	world->lent_while_encoding = world->lent_while_encoding || world->lent;
	if (world->encoder_fails) {
		return false;
	}
	bool is_key = key || world->encodes == 0;
	world->encodes++;
	world->keys += is_key;
	world->encoded_damage = *damage;
	world->encoded_width = picture->width;
	if (!damage_is_empty(damage)) {
		world->unsettled = 3;
	}
	world->unsettled -= world->unsettled > 0;
	*frame = (struct encoder_frame){
		world->frame, world->frame_length, is_key, world->unsettled == 0};
	return true;
}

static const char *fake_error(const struct encoder *encoder) {
	(void)encoder;
	return "scripted";
}

static const struct source_impl fake_source_impl = {
	.take = fake_take, .give_back = fake_give_back, .cursor = fake_cursor};
static const struct encoder_impl fake_encoder_impl = {
	.encode = fake_encode, .set_rate = fake_set_rate, .error = fake_error};

static int64_t fake_now(void *data) {
	return ((struct world *)data)->now;
}

static void fake_wake(void *data, int64_t delay_us) {
	struct world *world = data;
	assert_true(delay_us > 0);
	world->wake_at = world->now + delay_us;
}

static void fake_failed(void *data, enum error_code code, const char *detail) {
	struct world *world = data;
	assert_int_equal(world->failed, ERROR_NONE);
	assert_non_null(detail);
	world->failed = code;
}

static const struct pipeline_loop fake_loop = {
	.now = fake_now, .wake = fake_wake, .failed = fake_failed};

static void world_open(
	struct world *world, uint16_t credit, enum packet_cursor_mode cursor, uint32_t max_width) {
	memset(world, 0, sizeof(*world));
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(channel_init(&world->channel, fds[0]));
	world->peer = fds[1];
	world->source = (struct fake_source){{&fake_source_impl}, world};
	world->encoder = (struct fake_encoder){{&fake_encoder_impl}, world};
	world->now = 1000000;
	world->wake_at = -1;
	world->width = 64;
	world->height = 64;
	world->frame_length = 100;
	world->frame = calloc(1, CHANNEL_FRAME_MAX + 1);
	assert_non_null(world->frame);
	const struct packet_open open = {.codec = PACKET_CODEC_VP8,
		.max_fps = 50,
		.max_kbps = 1000,
		.credit = credit,
		.max_width = max_width,
		.cursor = cursor};
	world->pipeline = pipeline_create(&open, &world->source.source, &world->encoder.encoder,
		&world->channel, &fake_loop, world);
	assert_non_null(world->pipeline);
}

static void world_init(struct world *world, uint16_t credit) {
	world_open(world, credit, PACKET_CURSOR_AS_IS, 0);
}

static void world_finish(struct world *world) {
	assert_false(world->lent_while_encoding);
	assert_false(world->lent);
	pipeline_destroy(world->pipeline);
	channel_finish(&world->channel);
	close(world->peer);
	free(world->frame);
}

/* The source has a new picture. */
static void show(struct world *world, int32_t x, int32_t side) {
	damage_add(&world->damage, &(struct rect){x, 0, side, side});
	world->waiting = true;
	world->pts_us = world->now;
	pipeline_picture(world->pipeline, world->width, world->height);
}

/* Lets time pass, with the wake-ups that were asked for. */
static void pass(struct world *world, int64_t us) {
	int64_t end = world->now + us;
	while (world->wake_at >= 0 && world->wake_at <= end) {
		world->now = world->wake_at;
		world->wake_at = -1;
		pipeline_step(world->pipeline);
	}
	world->now = end;
}

/* The next packet's type, or 0. */
static int receive(struct world *world, struct packet *packet) {
	static uint8_t data[PACKET_SIZE_MAX];
	ssize_t got = recv(world->peer, data, sizeof(data), MSG_DONTWAIT);
	if (got <= 0) {
		return 0;
	}
	assert_true(packet_parse(data, (size_t)got, packet));
	return (int)packet->type;
}

static int count_frames(struct world *world) {
	struct packet packet;
	int frames = 0;
	for (int type; (type = receive(world, &packet)) != 0;) {
		frames += type == PACKET_FRAME;
	}
	return frames;
}

static void test_ready_then_frames(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_init(&world, 1);
	world.width = 33;
	world.height = 21;
	show(&world, 0, 64);
	assert_int_equal(receive(&world, &packet), PACKET_READY);
	assert_int_equal(packet.ready.width, 32);
	assert_int_equal(packet.ready.height, 20);
	assert_int_equal(receive(&world, &packet), PACKET_FRAME);
	assert_int_equal(packet.frame.width, 32);
	assert_int_equal(packet.frame.sequence, 0);
	assert_true(packet.frame.key);
	assert_int_equal(packet.frame.pts_us, 1000000);
	assert_int_equal(receive(&world, &packet), 0);
	world_finish(&world);
}

static void test_without_credit_nothing_is_touched(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 0);
	for (int i = 0; i < 100; i++) {
		show(&world, i % 60, 4);
		pass(&world, 20000);
	}
	pipeline_keyframe(world.pipeline);
	assert_int_equal(world.takes, 0);
	assert_int_equal(world.encodes, 0);
	assert_int_equal(world.wake_at, -1);
	/* Credit brings the newest picture, once. */
	pipeline_credit(world.pipeline, 1);
	assert_int_equal(world.takes, 1);
	assert_int_equal(world.encodes, 1);
	pass(&world, 1000000);
	assert_int_equal(world.encodes, 1);
	assert_int_equal(count_frames(&world), 1);
	world_finish(&world);
}

static void test_still_screen_rests(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	show(&world, 0, 64);
	pass(&world, 1000000);
	/* The picture and two refinements; then no wake-up is left. */
	assert_int_equal(world.encodes, 3);
	assert_int_equal(world.takes, 1);
	assert_int_equal(world.wake_at, -1);
	pass(&world, INT64_C(3600) * 1000000);
	assert_int_equal(world.encodes, 3);
	/* A change after an hour is on its way at once. */
	show(&world, 8, 8);
	assert_int_equal(world.encodes, 4);
	assert_int_equal(world.encoded_damage.count, 1);
	assert_int_equal(world.encoded_damage.rects[0].x, 8);
	world_finish(&world);
}

static void test_rate_is_bounded_and_the_last_picture_arrives(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	int frames = 0;
	for (int i = 0; i < 1000; i++) {
		show(&world, i % 60, 4);
		pass(&world, 1000);
		int got = count_frames(&world);
		frames += got;
		if (got > 0) {
			pipeline_credit(world.pipeline, (uint32_t)got);
		}
	}
	assert_in_range(frames, 48, 52);
	int takes = world.takes;
	if (world.waiting) {
		pass(&world, 40000);
		assert_int_equal(world.takes, takes + 1);
	}
	assert_false(world.waiting);
	world_finish(&world);
}

/* A full socket holds the encoder up, not the other way round. */
static void test_full_socket_holds_the_encoder(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	world.frame_length = 3000000;
	show(&world, 0, 64);
	assert_int_equal(world.encodes, 1);
	assert_false(channel_idle(&world.channel));
	for (int i = 0; i < 20; i++) {
		show(&world, i, 4);
		pass(&world, 30000);
	}
	assert_int_equal(world.encodes, 1);
	struct packet packet;
	while (!channel_idle(&world.channel)) {
		(void)receive(&world, &packet);
		assert_true(channel_flush(&world.channel));
	}
	pipeline_step(world.pipeline);
	assert_int_equal(world.encodes, 2);
	assert_int_equal(world.takes, 2);
	world_finish(&world);
}

static void test_keyframe_on_a_still_screen(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	/* Before the first picture it is nothing special. */
	pipeline_keyframe(world.pipeline);
	assert_int_equal(world.encodes, 0);
	show(&world, 0, 64);
	pass(&world, 1000000);
	assert_int_equal(world.keys, 1);
	pipeline_keyframe(world.pipeline);
	assert_int_equal(world.keys, 2);
	assert_int_equal(world.takes, 1);
	world_finish(&world);
}

static void test_new_size_is_full_damage(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_init(&world, 16);
	show(&world, 0, 64);
	pass(&world, 1000000);
	(void)count_frames(&world);
	world.width = 40;
	show(&world, 4, 2);
	assert_int_equal(world.encoded_damage.count, 1);
	assert_int_equal(world.encoded_damage.rects[0].width, 40);
	assert_int_equal(receive(&world, &packet), PACKET_FRAME);
	assert_int_equal(packet.frame.width, 40);
	world_finish(&world);
}

static void test_time_goes_forward(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_init(&world, 16);
	int64_t last = -1;
	for (int i = 0; i < 10; i++) {
		pass(&world, 20000);
		damage_add(&world.damage, &(struct rect){0, 0, 4, 4});
		world.waiting = true;
		world.pts_us = i % 2 == 0 ? world.now : 5;
		pipeline_picture(world.pipeline, 64, 64);
		for (int type; (type = receive(&world, &packet)) != 0;) {
			if (type == PACKET_FRAME) {
				assert_true(packet.frame.pts_us > last);
				last = packet.frame.pts_us;
			}
		}
		pipeline_credit(world.pipeline, 1);
	}
	world_finish(&world);
}

static void test_failures(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	world.encoder_fails = true;
	show(&world, 0, 64);
	assert_int_equal(world.failed, ERROR_ENCODER_FAILED);
	show(&world, 0, 64);
	pipeline_credit(world.pipeline, 4);
	assert_int_equal(world.takes, 1);
	world_finish(&world);
	world_init(&world, 16);
	world.frame_length = CHANNEL_FRAME_MAX + 1;
	show(&world, 0, 64);
	assert_int_equal(world.failed, ERROR_ENCODER_FAILED);
	world_finish(&world);
}

/* What rate control leaves out is encoded again, costs no credit and keeps its wish for a keyframe.
 */
static void test_left_out_picture_comes(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 1);
	world.frame_length = 0;
	show(&world, 0, 64);
	assert_int_equal(world.encodes, 1);
	pass(&world, 50000);
	assert_in_range(world.encodes, 2, 4);
	assert_int_equal(count_frames(&world), 0);
	assert_int_equal(world.failed, ERROR_NONE);
	world.frame_length = 100;
	pass(&world, 50000);
	assert_int_equal(count_frames(&world), 1);
	world_finish(&world);
}

static void test_rate_is_set(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	show(&world, 0, 64);
	pass(&world, 1000000);
	(void)count_frames(&world);
	int encodes = world.encodes;
	pipeline_set(world.pipeline, &(struct packet_set){.max_fps = 10, .max_kbps = 700});
	assert_int_equal(world.fps, 10);
	assert_int_equal(world.kbps, 700);
	/* That alone is no reason for a frame. */
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes);
	int frames = 0;
	for (int i = 0; i < 1000; i++) {
		show(&world, i % 60, 4);
		pass(&world, 1000);
		int got = count_frames(&world);
		frames += got;
		if (got > 0) {
			pipeline_credit(world.pipeline, (uint32_t)got);
		}
	}
	assert_in_range(frames, 9, 12);
	world_finish(&world);
}

/* Another size needs no new picture: the one that is there is scaled. */
static void test_size_is_set(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_open(&world, 16, PACKET_CURSOR_AS_IS, 32);
	show(&world, 0, 64);
	assert_int_equal(receive(&world, &packet), PACKET_READY);
	assert_int_equal(packet.ready.width, 32);
	assert_int_equal(world.encoded_width, 32);
	pass(&world, 1000000);
	int encodes = world.encodes;
	const struct packet_set set = {.max_fps = 50, .max_kbps = 1000, .max_height = 16};
	pipeline_set(world.pipeline, &set);
	pass(&world, 1000);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.encoded_width, 16);
	pass(&world, 1000000);
	encodes = world.encodes;
	/* The same again, and one that comes to the same, are nothing. */
	pipeline_set(world.pipeline, &set);
	pipeline_set(world.pipeline,
		&(struct packet_set){
			.max_fps = 50, .max_kbps = 1000, .max_width = 17, .max_height = 16});
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes);
	assert_int_equal(world.takes, 1);
	world_finish(&world);
}

static void move_cursor(struct world *world, int32_t x, const uint8_t *rgba) {
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

static void test_cursor_is_drawn(void **state) {
	(void)state;
	struct world world;
	world_open(&world, 16, PACKET_CURSOR_BLEND, 0);
	/* Before there is a picture it makes none. */
	move_cursor(&world, 11, white);
	assert_int_equal(world.encodes, 0);
	show(&world, 0, 64);
	pass(&world, 1000000);
	int encodes = world.encodes;
	move_cursor(&world, 21, NULL);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.takes, 1);
	struct rect around = {0};
	for (uint32_t i = 0; i < world.encoded_damage.count; i++) {
		around = rect_around(&around, &world.encoded_damage.rects[i]);
	}
	assert_int_equal(around.x, 10);
	assert_int_equal(around.x + around.width, 28);
	assert_int_equal(around.y, 8);
	pass(&world, 1000000);
	encodes = world.encodes;
	/* Where nobody sees it, it costs no frame. */
	world.cursor.visible = false;
	world.cursor_changed = true;
	pipeline_cursor(world.pipeline);
	pass(&world, 1000000);
	assert_true(world.encodes > encodes);
	encodes = world.encodes;
	world.cursor.x = 5;
	world.cursor_changed = true;
	pipeline_cursor(world.pipeline);
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes);
	world_finish(&world);
}

static void test_cursor_is_sent(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_open(&world, 1, PACKET_CURSOR_SEND, 32);
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
	/* No credit is left, and none is needed. */
	move_cursor(&world, 11, white);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_true(packet.cursor.visible);
	assert_int_equal(packet.cursor.x, 5);
	assert_int_equal(packet.cursor.width, 8);
	assert_int_equal(packet.cursor.hot_x, 1);
	assert_int_equal(packet.cursor.rgba[100], 255);
	move_cursor(&world, 41, NULL);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_int_equal(packet.cursor.x, 20);
	assert_int_equal(packet.cursor.width, 0);
	world.cursor.visible = false;
	world.cursor_changed = true;
	pipeline_cursor(world.pipeline);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_false(packet.cursor.visible);
	assert_int_equal(world.encodes, 1);
	world_finish(&world);
}

/* A minute without credit, with all that a screen can do in it. */
static void test_minute_without_credit(void **state) {
	(void)state;
	struct world world;
	world_open(&world, 1, PACKET_CURSOR_BLEND, 0);
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
	for (int i = 0; i < 3600; i++) {
		show(&world, i % 60, 4);
		move_cursor(&world, i % 64, i % 100 == 0 ? white : NULL);
		pass(&world, 16667);
	}
	assert_int_equal(world.encodes, 1);
	assert_int_equal(world.takes, 1);
	pipeline_credit(world.pipeline, 1);
	pass(&world, 20000);
	assert_int_equal(world.takes, 2);
	assert_int_equal(count_frames(&world), 1);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_then_frames),
		cmocka_unit_test(test_without_credit_nothing_is_touched),
		cmocka_unit_test(test_still_screen_rests),
		cmocka_unit_test(test_rate_is_bounded_and_the_last_picture_arrives),
		cmocka_unit_test(test_full_socket_holds_the_encoder),
		cmocka_unit_test(test_keyframe_on_a_still_screen),
		cmocka_unit_test(test_new_size_is_full_damage),
		cmocka_unit_test(test_time_goes_forward),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_left_out_picture_comes),
		cmocka_unit_test(test_rate_is_set),
		cmocka_unit_test(test_size_is_set),
		cmocka_unit_test(test_cursor_is_drawn),
		cmocka_unit_test(test_cursor_is_sent),
		cmocka_unit_test(test_minute_without_credit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
