/*
 * The canvas, including the diff and the cursor.
 */
#include "picture/canvas_world.h"
#include "picture/diff.h"

#include "base/cleanup.h"

/* True damage is followed in every orientation. */
static void test_true_damage(void **state) {
	(void)state;
	struct screen screen;
	screen_init(&screen);
	for (int chroma = 0; chroma < 2; chroma++) {
		struct canvas canvas;
		canvas_init(&canvas, (enum packet_chroma)chroma, 0, 0);
		for (int i = 0; i < 300; i++) {
			const struct rect where = {rand() % (WIDTH - 60), rand() % (HEIGHT - 50),
				1 + rand() % 60, 1 + rand() % 50};
			struct damage damage = {0};
			damage_add(&damage, &where);
			scribble(&screen, &where);
			assert_true(canvas_read(
				&canvas, &screen.pixels, (enum orientation)(i / 10 % 8), &damage));
			const struct picture *picture = NULL;
			assert_true(canvas_compose(&canvas, &picture, &damage));
			assert_false(damage_is_empty(&damage));
			assert_like_fresh(&canvas, &screen, picture);
		}
		canvas_finish(&canvas);
	}
}

static void test_no_change_is_no_damage(void **state) {
	(void)state;
	struct screen screen;
	struct canvas canvas;
	screen_init(&screen);
	canvas_init(&canvas, PACKET_CHROMA_420, 100, 100);
	const struct damage none = {0};
	struct damage damage;
	const struct picture *picture = NULL;
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_90, &none));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_int_equal(picture->height, 100);
	assert_int_equal(picture->width, 68);
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_true(damage_is_empty(&damage));
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_90, &none));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_true(damage_is_empty(&damage));
	/* The same pixels in another size. */
	canvas.max_width = 0;
	canvas.max_height = 0;
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_int_equal(picture->height, WIDTH);
	assert_int_equal(damage.rects[0].height, WIDTH);
	assert_like_fresh(&canvas, &screen, picture);
	canvas_finish(&canvas);
}

/* An upright picture is scaled without a copy in between. The result is the same as with one, and
 * reading leaves it alone. */
static void test_scaled_is_the_only_copy(void **state) {
	(void)state;
	struct screen screen;
	screen_init(&screen);
	for (int orientation = ORIENTATION_UPRIGHT; orientation <= ORIENTATION_90; orientation++) {
		struct canvas canvas;
		canvas_init(&canvas, PACKET_CHROMA_420, 0, 0);
		bool upright = orientation == ORIENTATION_UPRIGHT;
		for (int i = 0; i < 40; i++) {
			canvas.max_width = i % 4 > 1 ? (upright ? WIDTH : HEIGHT) / 2 : 0;
			const struct rect where = {rand() % 150, rand() % 90, 50, 46};
			struct damage damage = {0};
			damage_add(&damage, &where);
			scribble(&screen, &where);
			const struct picture *picture = NULL;
			assert_true(canvas_read(
				&canvas, &screen.pixels, (enum orientation)orientation, &damage));
			assert_true(canvas_compose(&canvas, &picture, &damage));
			assert_false(damage_is_empty(&damage));
			assert_like_fresh(&canvas, &screen, picture);
			assert_int_equal(canvas.upright.memory == NULL, upright && i % 4 > 1);
			assert_int_equal(canvas.scaled.memory == NULL, i % 4 <= 1);
			cleanup_free uint8_t *before = copy_of(picture);
			scribble(&screen, &where);
			damage_add(&damage, &where);
			assert_true(canvas_read(
				&canvas, &screen.pixels, (enum orientation)orientation, &damage));
			assert_memory_equal(before, picture->planes[0],
				(size_t)picture->strides[0] * picture->height);
		}
		canvas_finish(&canvas);
	}
}

/* Without damage, changes are found: their tiles and nothing else. */
static void test_changes_are_found(void **state) {
	(void)state;
	struct screen screen;
	screen_init(&screen);
	for (int chroma = 0; chroma < 2; chroma++) {
		struct canvas canvas;
		canvas_init(&canvas, (enum packet_chroma)chroma, 0, 0);
		const struct picture *picture = NULL;
		struct damage damage;
		for (int32_t i = 0; i < 200; i++) {
			enum orientation orientation = (enum orientation)(i / 50 * 2);
			const struct rect where = {
				rand() % (WIDTH - 8), rand() % (HEIGHT - 8), 8, 8};
			bool changes = i % 3 != 0;
			if (changes) {
				scribble(&screen, &where);
			}
			assert_true(canvas_read(&canvas, &screen.pixels, orientation, NULL));
			assert_true(canvas_compose(&canvas, &picture, &damage));
			assert_like_fresh(&canvas, &screen, picture);
			bool turned = i % 50 == 0;
			assert_int_equal(damage_is_empty(&damage), !changes && !turned);
			for (uint32_t j = 0; j < damage.count && !turned; j++) {
				assert_true(damage.rects[j].width <= 2 * DIFF_TILE);
				assert_true(damage.rects[j].height <= 2 * DIFF_TILE);
			}
		}
		canvas_finish(&canvas);
	}
}

