/*
 * When most of the picture changes, the canvas exchanges its two pictures instead of copying.
 */
#include "picture/canvas_world.h"

/* An exchange changes nothing else, whatever is read or composed next, and leaves the picture that
 * is being encoded alone. */
static void test_large_changes(void **state) {
	(void)state;
	const struct rect most = {10, 8, WIDTH - 20, HEIGHT - 20};
	const struct rect little = {150, 110, 40, 20};
	uint8_t bitmap[24 * 24 * 4];
	memset(bitmap, 0x80, sizeof(bitmap));
	struct screen screen;
	struct canvas canvas;
	screen_init(&screen);
	canvas_init(&canvas, PACKET_CHROMA_420, 0, 0);
	assert_true(cursor_set_bitmap(&canvas.cursor, 24, 24, bitmap));
	int exchanged = 0;
	for (int i = 0; i < 400; i++) {
		const struct rect where = i % 3 == 2 ? little : most;
		const uint8_t *memory = canvas.raw.memory;
		const struct picture *picture = NULL;
		struct damage damage = {0};
		damage_add(&damage, &where);
		scribble(&screen, &where);
		canvas.max_width = i / 7 % 4 == 3 ? 100 : 0;
		cursor_move(&canvas.cursor, i / 5 % 3 == 2, i % WIDTH, 40);
		enum orientation orientation =
			i / 9 % 5 == 4 ? ORIENTATION_180 : ORIENTATION_UPRIGHT;
		assert_true(canvas_read(
			&canvas, &screen.pixels, orientation, rand() % 8 == 0 ? NULL : &damage));
		if (rand() % 8 == 0) {
			continue;
		}
		assert_true(canvas_compose(&canvas, &picture, &damage));
		exchanged += canvas.raw.memory != memory;
		if (canvas.cursor.visible) {
			continue;
		}
		assert_like_fresh(&canvas, &screen, picture);
		uint8_t *kept = copy_of(picture);
		scribble(&screen, &little);
		damage_clear(&damage);
		damage_add(&damage, &little);
		assert_true(canvas_read(&canvas, &screen.pixels, orientation, &damage));
		assert_memory_equal(
			kept, picture->planes[0], (size_t)picture->strides[0] * picture->height);
		free(kept);
	}
	assert_in_range(exchanged, 100, 399);
	canvas_finish(&canvas);
}

/* After an exchange, nothing of the older picture shows. */
static void test_after_an_exchange(void **state) {
	(void)state;
	const struct rect most = {0, 0, WIDTH, HEIGHT - 20};
	const uint8_t transparent[24 * 24 * 4] = {0};
	struct screen first;
	struct screen second;
	screen_init(&first);
	screen_init(&second);
	memcpy(second.memory + (HEIGHT - 20) * WIDTH * 4, first.memory + (HEIGHT - 20) * WIDTH * 4,
		20 * WIDTH * 4);
	for (int way = 0; way < 3; way++) {
		struct canvas canvas;
		canvas_init(&canvas, PACKET_CHROMA_420, 0, 0);
		const struct picture *picture = NULL;
		const struct screen *screen = &second;
		struct damage damage = {0};
		assert_true(canvas_read(&canvas, &first.pixels, ORIENTATION_UPRIGHT, &damage));
		assert_true(canvas_compose(&canvas, &picture, &damage));
		damage_clear(&damage);
		damage_add(&damage, &most);
		assert_true(canvas_read(&canvas, &second.pixels, ORIENTATION_UPRIGHT, &damage));
		assert_true(canvas_compose(&canvas, &picture, &damage));
		assert_int_equal(canvas.behind.count, 1);
		if (way == 0) {
			/* Back to what the other picture still has, without damage. */
			screen = &first;
			assert_true(canvas_read(&canvas, &first.pixels, ORIENTATION_UPRIGHT, NULL));
		} else if (way == 1) {
			canvas.max_width = 100;
		} else {
			/* A transparent cursor shows what is beneath it. */
			assert_true(cursor_set_bitmap(&canvas.cursor, 24, 24, transparent));
			cursor_move(&canvas.cursor, true, 60, 40);
		}
		assert_true(canvas_compose(&canvas, &picture, &damage));
		assert_like_fresh(&canvas, screen, picture);
		canvas_finish(&canvas);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_changes),
		cmocka_unit_test(test_after_an_exchange),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
