/*
 * The pipeline's two threads: the source's thread reads pictures while the loop composes, encodes
 * and changes settings. ThreadSanitizer finds what is accessed without the lock.
 */
#include "capture/pipeline_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ROUNDS 3000

struct source_thread {
	struct pipeline *pipeline;
	pthread_t id;
	atomic_bool stop;
	atomic_uint pictures;
};

/* Each picture has one colour, and full damage or none at all. */
static void *read_pictures(void *data) {
	struct source_thread *thread = data;
	static uint8_t pixels[64 * 64 * 4];
	while (!thread->stop) {
		uint32_t round = thread->pictures++;
		memset(pixels, (int)(round % 255), sizeof(pixels));
		const struct damage all = {.rects = {{0, 0, 64, 64}}, .count = 1};
		const struct source_picture picture = {
			.pixels = {pixels, 64 * 4, PIXEL_ORDER_BGR, 64, 64, NULL},
			.orientation = ORIENTATION_UPRIGHT,
			.damage = round % 3 == 0 ? NULL : &all,
			.pts_us = round,
		};
		pipeline_read(thread->pipeline, &picture);
		sched_yield();
	}
	return NULL;
}

static void test_both_threads(void **state) {
	(void)state;
	struct world world;
	struct source_thread thread = {0};
	world_open(&world, &(struct packet_open){.credit = 16, .cursor = PACKET_CURSOR_BLEND});
	show(&world, 0, 64);
	thread.pipeline = world.pipeline;
	assert_int_equal(pthread_create(&thread.id, NULL, read_pictures, &thread), 0);
	int frames = 0;
	/* Until each thread has had its turns, however the kernel shares them out. */
	for (int i = 0; i < ROUNDS || thread.pictures <= 100 || frames <= 100; i++) {
		pipeline_picture(world.pipeline, 64, 64);
		const struct packet_set set = {.max_fps = 60,
			.max_kbps = 1000,
			.region = i % 16 < 8 ? (struct packet_region){0}
					     : (struct packet_region){8, 8, 32, 32}};
		pipeline_set(world.pipeline, &set);
		move_cursor(&world, i % 64, i % 10 == 0 ? white : NULL);
		pass(&world, 17000);
		int got = count_frames(&world);
		frames += got;
		if (got > 0) {
			pipeline_credit(world.pipeline, (uint32_t)got);
		}
		sched_yield();
	}
	thread.stop = true;
	pthread_join(thread.id, NULL);
	assert_int_equal(world.failed, ERROR_NONE);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
