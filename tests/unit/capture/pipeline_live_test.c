/* What changes during a share: sizes, rates, regions, the cursor. */
#include "capture/pipeline_world.h"

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

/* However low the rate, a new size is sent soon: someone is looking at the old one. */
static void test_new_size_is_soon(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 10);
	const struct packet_set set = {.max_fps = 1, .max_kbps = 1000};
	pipeline_set(world.pipeline, &set);
	show(&world, 0, 64);
	pass(&world, 5000000);
	count_frames(&world);
	show(&world, 0, 8);
	assert_int_equal(count_frames(&world), 1);
	/* A picture of the same size waits for its turn. */
	pass(&world, 10000);
	show(&world, 0, 8);
	pass(&world, 100000);
	assert_int_equal(count_frames(&world), 0);
	world.width = 32;
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
	assert_int_equal(world.encoded_width, 32);
	/* Many new sizes are still limited. */
	world.width = 48;
	show(&world, 0, 64);
	pass(&world, 40000);
	assert_int_equal(count_frames(&world), 0);
	pass(&world, 10000);
	assert_int_equal(count_frames(&world), 1);
	assert_int_equal(world.encoded_width, 48);
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
	assert_int_equal(world.source_fps, 10);
	assert_int_equal(world.kbps, 700);
	/* The setting alone causes no frame. */
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

/* Another size needs no new picture: the last one is scaled. */
static void test_size_is_set(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_open(&world, &(struct packet_open){.credit = 16, .max_width = 32});
	show(&world, 0, 64);
	assert_int_equal(receive(&world, &packet), PACKET_READY);
	assert_int_equal(packet.ready.width, 32);
	assert_int_equal(packet.ready.full_width, 64);
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
	/* The same setting again, and one with the same result, cause no frame. */
	pipeline_set(world.pipeline, &set);
	pipeline_set(world.pipeline,
		&(struct packet_set){
			.max_fps = 50, .max_kbps = 1000, .max_width = 17, .max_height = 16});
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes);
	assert_int_equal(world.reads, 1);
	world_finish(&world);
}

static void test_cursor_is_drawn(void **state) {
	(void)state;
	struct world world;
	world_open(&world, &(struct packet_open){.credit = 16, .cursor = PACKET_CURSOR_BLEND});
	/* Without a picture it causes no frame. */
	move_cursor(&world, 11, white);
	assert_int_equal(world.encodes, 0);
	show(&world, 0, 64);
	pass(&world, 1000000);
	int encodes = world.encodes;
	move_cursor(&world, 21, NULL);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.reads, 1);
	struct rect around = {0};
	for (uint32_t i = 0; i < world.encoded_damage.count; i++) {
		around = rect_around(&around, &world.encoded_damage.rects[i]);
	}
	assert_int_equal(around.x, 10);
	assert_int_equal(around.x + around.width, 28);
	assert_int_equal(around.y, 8);
	pass(&world, 1000000);
	encodes = world.encodes;
	/* An invisible cursor that moves causes no frame. */
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
	world_open(&world,
		&(struct packet_open){.credit = 2, .cursor = PACKET_CURSOR_SEND, .max_width = 32});
	show(&world, 0, 64);
	assert_int_equal(count_frames(&world), 1);
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

/* Versions of clang-format differ here. */
/* clang-format off */
#define REGION(x, y, width, height) {x, y, width, height}
/* clang-format on */

static void set_region(struct world *world, struct packet_region region) {
	pipeline_set(world->pipeline,
		&(struct packet_set){.max_fps = 50, .max_kbps = 1000, .region = region});
}

/* Only the region is converted and encoded; changes elsewhere cause no frame. */
static void test_only_the_region_is_sent(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	world_open(&world, &(struct packet_open){.credit = 16, .region = REGION(17, 8, 33, 20)});
	show(&world, 0, 64);
	assert_int_equal(receive(&world, &packet), PACKET_READY);
	assert_int_equal(packet.ready.width, 32);
	assert_int_equal(packet.ready.height, 20);
	assert_int_equal(packet.ready.full_height, 20);
	assert_int_equal(receive(&world, &packet), PACKET_FRAME);
	assert_int_equal(packet.frame.width, 32);
	assert_int_equal(packet.frame.height, 20);
	pass(&world, 1000000);
	int encodes = world.encodes;
	int reads = world.reads;
	for (int i = 0; i < 10; i++) {
		show(&world, 50, 8);
		show(&world, 0, 8);
		pass(&world, 100000);
	}
	assert_true(world.reads > reads);
	assert_int_equal(world.encodes, encodes);
	assert_int_equal(world.wake_at, -1);
	show(&world, 0, 20);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.encoded_damage.count, 1);
	assert_int_equal(world.encoded_damage.rects[0].x, 0);
	assert_int_equal(world.encoded_damage.rects[0].width, 4);
	assert_int_equal(world.encoded_damage.rects[0].height, 12);
	world_finish(&world);
}

