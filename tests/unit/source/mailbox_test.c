#include "mailbox_world.h"

#include <sys/mman.h>
#include <unistd.h>

/* Only the newest picture is read, with the damage of those that it replaced. */
static void test_damage_is_united(void **state) {
	struct world *world = world_begin(2);
	const struct rect places[] = {{1, 1, 3, 3}, {20, 2, 4, 4}, {9, 17, 5, 5}};
	for (size_t i = 0; i < 3; i++) {
		send_painted(world, &places[i]);
		assert_true(receive(world));
		assert_int_equal(count_at(world, AT_CONSUMER), 1);
	}
	assert_int_equal(world->reads, 1);
	want(world, true);
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->fulls, 1);
	assert_int_equal(world->damage.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_memory_equal(&world->damage.rects[i], &places[i], sizeof(places[i]));
	}
	expect_view(world);
	/* Damage is reported only once. */
	send_painted(world, &places[2]);
	assert_true(receive(world));
	assert_int_equal(world->damage.count, 1);
	expect_view(world);
	world_destroy(world);
}

/* Two pictures in one cycle: the first goes back unread. */
static void test_cycle_of_two(void **state) {
	struct world *world = world_begin(2);
	want(world, true);
	send_painted(world, &(struct rect){1, 1, 3, 3});
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_false(send_picture(world));
	assert_true(receive(world));
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->damage.count, 2);
	assert_int_equal(count_at(world, AT_PRODUCER), 2);
	expect_view(world);
	world_destroy(world);
}

/* After a lost picture, damage is unknown once. */
static void test_lost_pictures(void **state) {
	for (int kind = 0; kind < 3; kind++) {
		struct world *world = world_begin(2);
		want(world, true);
		paint(world, &(struct rect){20, 2, 4, 4});
		if (kind == 0) {
			world->sequence++;
		} else if (kind == 1) {
			world->sequence++;
			assert_true(send_pointer(world));
			assert_false(receive(world));
		} else {
			assert_true(send(world, SPA_META_HEADER_FLAG_CORRUPTED, 0));
			assert_false(receive(world));
		}
		damage_clear(&world->pending);
		assert_int_equal(world->reads, 1);
		for (int i = 0; i < 2; i++) {
			send_painted(world, &(struct rect){1, 1, 3, 3});
			assert_true(receive(world));
			assert_int_equal(world->reads, 2 + i);
			assert_int_equal(world->fulls, 2);
			expect_view(world);
		}
		world_destroy(world);
	}
}

/* A cursor-only buffer neither replaces the held picture nor loses its damage. */
static void test_cursor_only_buffer(void **state) {
	struct world *world = world_begin(2);
	struct source_cursor cursor;
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_true(receive(world));
	world->pointer = SPA_POINT(9, 9);
	assert_true(send_pointer(world));
	assert_true(receive(world));
	assert_true(mailbox_cursor_changed(&world->mailbox));
	assert_true(mailbox_cursor(&world->mailbox, &cursor));
	assert_int_equal(cursor.x, 9);
	assert_false(mailbox_cursor_changed(&world->mailbox));
	/* The cursor did not move. */
	assert_true(send_pointer(world));
	assert_false(receive(world));
	want(world, true);
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->fulls, 1);
	expect_view(world);
	world_destroy(world);
}

/* Producers send a bitmap once. It survives even if its picture and later ones are skipped. */
static void test_bitmap_of_skipped_picture(void **state) {
	struct world *world = world_begin(2);
	struct source_cursor cursor;
	world->shade = 99;
	world->sends_shade = true;
	for (int32_t i = 0; i < 5; i++) {
		world->pointer = SPA_POINT(i, 2 * i);
		assert_true(send_picture(world));
		assert_true(receive(world));
	}
	assert_true(mailbox_cursor(&world->mailbox, &cursor));
	assert_true(cursor.visible);
	assert_int_equal(cursor.x, 4);
	assert_int_equal(cursor.y, 8);
	assert_int_equal(cursor.bitmap, 2);
	assert_int_equal(cursor.width, POINTER);
	assert_int_equal(cursor.hot_y, 2);
	/* Blue came first. */
	const uint8_t pixel[4] = {99, 99, 7, 99};
	for (size_t i = 0; i < POINTER * POINTER; i++) {
		assert_memory_equal(cursor.rgba + 4 * i, pixel, 4);
	}
	assert_false(mailbox_cursor(&world->mailbox, &cursor));
	assert_int_equal(cursor.bitmap, 2);
	world_destroy(world);
}