/* The cursor leaves no trace, wherever it moves and whatever changes beneath it. */
static void test_cursor_leaves_no_trace(void **state) {
	(void)state;
	struct screen screen;
	screen_init(&screen);
	uint8_t bitmap[24 * 24 * 4];
	memset(bitmap, 0xff, sizeof(bitmap));
	for (int chroma = 0; chroma < 2; chroma++) {
		struct canvas canvas;
		canvas_init(&canvas, (enum packet_chroma)chroma, 0, 0);
		assert_true(cursor_set_bitmap(&canvas.cursor, 24, 24, bitmap));
		const struct picture *picture = NULL;
		struct damage damage;
		for (int i = 0; i < 200; i++) {
			damage_clear(&damage);
			const struct rect where = {rand() % 150, rand() % 100, 40, 30};
			int32_t x = rand() % (WIDTH + 100) - 50;
			int32_t y = rand() % (HEIGHT + 100) - 50;
			cursor_move(&canvas.cursor, i % 5 != 0, x, y);
			if (i % 3 == 0) {
				damage_add(&damage, &where);
				scribble(&screen, &where);
			}
			if (i % 2 == 0 || i % 3 == 0) {
				assert_true(canvas_read(
					&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &damage));
			}
			assert_true(canvas_compose(&canvas, &picture, &damage));
		}
		cursor_move(&canvas.cursor, false, 0, 0);
		assert_true(canvas_compose(&canvas, &picture, &damage));
		assert_like_fresh(&canvas, &screen, picture);
		canvas_finish(&canvas);
	}
}

/* An opaque cursor shows its colour, a transparent one the picture, a translucent one a mix. */
static void test_cursor_is_blended(void **state) {
	(void)state;
	struct screen screen;
	struct canvas canvas;
	screen_init(&screen);
	memset(screen.memory, 0, sizeof(screen.memory));
	canvas_init(&canvas, PACKET_CHROMA_420, 0, 0);
	const struct damage none = {0};
	struct damage damage;
	const struct picture *picture = NULL;
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &none));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	/* Red, premultiplied. */
	const int alphas[] = {255, 128, 0};
	for (int i = 0; i < 3; i++) {
		uint8_t bitmap[8 * 8 * 4] = {0};
		for (size_t pixel = 0; pixel < 64; pixel++) {
			bitmap[4 * pixel] = (uint8_t)alphas[i];
			bitmap[4 * pixel + 3] = (uint8_t)alphas[i];
		}
		assert_true(cursor_set_bitmap(&canvas.cursor, 8, 8, bitmap));
		cursor_move(&canvas.cursor, true, 51, 31);
		assert_true(canvas_compose(&canvas, &picture, &damage));
		assert_int_equal(damage.count, 1);
		assert_int_equal(damage.rects[0].x, 50);
		assert_int_equal(damage.rects[0].width, 10);
		int luma = picture_at(picture, 0, 54, 34)[0];
		int v = picture_at(picture, 2, 54, 34)[0];
		assert_in_range(luma, 16 + 66 * alphas[i] / 256 - 2, 16 + 66 * alphas[i] / 256 + 2);
		assert_in_range(
			v, 128 + 112 * alphas[i] / 256 - 2, 128 + 112 * alphas[i] / 256 + 2);
		assert_in_range(picture_at(picture, 0, 60, 34)[0], 15, 17);
	}
	/* A cursor at rest is no damage. */
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_true(damage_is_empty(&damage));
	canvas_finish(&canvas);
}

static void test_point(void **state) {
	(void)state;
	struct screen screen;
	struct canvas canvas;
	screen_init(&screen);
	canvas_init(&canvas, PACKET_CHROMA_420, 0, 100);
	const struct damage none = {0};
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_180, &none));
	int32_t x = WIDTH - 1;
	int32_t y = HEIGHT - 1;
	canvas_point(&canvas, &x, &y);
	assert_int_equal(x, 0);
	assert_int_equal(y, 0);
	x = 0;
	y = 0;
	canvas_point(&canvas, &x, &y);
	assert_in_range(x, 143, 146);
	assert_int_equal(y, 99);
	canvas_finish(&canvas);
}

