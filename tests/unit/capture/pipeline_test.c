/* How pictures flow through the pipeline: credit, rate, rest, failures. */
#include "capture/pipeline_world.h"

/* Whether column `x` is damaged. */
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

/* A producer's buffer is never held up by an encode: what comes meanwhile is taken in at once. */
static void test_pictures_are_read_during_an_encode(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	world.shows_while_encoding = true;
	show(&world, 0, 64);
	world.shows_while_encoding = false;
	assert_int_equal(world.encodes, 1);
	assert_int_equal(world.reads, 2);
	/* It is announced only once the loop is free, and may be encoded before that. */
	pass(&world, 200000);
	int encodes = world.encodes;
	assert_int_equal(world.reads, 2);
	pipeline_picture(world.pipeline, 64, 64);
	assert_int_equal(world.encodes, encodes);
	/* Or after. */
	come(&world, 40, 8);
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
	/* A change after an hour is on its way at once. */
	show(&world, 8, 8);
	assert_int_equal(world.encodes, 4);
	assert_int_equal(world.encoded_damage.count, 1);
	assert_int_equal(world.encoded_damage.rects[0].x, 8);
	world_finish(&world);
}

/* Between changes that come steadily nothing is refined; after the last one everything is. */
static void test_steady_changes_are_not_refined_between(void **state) {
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
	/* The first of them came after a rest, when no other was to be expected. */
	assert_in_range(world.encodes, encodes + 10, encodes + 11);
	encodes = world.encodes;
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes + 2);
	assert_int_equal(world.wake_at, -1);
	/* Seldom ones are refined each. */
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
	/* With all that came meanwhile. */
	assert_true(covers(&world.encoded_damage, 0));
	assert_true(covers(&world.encoded_damage, 19));
	assert_true(world.encoded_damage.rects[0].width < 64);
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
	assert_int_equal(world.reads, 1);
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
	/* Nothing is taken in any more. */
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

/* Of a picture that makes too long a frame a coarse keyframe comes, and then it gets better. */
static void test_long_frame_is_made_shorter(void **state) {
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

/* Of one whose refinements get too long those that are not are kept, and it rests with them. */
static void test_long_refinements_come_to_a_rest(void **state) {
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

/* A bitmap of the cursor costs a credit. Without one its place is told all the same. */
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

/* A minute without credit, with all that a screen can do in it. */
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

/* An hour with a pool of two buffers: bursts, rests, and a peer that stops granting. The producer
 * always has one of them free, nothing wakes up while the screen rests, and what comes after a rest
 * is on its way at once. */
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
			/* Only without credit one waits: the producer fills the other. */
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
		cmocka_unit_test(test_steady_changes_are_not_refined_between),
		cmocka_unit_test(test_rate_is_bounded_and_the_last_picture_arrives),
		cmocka_unit_test(test_full_socket_holds_the_encoder),
		cmocka_unit_test(test_keyframe_on_a_still_screen),
		cmocka_unit_test(test_time_goes_forward),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_long_frame_is_made_shorter),
		cmocka_unit_test(test_long_refinements_come_to_a_rest),
		cmocka_unit_test(test_left_out_picture_comes),
		cmocka_unit_test(test_bitmaps_cost_credit),
		cmocka_unit_test(test_minute_without_credit),
		cmocka_unit_test(test_an_hour_of_bursts_and_rests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
