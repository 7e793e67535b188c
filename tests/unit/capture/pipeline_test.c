/* How pictures flow through the pipeline: credit, rate, still screens, failures. */
#include "capture/pipeline_world.h"

/* True when column `x` is damaged. */
static bool covers(const struct damage *damage, int32_t x) {
	const struct rect column = {x, 0, 1, 1};
	bool covered = false;
	for (uint32_t i = 0; i < damage->count; i++) {
		covered = covered || rect_contains(&damage->rects[i], &column);
	}
	return covered;
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
	assert_int_equal(world.reads, 0);
	assert_int_equal(world.encodes, 0);
	assert_int_equal(world.wake_at, -1);
	/* Credit brings the newest picture, once. */
	pipeline_credit(world.pipeline, 1);
	assert_int_equal(world.reads, 1);
	assert_int_equal(world.encodes, 1);
	pass(&world, 1000000);
	assert_int_equal(world.encodes, 1);
	assert_int_equal(count_frames(&world), 1);
	world_finish(&world);
}

/* An encode never holds up the producer's buffer: pictures are read while it runs. */
static void test_pictures_are_read_during_an_encode(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	world.shows_while_encoding = true;
	show(&world, 0, 64);
	world.shows_while_encoding = false;
	assert_int_equal(world.encodes, 1);
	assert_int_equal(world.reads, 2);
	/* A picture is announced once the loop is free, and may be encoded before that, */
	pass(&world, 200000);
	int encodes = world.encodes;
	assert_int_equal(world.reads, 2);
	pipeline_picture(world.pipeline, 64, 64);
	assert_int_equal(world.encodes, encodes);
	/* or after. */
	arrive(&world, 40, 8);
	assert_int_equal(world.encodes, encodes);
	pipeline_picture(world.pipeline, 64, 64);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.encoded_damage.rects[0].x, 40);
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
	assert_int_equal(world.reads, 1);
	assert_int_equal(world.wake_at, -1);
	pass(&world, INT64_C(3600) * 1000000);
	assert_int_equal(world.encodes, 3);
	/* A change after an hour is sent at once. */
	show(&world, 8, 8);
	assert_int_equal(world.encodes, 4);
	assert_int_equal(world.encoded_damage.count, 1);
	assert_int_equal(world.encoded_damage.rects[0].x, 8);
	world_finish(&world);
}

/* Steady changes are not refined until the last one. */
static void test_steady_changes_are_not_refined(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	show(&world, 0, 64);
	pass(&world, 1000000);
	int encodes = world.encodes;
	for (int i = 0; i < 10; i++) {
		show(&world, i, 8);
		pass(&world, 110000);
		pipeline_credit(world.pipeline, 1);
	}
	/* Only the first may be: it comes after a rest, and more are not expected then. */
	assert_in_range(world.encodes, encodes + 10, encodes + 11);
	encodes = world.encodes;
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes + 2);
	assert_int_equal(world.wake_at, -1);
	/* Rare changes are all refined. */
	for (int i = 0; i < 10; i++) {
		show(&world, i, 8);
		pass(&world, 400000);
		pipeline_credit(world.pipeline, 3);
	}
	assert_int_equal(world.encodes, encodes + 2 + 10 * 3);
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
	assert_false(world.waiting);
	show(&world, 62, 2);
	pass(&world, 40000);
	assert_true(covers(&world.encoded_damage, 62));
	world_finish(&world);
}

/* Backpressure: with a full socket nothing is encoded. */
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
	/* With everything that changed meanwhile. */
	assert_true(covers(&world.encoded_damage, 0));
	assert_true(covers(&world.encoded_damage, 19));
	assert_true(world.encoded_damage.rects[0].width < 64);
	world_finish(&world);
}

static void test_keyframe_on_a_still_screen(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	/* Before the first picture it makes no difference. */
	pipeline_keyframe(world.pipeline);
	assert_int_equal(world.encodes, 0);
	show(&world, 0, 64);
	pass(&world, 1000000);
	assert_int_equal(world.keys, 1);
	pipeline_keyframe(world.pipeline);
	assert_int_equal(world.keys, 2);
	assert_int_equal(world.reads, 1);
	world_finish(&world);
}