/* A region shows what the whole picture has there, in every orientation, wherever the region moves
 * and whatever changes. */
static void test_region(void **state) {
	(void)state;
	struct screen screen;
	screen_init(&screen);
	struct canvas canvas;
	struct canvas whole;
	canvas_init(&canvas, PACKET_CHROMA_444, 0, 0);
	canvas_init(&whole, PACKET_CHROMA_444, 0, 0);
	screen.pixels.width = WIDTH - 1;
	screen.pixels.height = HEIGHT - 3;
	for (int i = 0; i < 400; i++) {
		enum orientation orientation = (enum orientation)(i / 10 % 8);
		uint32_t width = screen.pixels.width;
		uint32_t height = screen.pixels.height;
		orientation_size(orientation, &width, &height);
		if (i % 5 == 0) {
			canvas.region = (struct rect){rand() % ((int32_t)width - 20),
				rand() % ((int32_t)height - 20), 2 + rand() % 300,
				2 + rand() % 300};
		}
		const struct rect where = {rand() % (WIDTH - 60), rand() % (HEIGHT - 50),
			1 + rand() % 60, 1 + rand() % 50};
		struct damage damage = {0};
		damage_add(&damage, &where);
		scribble(&screen, &where);
		assert_true(canvas_read(&canvas, &screen.pixels, orientation, &damage));
		assert_true(canvas_read(&whole, &screen.pixels, orientation, &damage));
		const struct picture *part = NULL;
		const struct picture *all = NULL;
		assert_true(canvas_compose(&canvas, &part, &damage));
		assert_true(canvas_compose(&whole, &all, &damage));
		assert_like_fresh(&canvas, &screen, part);
		assert_true(canvas_size(&canvas, &width, &height));
		assert_int_equal(part->width, width);
		assert_int_equal(part->height, height);
		for (uint32_t y = 0; y < height; y++) {
			uint32_t row = (uint32_t)canvas.region.y + y;
			if (row >= all->height) {
				break;
			}
			uint32_t columns = all->width - (uint32_t)canvas.region.x;
			assert_memory_equal(part->planes[0] + (ptrdiff_t)y * part->strides[0],
				all->planes[0] + (ptrdiff_t)row * all->strides[0] + canvas.region.x,
				columns < width ? columns : width);
		}
	}
	canvas_finish(&canvas);
	canvas_finish(&whole);
}

/* Nothing outside of the region matters. */
static void test_outside_the_region(void **state) {
	(void)state;
	struct screen screen;
	struct canvas canvas;
	screen_init(&screen);
	canvas_init(&canvas, PACKET_CHROMA_420, 0, 0);
	canvas.region = (struct rect){100, 60, 64, 64};
	struct damage damage = {0};
	const struct picture *picture = NULL;
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &damage));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	for (int i = 0; i < 100; i++) {
		const struct rect where = {rand() % 50, rand() % 70, 50, 60};
		scribble(&screen, &where);
		damage_clear(&damage);
		damage_add(&damage, &where);
		assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &damage));
		assert_true(canvas_compose(&canvas, &picture, &damage));
		assert_true(damage_is_empty(&damage));
	}
	/* Pixels without the region change nothing; the next ones are read completely. */
	const struct pixels all = screen.pixels;
	screen.pixels.width = 101;
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &damage));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_true(damage_is_empty(&damage));
	assert_int_equal(picture->width, 64);
	uint32_t width = 101;
	uint32_t height = HEIGHT;
	assert_false(canvas_size(&canvas, &width, &height));
	screen.pixels = all;
	scribble(&screen, &canvas.region);
	assert_true(canvas_read(&canvas, &screen.pixels, ORIENTATION_UPRIGHT, &damage));
	assert_true(canvas_compose(&canvas, &picture, &damage));
	assert_like_fresh(&canvas, &screen, picture);
	canvas_finish(&canvas);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true_damage),
		cmocka_unit_test(test_no_change_is_no_damage),
		cmocka_unit_test(test_scaled_is_the_only_copy),
		cmocka_unit_test(test_changes_are_found),
		cmocka_unit_test(test_cursor_leaves_no_trace),
		cmocka_unit_test(test_cursor_is_blended),
		cmocka_unit_test(test_point),
		cmocka_unit_test(test_region),
		cmocka_unit_test(test_outside_the_region),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
