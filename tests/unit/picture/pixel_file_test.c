/* Pictures in a file whose mapping is inaccessible give the same result as the same pixels in
 * memory. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "picture/convert.h"
#include "picture/diff.h"
#include "picture/pixel_file.h"

#define WIDTH 300
#define HEIGHT 200
#define OFFSET 12345 /* of the picture in the file */

struct world {
	int fd;
	uint8_t *memory; /* the file's bytes */
	uint8_t *locked; /* stands for its mapping */
	size_t length;
	struct pixel_file file;
	struct pixels in_memory;
	struct pixels in_file;
};

static void world_init(struct world *world, int32_t stride, enum pixel_order order) {
	size_t step = (size_t)abs(stride);
	*world = (struct world){.length = OFFSET + step * HEIGHT};
	world->fd = memfd_create("pixels", MFD_CLOEXEC);
	assert_true(world->fd >= 0);
	world->memory = malloc(world->length);
	assert_non_null(world->memory);
	for (size_t i = 0; i < world->length; i++) {
		world->memory[i] = (uint8_t)rand();
	}
	assert_int_equal(
		pwrite(world->fd, world->memory, world->length, 0), (ssize_t)world->length);
	world->locked = mmap(
		NULL, world->length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(world->locked != MAP_FAILED);
	size_t top = stride < 0 ? step * (HEIGHT - 1) : 0;
	world->in_memory =
		(struct pixels){world->memory + OFFSET + top, stride, order, WIDTH, HEIGHT, NULL};
	world->in_file = world->in_memory;
	world->in_file.top = world->locked + top;
	world->in_file.file = &world->file;
	assert_true(pixel_file_open(&world->file, world->fd, world->locked, OFFSET, stride));
}

static void world_finish(struct world *world) {
	pixel_file_finish(&world->file);
	munmap(world->locked, world->length);
	free(world->memory);
	close(world->fd);
}

static void assert_same(const struct picture *a, const struct picture *b) {
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = picture_shift(a, plane);
		for (uint32_t y = 0; y < a->height >> shift; y++) {
			assert_memory_equal(picture_at(a, plane, 0, (int32_t)(y << shift)),
				picture_at(b, plane, 0, (int32_t)(y << shift)), a->width >> shift);
		}
	}
}

static void picture_init(struct picture *picture, enum packet_chroma chroma) {
	*picture = (struct picture){0};
	assert_true(picture_resize(picture, WIDTH, HEIGHT, chroma));
	for (int plane = 0; plane < 3; plane++) {
		memset(picture->planes[plane], 7,
			(size_t)picture->strides[plane] *
				(picture->height >> picture_shift(picture, plane)));
	}
}

static struct rect any_rect(void) {
	int32_t x = rand() % WIDTH;
	int32_t y = rand() % HEIGHT;
	return (struct rect){x, y, 1 + rand() % (WIDTH - x), 1 + rand() % (HEIGHT - y)};
}

static void check_layout(int32_t stride, enum pixel_order order, enum packet_chroma chroma) {
	struct world world;
	world_init(&world, stride, order);
	struct picture wanted;
	struct picture got;
	picture_init(&wanted, chroma);
	picture_init(&got, chroma);
	for (int round = 0; round < 20; round++) {
		struct damage damage = {0};
		const struct rect rect = any_rect();
		damage_add(&damage, &rect);
		convert_damaged(&world.in_memory, &damage, &wanted);
		convert_damaged(&world.in_file, &damage, &got);
		assert_same(&wanted, &got);
	}
	struct damage whole;
	damage_set_full(&whole, WIDTH, HEIGHT);
	convert_damaged(&world.in_memory, &whole, &wanted);
	convert_damaged(&world.in_file, &whole, &got);
	assert_same(&wanted, &got);
	picture_finish(&wanted);
	picture_finish(&got);
	world_finish(&world);
}