/* Another region needs a new picture, which is requested unless one waits. */
static void test_region_is_set(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 16);
	/* Before the first picture, nothing is requested. */
	set_region(&world, (struct packet_region)REGION(0, 0, 32, 32));
	assert_int_equal(world.refreshes, 0);
	show(&world, 0, 64);
	pass(&world, 1000000);
	assert_int_equal(world.encoded_width, 32);
	int encodes = world.encodes;
	set_region(&world, (struct packet_region)REGION(8, 8, 32, 32));
	assert_int_equal(world.refreshes, 1);
	pass(&world, 1000000);
	assert_int_equal(world.encodes, encodes);
	/* The picture comes without damage. */
	show(&world, 0, 0);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.keys, 1);
	assert_int_equal(world.encoded_damage.rects[0].width, 32);
	assert_int_equal(world.encoded_damage.rects[0].height, 32);
	/* The same region again requests nothing. */
	set_region(&world, (struct packet_region)REGION(8, 8, 32, 32));
	assert_int_equal(world.refreshes, 1);
	pass(&world, 1000000);
	/* A picture that was read already lacks the region; one that waits for credit has it. */
	show(&world, 0, 32);
	set_region(&world, (struct packet_region){0});
	assert_int_equal(world.refreshes, 2);
	show(&world, 0, 0);
	pass(&world, 1000000);
	assert_int_equal(world.encoded_width, 64);
	world_finish(&world);
	world_init(&world, 1);
	show(&world, 0, 64);
	show(&world, 0, 32);
	assert_true(world.waiting);
	set_region(&world, (struct packet_region)REGION(8, 8, 32, 32));
	assert_int_equal(world.refreshes, 0);
	pipeline_credit(world.pipeline, 1);
	pass(&world, 1000000);
	assert_int_equal(world.encoded_width, 32);
	world_finish(&world);
}

static void test_region_outside(void **state) {
	(void)state;
	struct world world;
	world_open(&world, &(struct packet_open){.credit = 16, .region = REGION(63, 0, 8, 8)});
	show(&world, 0, 64);
	assert_int_equal(world.failed, ERROR_REGION_OUTSIDE);
	assert_int_equal(count_frames(&world), 0);
	world_finish(&world);
	/* Later, the last frame stays until a picture has the region again. */
	world_open(&world, &(struct packet_open){.credit = 16, .region = REGION(40, 40, 8, 8)});
	show(&world, 0, 64);
	pass(&world, 1000000);
	int encodes = world.encodes;
	int reads = world.reads;
	world.height = 41;
	show(&world, 0, 64);
	pass(&world, 1000000);
	assert_int_equal(world.reads, reads + 1);
	assert_int_equal(world.encodes, encodes);
	assert_int_equal(world.failed, ERROR_NONE);
	world.height = 64;
	show(&world, 0, 0);
	assert_int_equal(world.encodes, encodes + 1);
	assert_int_equal(world.encoded_damage.rects[0].width, 8);
	assert_int_equal(world.encoded_damage.rects[0].height, 8);
	world_finish(&world);
}

/* The cursor's position is relative to the region, also when the region moves. */
static void test_region_and_cursor(void **state) {
	(void)state;
	struct world world;
	struct packet packet;
	const struct packet_region region = REGION(10, 4, 40, 40);
	world_open(&world, &(struct packet_open){
				   .credit = 16, .cursor = PACKET_CURSOR_SEND, .region = region});
	show(&world, 0, 64);
	(void)count_frames(&world);
	move_cursor(&world, 11, white);
	assert_int_equal(receive(&world, &packet), PACKET_CURSOR);
	assert_int_equal(packet.cursor.x, 1);
	assert_int_equal(packet.cursor.y, 5);
	set_region(&world, (struct packet_region)REGION(0, 0, 40, 40));
	pass(&world, 1000000);
	(void)count_frames(&world);
	show(&world, 0, 0);
	int type = 0;
	while ((type = receive(&world, &packet)) == PACKET_FRAME) {
	}
	assert_int_equal(type, PACKET_CURSOR);
	assert_int_equal(packet.cursor.x, 11);
	assert_int_equal(packet.cursor.y, 9);
	assert_int_equal(packet.cursor.width, 0);
	world_finish(&world);

	world_open(&world, &(struct packet_open){
				   .credit = 16, .cursor = PACKET_CURSOR_BLEND, .region = region});
	move_cursor(&world, 31, white);
	show(&world, 0, 64);
	pass(&world, 1000000);
	show(&world, 0, 1);
	pass(&world, 1000000);
	int encodes = world.encodes;
	move_cursor(&world, 21, NULL);
	assert_int_equal(world.encodes, encodes + 1);
	struct rect around = {0};
	for (uint32_t i = 0; i < world.encoded_damage.count; i++) {
		around = rect_around(&around, &world.encoded_damage.rects[i]);
	}
	/* The bitmap is 8 wide and starts one left of the hotspot; edges are even. */
	assert_int_equal(around.x, 10);
	assert_int_equal(around.x + around.width, 28);
	assert_int_equal(around.y, 4);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_size_is_full_damage),
		cmocka_unit_test(test_new_size_is_soon),
		cmocka_unit_test(test_rate_is_set),
		cmocka_unit_test(test_size_is_set),
		cmocka_unit_test(test_cursor_is_drawn),
		cmocka_unit_test(test_cursor_is_sent),
		cmocka_unit_test(test_only_the_region_is_sent),
		cmocka_unit_test(test_region_is_set),
		cmocka_unit_test(test_region_outside),
		cmocka_unit_test(test_region_and_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