static void test_crop_moves(void **state) {
	struct world *world = world_begin(2);
	struct source_cursor cursor;
	want(world, true);
	for (int32_t i = 0; i < 4; i++) {
		/* From the second picture on, only its position changes. */
		world->crop = SPA_REGION(2 + i, 3, 20, 16);
		send_painted(world, &(struct rect){10, 10, 2, 2});
		assert_true(receive(world));
		assert_int_equal(world->fulls, 2 + i);
		expect_view(world);
		/* The cursor did not move, but its position in the picture changed. */
		assert_true(mailbox_cursor(&world->mailbox, &cursor));
		assert_int_equal(cursor.x, 3 - i);
		assert_int_equal(cursor.y, 3);
	}
	send_painted(world, &(struct rect){10, 10, 2, 2});
	assert_true(receive(world));
	assert_int_equal(world->fulls, 5);
	expect_view(world);
	assert_false(mailbox_cursor(&world->mailbox, &cursor));
	world_destroy(world);
}

#define LARGE ((size_t)32 * 1024 * 1024)

static void read_large(void *data, const struct source_picture *picture) {
	struct world *world = data;
	assert_non_null(picture->pixels.file);
	const struct pixels rows = pixel_file_read(&picture->pixels, 0, PIXEL_FILE_ROWS);
	assert_memory_equal(rows.top, world->canvas, (size_t)PIXEL_FILE_ROWS * WIDTH * 4);
	world->reads++;
}

/* A large buffer is read from its file, since the pages of a mapping would stay resident. */
static void test_large_buffer(void **state) {
	struct world *world = world_create(1);
	struct spa_data *data = &world->slots[0].data;
	mailbox_remove_buffer(&world->mailbox, &world->slots[0].pw);
	int fd = (int)data->fd;
	assert_int_equal(ftruncate(fd, (off_t)LARGE), 0);
	world->mailbox.read = read_large;
	paint_anywhere(world);
	assert_int_equal(
		pwrite(fd, world->canvas, sizeof(world->canvas), 0), sizeof(world->canvas));
	data->maxsize = LARGE;
	mailbox_add_buffer(&world->mailbox, &world->slots[0].pw);
	want(world, true);
	assert_true(send_picture(world));
	assert_true(receive(world));
	assert_int_equal(world->reads, 1);
	world_destroy(world);
}

static void test_close(void **state) {
	struct world *world = world_begin(2);
	mailbox_close(&world->mailbox);
	for (int i = 0; i < 5; i++) {
		world->pointer.x++;
		paint_anywhere(world);
		assert_true(send_picture(world));
		assert_false(receive(world));
		assert_int_equal(count_at(world, AT_PRODUCER), 2);
		assert_false(peek(world));
		assert_false(mailbox_cursor_changed(&world->mailbox));
	}
	want(world, true);
	assert_int_equal(world->reads, 1);
	world_destroy(world);
}

static void leave(struct world *world, struct slot *slot) {
	mailbox_remove_buffer(&world->mailbox, &slot->pw);
	slot->owner = AT_PRODUCER;
}

static void leave_all(struct world *world) {
	for (uint32_t i = 0; i < 2; i++) {
		leave(world, &world->slots[i]);
	}
}

/* The buffers join again, and the next picture's damage is unknown. */
static void expect_full_picture(struct world *world) {
	for (uint32_t i = 0; i < 2; i++) {
		mailbox_add_buffer(&world->mailbox, &world->slots[i].pw);
	}
	send_painted(world, &(struct rect){1, 1, 3, 3});
	assert_true(receive(world));
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->fulls, 2);
	expect_view(world);
}

/* Unreadable means that the pool has buffers, and none of them can be read. */
static void test_buffers_without_memory(void **state) {
	struct world *world = world_begin(2);
	assert_false(mailbox_is_unreadable(&world->mailbox));
	leave_all(world);
	assert_false(mailbox_is_unreadable(&world->mailbox));
	struct spa_data filled = world->slots[0].data;
	world->slots[0].data = (struct spa_data){.type = SPA_ID_INVALID, .fd = -1};
	mailbox_add_buffer(&world->mailbox, &world->slots[0].pw);
	assert_true(mailbox_is_unreadable(&world->mailbox));
	mailbox_add_buffer(&world->mailbox, &world->slots[1].pw);
	assert_false(mailbox_is_unreadable(&world->mailbox));
	mailbox_remove_buffer(&world->mailbox, &world->slots[1].pw);
	assert_true(mailbox_is_unreadable(&world->mailbox));
	mailbox_remove_buffer(&world->mailbox, &world->slots[0].pw);
	assert_false(mailbox_is_unreadable(&world->mailbox));
	world->slots[0].data = filled;
	world->slots[0].data.data = NULL;
	world_destroy(world);
}

