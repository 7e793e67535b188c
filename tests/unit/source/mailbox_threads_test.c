#include "mailbox_world.h"

#include <pthread.h>
#include <sched.h>

/* Pictures and cursors that the loop's thread sees. */
#define MEETINGS 2000u

struct threads {
	struct world *world;
	pthread_t thread;
	atomic_bool stop;
	uint32_t starved;
};

/* PipeWire's data thread, and the producer behind it. */
static void *stream(void *data) {
	struct threads *threads = data;
	struct world *world = threads->world;
	while (!threads->stop) {
		paint_anywhere(world);
		world->pointer = SPA_POINT((int32_t)any(world, WIDTH), (int32_t)any(world, HEIGHT));
		world->sends_shade = any(world, 4) == 0;
		world->shade = (uint8_t)(8 + any(world, 200));
		threads->starved +=
			!(any(world, 5) == 0 ? send_pointer(world) : send_picture(world));
		receive(world);
		sched_yield();
	}
	send_the_last(world);
	return NULL;
}

/* The lent bitmap is never a mix of two. */
static int check_cursor(struct world *world) {
	struct source_cursor cursor;
	if (!mailbox_cursor(&world->mailbox, &cursor) || cursor.width == 0) {
		return 0;
	}
	int wrongs = cursor.x < 0 || cursor.x >= WIDTH || cursor.y < 0 || cursor.y >= HEIGHT;
	for (size_t i = 0; i < (size_t)cursor.width * cursor.height * 4; i++) {
		wrongs += cursor.rgba[i] != (i % 4 == 2 ? 7 : cursor.rgba[0]);
	}
	return wrongs;
}

/* The loop's thread calls the mailbox while the data thread receives. */
static void test_both_threads(void **state) {
	struct threads threads = {.world = world_begin(2)};
	struct world *world = threads.world;
	uint32_t rounds = 0;
	uint32_t peeks = 0;
	uint32_t cursors = 0;
	int wrongs = 0;
	assert_int_equal(pthread_create(&threads.thread, NULL, stream, &threads), 0);
	while (peeks < MEETINGS || cursors < MEETINGS) {
		mailbox_want(&world->mailbox, stream_of(world), rounds++ % 3 != 0);
		peeks += peek(world);
		cursors += mailbox_cursor_changed(&world->mailbox);
		wrongs += check_cursor(world);
		pthread_mutex_lock(&world->mailbox.lock);
		wrongs += world->view_width != WIDTH;
		pthread_mutex_unlock(&world->mailbox.lock);
		sched_yield();
	}
	threads.stop = true;
	pthread_join(threads.thread, NULL);
	assert_int_equal(wrongs, 0);
	want(world, true);
	expect_view(world);
	assert_int_equal(threads.starved, 0);
	assert_int_equal(world->fulls, 1);
	assert_true(world->reads > 100);
	world_destroy(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