static void test_time_stamps_increase(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_init(&world, 16);
	int64_t last = -1;
	for (int i = 0; i < 10; i++) {
		pass(&world, 20000);
		damage_add(&world.damage, &(struct rect){0, 0, 4, 4});
		world.pts_us = i % 2 == 0 ? world.now : 5;
		fake_read(&world);
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
	/* After that nothing is read. */
	show(&world, 0, 64);
	pipeline_credit(world.pipeline, 4);
	assert_int_equal(world.reads, 1);
	world_finish(&world);
	world_init(&world, 16);
	world.frame_length = CHANNEL_FRAME_MAX + 1;
	world.coarse_length = CHANNEL_FRAME_MAX + 1;
	show(&world, 0, 64);
	pass(&world, 50000);
	assert_int_equal(world.failed, ERROR_ENCODER_FAILED);
	world_finish(&world);
}

/* When a frame is too long, a coarse keyframe is sent instead, and then refined. */
static void test_long_frame_becomes_a_coarse_keyframe(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	show(&world, 0, 64);
	pass(&world, 50000);
	assert_int_equal(count_frames(&world), 1);
	world.frame_length = CHANNEL_FRAME_MAX + 1;
	show(&world, 0, 64);
	pass(&world, 50000);
	assert_int_equal(world.failed, ERROR_NONE);
	assert_int_equal(count_frames(&world), 1);
	assert_int_equal(world.keys, 2);
	world.frame_length = 100;
	show(&world, 0, 64);
	pass(&world, 50000);
	assert_int_equal(count_frames(&world), 1);
	assert_int_equal(world.keys, 2);
	world_finish(&world);
}

/* When a refinement is too long, the picture keeps to those before it, and rests. */
static void test_long_refinements_stop(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	world.long_refinement = 3;
	for (int change = 0; change < 2; change++) {
		show(&world, 0, 64);
		for (int i = 0; i < 100; i++) {
			pass(&world, 20000);
			pipeline_credit(world.pipeline, (uint32_t)count_frames(&world));
		}
		assert_int_equal(world.failed, ERROR_NONE);
		/* The coarse keyframe, and as many refinements as there were before it. */
		assert_int_equal(world.keys, change + 2);
		assert_int_equal(world.refinements, 2);
		assert_int_equal(world.wake_at, -1);
	}
	world_finish(&world);
}

/* A picture that rate control skips is encoded again; the skip costs no credit. */
static void test_skipped_picture_is_encoded_again(void **state) {
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

/* A cursor bitmap costs a credit. Without credit the position is still sent. */
static void test_bitmaps_cost_credit(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_open(&world, &(struct packet_open){.credit = 2, .cursor = PACKET_CURSOR_SEND});
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
	move_cursor(&world, 5, white);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_int_equal(packet.cursor.width, 8);
	assert_false(world.wanted);
	for (int32_t i = 0; i < 100; i++) {
		move_cursor(&world, 6 + i % 50, white);
		assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
		assert_int_equal(packet.cursor.x, 6 + i % 50);
		assert_int_equal(packet.cursor.width, 0);
	}
	pipeline_credit(world.pipeline, 1);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_int_equal(packet.cursor.width, 8);
	move_cursor(&world, 7, white);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_int_equal(packet.cursor.width, 0);
	world_finish(&world);
}

/* A minute of changes without credit. */
static void test_minute_without_credit(void **state) {
	(void)state;
	struct world world;
	world_open(&world, &(struct packet_open){.credit = 1, .cursor = PACKET_CURSOR_BLEND});
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
	for (int i = 0; i < 3600; i++) {
		show(&world, i % 60, 4);
		move_cursor(&world, i % 64, i % 100 == 0 ? white : NULL);
		pass(&world, 16667);
	}
	assert_int_equal(world.encodes, 1);
	assert_int_equal(world.reads, 1);
	pipeline_credit(world.pipeline, 1);
	pass(&world, 20000);
	assert_int_equal(world.reads, 2);
	assert_int_equal(count_frames(&world), 1);
	world_finish(&world);
}

/* An hour with two buffers: bursts, rests, and a peer that stops granting credit. One buffer is
 * always free for the producer, there are no wake-ups while the screen rests, and a change after a
 * rest is sent at once. */
static void test_an_hour_of_bursts_and_rests(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	show(&world, 0, 64);
	int64_t end = world.now + INT64_C(3600) * 1000000;
	int rests = 0;
	for (int burst = 0; world.now < end; burst++) {
		bool grants = burst % 5 != 4;
		for (int i = 0; i < 120; i++) {
			/* A picture only waits without credit. */
			assert_true(!world.waiting || !world.wanted);
			show(&world, i % 60, 4);
			pass(&world, 1000000 / (30 + burst % 120));
			int got = count_frames(&world);
			if (grants && got > 0) {
				pipeline_credit(world.pipeline, (uint32_t)got);
			}
		}
		pipeline_credit(world.pipeline, 16);
		pass(&world, 1000000);
		pipeline_credit(world.pipeline, (uint32_t)count_frames(&world));
		/* The last picture arrived. */
		assert_false(world.waiting);
		int encodes = world.encodes;
		assert_int_equal(world.wake_at, -1);
		pass(&world, INT64_C(1000000) * (1 + burst * 7 % 120));
		assert_int_equal(world.encodes, encodes);
		show(&world, 8, 8);
		assert_int_equal(world.encodes, encodes + 1);
		pass(&world, 1000000);
		pipeline_credit(world.pipeline, (uint32_t)count_frames(&world));
		rests++;
	}
	assert_true(rests > 40);
	assert_int_equal(world.keys, 1);
	assert_int_equal(world.failed, ERROR_NONE);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_then_frames),
		cmocka_unit_test(test_without_credit_nothing_is_touched),
		cmocka_unit_test(test_pictures_are_read_during_an_encode),
		cmocka_unit_test(test_still_screen_rests),
		cmocka_unit_test(test_steady_changes_are_not_refined),
		cmocka_unit_test(test_rate_is_bounded_and_the_last_picture_arrives),
		cmocka_unit_test(test_full_socket_holds_the_encoder),
		cmocka_unit_test(test_keyframe_on_a_still_screen),
		cmocka_unit_test(test_time_stamps_increase),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_long_frame_becomes_a_coarse_keyframe),
		cmocka_unit_test(test_long_refinements_stop),
		cmocka_unit_test(test_skipped_picture_is_encoded_again),
		cmocka_unit_test(test_bitmaps_cost_credit),
		cmocka_unit_test(test_minute_without_credit),
		cmocka_unit_test(test_an_hour_of_bursts_and_rests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