/* A held buffer leaves the pool: its picture and damage are lost. */
static void test_held_buffer_leaves(void **state) {
	struct world *world = world_begin(2);
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_true(receive(world));
	leave_all(world);
	want(world, true);
	assert_int_equal(world->reads, 1);
	expect_full_picture(world);
	world_destroy(world);
}

/* The data thread dequeues buffers that left the pool: none is read, and their damage is unknown.
 */
static void test_buffers_left(void **state) {
	struct world *world = world_begin(2);
	world->unnumbered = true;
	want(world, true);
	leave_all(world);
	world->pointer.x++;
	assert_true(send_pointer(world));
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_false(receive(world));
	assert_int_equal(world->reads, 1);
	assert_int_equal(count_at(world, AT_PRODUCER), 2);
	expect_full_picture(world);
	world_destroy(world);
}

/* A held picture keeps the format that it arrived with; its damage is unknown. */
static void test_format(void **state) {
	struct world *world = world_begin(2);
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_true(receive(world));
	mailbox_set_format(&world->mailbox, PIXEL_ORDER_RGB, WIDTH, HEIGHT);
	want(world, true);
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->fulls, 2);
	assert_int_equal(world->order, PIXEL_ORDER_BGR);
	/* It is not the new format's first picture. */
	assert_false(peek(world));
	send_painted(world, &(struct rect){20, 2, 4, 4});
	assert_true(receive(world));
	assert_int_equal(world->order, PIXEL_ORDER_RGB);
	assert_true(peek(world));
	/* Without a format nothing is read. */
	mailbox_set_format(&world->mailbox, PIXEL_ORDER_BGR, 0, 0);
	assert_true(send_picture(world));
	assert_false(receive(world));
	assert_int_equal(world->reads, 3);
	world_destroy(world);
}

/* 60 cycles a second, moving and still in turns, with and without credit. */
static void test_hour_of_cycles(void **state) {
	struct world *world = world_begin(2);
	bool moving = false;
	bool wanted = false;
	uint32_t left = 10;
	for (uint32_t cycle = 0; cycle < 3600 * 60; cycle++) {
		if (--left == 0) {
			left = 1 + any(world, 200);
			if (moving) {
				send_the_last(world);
				want(world, wanted = true);
				expect_view(world);
			}
			moving = !moving;
		}
		wanted = any(world, 20) == 0 ? !wanted : wanted;
		want(world, wanted);
		if (!moving) {
			int reads = world->reads;
			assert_false(receive(world));
			assert_int_equal(world->reads, reads);
			continue;
		}
		paint_anywhere(world);
		/* The producer always has a free buffer. */
		assert_true(send_picture(world));
		paint_anywhere(world);
		(void)(any(world, 3) == 0 && send_picture(world));
		assert_true(receive(world));
	}
	assert_true(world->reads > 20000);
	assert_int_equal(world->fulls, 1);
	world_destroy(world);
}

static void test_minute_without_credit(void **state) {
	struct world *world = world_begin(2);
	struct source_cursor cursor;
	for (int32_t i = 0; i < 3600; i++) {
		paint_anywhere(world);
		world->pointer = SPA_POINT(i % WIDTH, i % HEIGHT);
		assert_true(i % 3 == 2 ? send_pointer(world) : send_picture(world));
		assert_true(receive(world));
	}
	assert_int_equal(world->reads, 1);
	world->pointer = SPA_POINT(17, 11);
	send_the_last(world);
	want(world, true);
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->fulls, 1);
	expect_view(world);
	assert_true(mailbox_cursor(&world->mailbox, &cursor));
	assert_int_equal(cursor.x, 17);
	assert_int_equal(cursor.y, 11);
	world_destroy(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_is_united),
		cmocka_unit_test(test_cycle_of_two),
		cmocka_unit_test(test_lost_pictures),
		cmocka_unit_test(test_cursor_only_buffer),
		cmocka_unit_test(test_bitmap_of_skipped_picture),
		cmocka_unit_test(test_crop_moves),
		cmocka_unit_test(test_large_buffer),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_buffers_without_memory),
		cmocka_unit_test(test_held_buffer_leaves),
		cmocka_unit_test(test_buffers_left),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_hour_of_cycles),
		cmocka_unit_test(test_minute_without_credit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