static void test_layouts(void **state) {
	(void)state;
	const int32_t strides[] = {4 * WIDTH, 4 * WIDTH + 36, -4 * WIDTH, -(4 * WIDTH + 5)};
	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		check_layout(strides[i], PIXEL_ORDER_BGR, PACKET_CHROMA_420);
		check_layout(strides[i], PIXEL_ORDER_RGB, PACKET_CHROMA_420);
		check_layout(strides[i], PIXEL_ORDER_BGR, PACKET_CHROMA_444);
	}
}

static void test_changes_are_found(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 4 * WIDTH, PIXEL_ORDER_BGR);
	struct picture wanted;
	picture_init(&wanted, PACKET_CHROMA_420);
	struct damage whole;
	damage_set_full(&whole, WIDTH, HEIGHT);
	convert_damaged(&world.in_memory, &whole, &wanted);

	struct picture got;
	picture_init(&got, PACKET_CHROMA_420);
	struct damage found = {0};
	diff_find(&world.in_file, &got, &found);
	assert_same(&wanted, &got);
	assert_false(damage_is_empty(&found));
	damage_clear(&found);
	diff_find(&world.in_file, &got, &found);
	assert_true(damage_is_empty(&found));

	*picture_at(&got, 0, 70, 130) ^= 64;
	diff_find(&world.in_file, &got, &found);
	assert_int_equal(found.count, 1);
	assert_same(&wanted, &got);
	picture_finish(&got);
	picture_finish(&wanted);
	world_finish(&world);
}

/* Opening a new picture discards the rows of the last one, even in the same file. */
static void test_next_picture(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 4 * WIDTH, PIXEL_ORDER_BGR);
	struct pixels rows = pixel_file_read(&world.in_file, 10, 2);
	assert_memory_equal(rows.top, world.in_memory.top + 10 * 4 * WIDTH, 2 * 4 * WIDTH);
	memset(world.memory + OFFSET, 9, 4 * WIDTH * HEIGHT);
	assert_int_equal(pwrite(world.fd, world.memory, world.length, 0), (ssize_t)world.length);
	assert_true(pixel_file_open(&world.file, world.fd, world.locked, OFFSET, 4 * WIDTH));
	rows = pixel_file_read(&world.in_file, 10, 2);
	assert_memory_equal(rows.top, world.in_memory.top + 10 * 4 * WIDTH, 2 * 4 * WIDTH);
	world_finish(&world);
}

/* A file that its producer truncates shows black and raises no SIGBUS. */
static void test_short_file(void **state) {
	(void)state;
	static const uint8_t black[4 * WIDTH];
	struct world world;
	world_init(&world, 4 * WIDTH, PIXEL_ORDER_BGR);
	assert_int_equal(ftruncate(world.fd, OFFSET + 4 * WIDTH * 20), 0);
	struct pixels rows = pixel_file_read(&world.in_file, 19, 2);
	assert_memory_equal(rows.top, world.in_memory.top + 19 * 4 * WIDTH, 4 * WIDTH);
	assert_memory_equal(rows.top + 4 * WIDTH, black, sizeof(black));
	rows = pixel_file_read(&world.in_file, HEIGHT - 1, 1);
	assert_memory_equal(rows.top, black, sizeof(black));
	world_finish(&world);
}

static void test_unreadable_file(void **state) {
	(void)state;
	struct world world;
	world_init(&world, 4 * WIDTH, PIXEL_ORDER_BGR);
	assert_true(pixel_file_open(&world.file, -1, world.locked, OFFSET, 4 * WIDTH));
	struct pixels rows = pixel_file_read(&world.in_file, 3, 2);
	assert_null(rows.file);
	assert_ptr_equal(rows.top, world.in_file.top + 3 * 4 * WIDTH);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_changes_are_found),
		cmocka_unit_test(test_next_picture),
		cmocka_unit_test(test_short_file),
		cmocka_unit_test(test_unreadable_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
