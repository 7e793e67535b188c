#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/buffer.h"
#include "source/pw_api.h"

#define WIDTH 64
#define HEIGHT 40
#define ROW (WIDTH * 4)
#define REGIONS 16
#define POINTER 24u

/* A buffer as PipeWire maps it, with every kind of metadata. */
struct fixture {
	struct spa_buffer buffer;
	struct spa_data data;
	struct spa_chunk chunk;
	struct spa_meta metas[5];
	struct spa_meta_header header;
	struct spa_meta_region crop;
	struct spa_meta_region damage[REGIONS];
	struct spa_meta_videotransform transform;
	struct {
		struct spa_meta_cursor cursor;
		struct spa_meta_bitmap bitmap;
		uint8_t pixels[POINTER * POINTER * 4];
	} pointer;
	uint8_t memory[ROW * HEIGHT + 4096];
};

static struct fixture *fixture_create(void) {
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->metas[0] =
		(struct spa_meta){SPA_META_Header, sizeof(fixture->header), &fixture->header};
	fixture->metas[1] =
		(struct spa_meta){SPA_META_VideoCrop, sizeof(fixture->crop), &fixture->crop};
	fixture->metas[2] =
		(struct spa_meta){SPA_META_VideoDamage, sizeof(fixture->damage), fixture->damage};
	fixture->metas[3] =
		(struct spa_meta){SPA_META_Cursor, sizeof(fixture->pointer), &fixture->pointer};
	fixture->metas[4] = (struct spa_meta){
		SPA_META_VideoTransform, sizeof(fixture->transform), &fixture->transform};
	fixture->chunk.size = ROW * HEIGHT;
	fixture->chunk.stride = ROW;
	fixture->data = (struct spa_data){.type = SPA_DATA_MemFd,
		.fd = -1,
		.maxsize = ROW * HEIGHT,
		.data = fixture->memory,
		.chunk = &fixture->chunk};
	fixture->buffer = (struct spa_buffer){
		.n_metas = 5, .n_datas = 1, .metas = fixture->metas, .datas = &fixture->data};
	fixture->header.seq = 9;
	fixture->header.pts = 5000123;
	fixture->damage[0].region = SPA_REGION(3, 4, 5, 6);
	return fixture;
}

static enum buffer_kind read_fixture(
	const struct fixture *fixture, struct buffer_picture *picture) {
	uint64_t sequence = 0;
	return buffer_read(&fixture->buffer, WIDTH, HEIGHT, picture, &sequence);
}

static void test_plain(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	uint64_t sequence = 0;
	assert_int_equal(
		buffer_read(&fixture->buffer, WIDTH, HEIGHT, &picture, &sequence), BUFFER_PICTURE);
	assert_int_equal(sequence, 9);
	assert_int_equal(picture.pts_us, 5000);
	assert_ptr_equal(picture.top, fixture->memory);
	assert_int_equal(picture.stride, ROW);
	assert_int_equal(picture.crop.width, WIDTH);
	assert_true(picture.damage_known);
	assert_int_equal(picture.damage.count, 1);
	assert_int_equal(picture.damage.rects[0].x, 3);
}

static void test_no_metadata(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	fixture->buffer.n_metas = 0;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_false(picture.damage_known);
	assert_int_equal(picture.pts_us, -1);
	assert_int_equal(picture.crop.height, HEIGHT);
}

static void test_broken(void **state) {
	for (int fault = 0; fault < 8; fault++) {
		cleanup_free struct fixture *fixture = fixture_create();
		struct buffer_picture picture;
		fixture->metas[3].type = SPA_META_Invalid; /* no cursor */
		switch (fault) {
		case 0:
			fixture->header.flags = SPA_META_HEADER_FLAG_CORRUPTED;
			break;
		case 1:
			fixture->chunk.flags = SPA_CHUNK_FLAG_CORRUPTED;
			break;
		case 2:
			fixture->chunk.size = 0;
			break;
		case 3:
			fixture->chunk.size = ROW * HEIGHT - 1;
			break;
		case 4:
			fixture->data.data = NULL;
			break;
		case 5:
			fixture->buffer.n_datas = 0;
			break;
		case 6:
			fixture->crop.region = SPA_REGION(10, 10, 1, 20);
			break;
		case 7:
			fixture->crop.region = SPA_REGION(WIDTH, 0, 20, 20);
			break;
		}
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_BROKEN);
	}
}

static void test_cursor_only_buffers(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	fixture->chunk.flags = SPA_CHUNK_FLAG_CORRUPTED;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_CURSOR);
	fixture->chunk.size = 0;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_CURSOR);
	fixture->chunk.flags = 0;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_CURSOR);
	fixture->header.flags = SPA_META_HEADER_FLAG_CORRUPTED;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_BROKEN);
}

static void test_bottom_up(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	const uint8_t *upper = fixture->memory + ROW * (HEIGHT - 1);
	fixture->chunk.stride = -ROW;
	/* The offset points at the upper row, or at the block. */
	fixture->chunk.offset = ROW * (HEIGHT - 1);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_ptr_equal(picture.top, upper);
	assert_int_equal(picture.stride, -ROW);
	fixture->chunk.offset = 0;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_ptr_equal(picture.top, upper);
}

/* With any numbers, an accepted picture lies within the memory. */
static void test_picture_stays_within_memory(void **state) {
	srand(5);
	int accepted = 0;
	cleanup_free struct fixture *fixture = fixture_create();
	for (int round = 0; round < 300000; round++) {
		const uint32_t wild[] = {0, 1, ROW, ROW * HEIGHT, INT32_MAX, UINT32_MAX, 1u << 31,
			(uint32_t)rand() % 20000};
		fixture->data.maxsize =
			rand() % 3 == 0 ? wild[rand() % 4] : sizeof(fixture->memory);
		fixture->chunk.offset =
			rand() % 2 == 0 ? wild[rand() % 8] : (uint32_t)rand() % 4096;
		fixture->chunk.size = rand() % 2 == 0 ? wild[rand() % 8] : ROW * HEIGHT;
		fixture->chunk.stride =
			rand() % 2 == 0 ? (int32_t)wild[rand() % 8] : ROW + rand() % 128 - 64;
		if (rand() % 2 == 0) {
			fixture->chunk.stride = (int32_t)(0u - (uint32_t)fixture->chunk.stride);
		}
		fixture->crop.region =
			SPA_REGION(rand() % 100 - 20, rand() % 100 - 20, (uint32_t)rand() % 100,
				rand() % 5 == 0 ? UINT32_MAX : (uint32_t)rand() % 100);
		struct buffer_picture picture;
		if (read_fixture(fixture, &picture) != BUFFER_PICTURE) {
			continue;
		}
		accepted++;
		const struct rect *crop = &picture.crop;
		assert_true(crop->x >= 0 && crop->y >= 0 && crop->width >= 2 && crop->height >= 2);
		assert_true(crop->x + crop->width <= WIDTH && crop->y + crop->height <= HEIGHT);
		const uint8_t *first = picture.top;
		const uint8_t *last = picture.top + (ptrdiff_t)picture.stride * (crop->height - 1);
		const uint8_t *lower = first < last ? first : last;
		const uint8_t *upper = first < last ? last : first;
		assert_true(lower >= fixture->memory);
		assert_true(upper + crop->width * 4 <= fixture->memory + fixture->data.maxsize);
	}
	assert_true(accepted > 1000);
}

static void test_first_empty_region_ends_damage(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	fixture->damage[2].region = SPA_REGION(0, 0, 60, 30);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_int_equal(picture.damage.count, 1);
	const struct rect wanted = {3, 4, 5, 6};
	assert_memory_equal(&picture.damage.rects[0], &wanted, sizeof(wanted));
	/* An empty list says nothing. */
	fixture->damage[0].region = SPA_REGION(0, 0, 0, 0);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_false(picture.damage_known);
}

static void test_full_damage_is_unknown(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	fixture->damage[1].region = SPA_REGION(0, 0, WIDTH, HEIGHT);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_false(picture.damage_known);
	fixture->damage[1].region = SPA_REGION(0, 0, WIDTH, HEIGHT - 1);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_true(picture.damage_known);
	/* The whole crop is damaged. */
	fixture->crop.region = SPA_REGION(10, 20, 30, 15);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_false(picture.damage_known);
}

static void test_damage_is_relative_to_the_crop(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	fixture->crop.region = SPA_REGION(10, 20, 30, 15);
	fixture->damage[0].region = SPA_REGION(0, 0, 12, 22);
	fixture->damage[1].region = SPA_REGION(50, 0, 5, 5);
	fixture->damage[2].region = SPA_REGION(-100, -100, 1000000, 1);
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_ptr_equal(picture.top, fixture->memory + 20 * ROW + 10 * 4);
	assert_true(picture.damage_known);
	assert_int_equal(picture.damage.count, 1);
	const struct rect wanted = {0, 0, 2, 2};
	assert_memory_equal(&picture.damage.rects[0], &wanted, sizeof(wanted));
}

/* Damage with sides beyond INT32_MAX is unknown, not empty. */
static void test_damage_with_wild_sides(void **state) {
	const uint32_t wild[] = {1u << 31, (1u << 31) + 1, UINT32_MAX, INT32_MAX};
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		cleanup_free struct fixture *fixture = fixture_create();
		struct buffer_picture picture;
		fixture->damage[1].region = SPA_REGION(0, 0, wild[i], 6);
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
		assert_false(picture.damage_known);
		fixture->damage[1].region = SPA_REGION(0, 0, 6, wild[i]);
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
		assert_false(picture.damage_known);
		/* A crop with such sides extends to the picture's edge. */
		fixture->damage[1].region = SPA_REGION(0, 0, 0, 0);
		fixture->crop.region = SPA_REGION(10, 20, wild[i], wild[i]);
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
		assert_true(picture.damage_known);
		assert_int_equal(picture.crop.width, WIDTH - 10);
		assert_int_equal(picture.crop.height, HEIGHT - 20);
	}
}

struct forger {
	pthread_t thread;
	struct fixture *fixture;
	atomic_bool done;
};

/* A producer that overwrites its metadata while it is being read. */
static void *forge(void *data) {
	struct forger *forger = data;
	volatile uint32_t *transform = &forger->fixture->transform.transform;
	volatile uint32_t *width = &forger->fixture->damage[0].region.size.width;
	while (!forger->done) {
		*transform = UINT32_MAX;
		*width = 1u << 31;
		*transform = ORIENTATION_90;
		*width = 5;
	}
	return NULL;
}

static void test_checks_the_values_it_uses(void **state) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
	print_message(
		"skipped: the race with the producer is intended, but ThreadSanitizer reports "
		"it\n");
	skip();
#endif
#endif
	cleanup_free struct fixture *fixture = fixture_create();
	struct forger forger = {.fixture = fixture};
	int turned = 0;
	int damaged = 0;
	assert_int_equal(pthread_create(&forger.thread, NULL, forge, &forger), 0);
	int bad = 0;
	int round = 0;
	/* Until both values of each field were seen, which takes long if the other thread seldom
	 * runs. */
	for (; round < 1000000 ||
		(round < 100000000 && (turned % round == 0 || damaged % round == 0));
		round++) {
		struct buffer_picture picture;
		bad += read_fixture(fixture, &picture) != BUFFER_PICTURE;
		bad += picture.orientation != ORIENTATION_UPRIGHT &&
		       picture.orientation != ORIENTATION_90;
		bad += picture.damage_known && picture.damage.rects[0].width != 5;
		turned += picture.orientation == ORIENTATION_90;
		damaged += picture.damage_known;
	}
	forger.done = true;
	pthread_join(forger.thread, NULL);
	assert_int_equal(bad, 0);
	assert_in_range(turned, 1, round - 1);
	assert_in_range(damaged, 1, round - 1);
}

static void test_transform(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_picture picture;
	for (uint32_t transform = 0; transform < 8; transform++) {
		fixture->transform.transform = transform;
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
		assert_int_equal(picture.orientation, transform);
	}
	/* Unknown values and truncated metadata are ignored. */
	const uint32_t wild[] = {8, 255, UINT32_MAX, 1u << 31};
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		fixture->transform.transform = wild[i];
		assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
		assert_int_equal(picture.orientation, ORIENTATION_UPRIGHT);
	}
	fixture->transform.transform = ORIENTATION_90;
	fixture->metas[4].size = sizeof(fixture->transform) - 1;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_int_equal(picture.orientation, ORIENTATION_UPRIGHT);
	fixture->buffer.n_metas = 4;
	assert_int_equal(read_fixture(fixture, &picture), BUFFER_PICTURE);
	assert_int_equal(picture.orientation, ORIENTATION_UPRIGHT);
}

/* A pointer at (-5, 30) with a new bitmap. */
static void point(struct fixture *fixture) {
	fixture->pointer.cursor = (struct spa_meta_cursor){
		.id = 1,
		.position = SPA_POINT(-5, 30),
		.hotspot = SPA_POINT(3, 4),
		.bitmap_offset = sizeof(fixture->pointer.cursor),
	};
	fixture->pointer.bitmap = (struct spa_meta_bitmap){
		.format = SPA_VIDEO_FORMAT_RGBA,
		.size = SPA_RECTANGLE(POINTER, POINTER - 2),
		.stride = POINTER * 4,
		.offset = sizeof(fixture->pointer.bitmap),
	};
}

static void test_cursor(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct buffer_cursor cursor;
	/* On another screen: the other fields mean nothing. */
	point(fixture);
	fixture->pointer.cursor.id = 0;
	assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	assert_false(cursor.visible);
	assert_false(cursor.new_bitmap);
	point(fixture);
	assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	assert_true(cursor.visible);
	assert_int_equal(cursor.x, -5);
	assert_int_equal(cursor.y, 30);
	assert_true(cursor.new_bitmap);
	assert_int_equal(cursor.width, POINTER);
	assert_int_equal(cursor.height, POINTER - 2);
	assert_int_equal(cursor.hot_x, 3);
	assert_int_equal(cursor.hot_y, 4);
	assert_false(cursor.bgr);
	assert_ptr_equal(cursor.pixels, fixture->pointer.pixels);
	assert_int_equal(cursor.stride, POINTER * 4);
	fixture->pointer.bitmap.format = SPA_VIDEO_FORMAT_BGRA;
	assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	assert_true(cursor.bgr);
	/* It only moved. */
	fixture->pointer.cursor.bitmap_offset = 0;
	assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	assert_true(cursor.visible);
	assert_false(cursor.new_bitmap);
	/* An empty bitmap. */
	point(fixture);
	fixture->pointer.bitmap.size = SPA_RECTANGLE(0, 0);
	assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	assert_true(cursor.new_bitmap);
	assert_int_equal(cursor.width, 0);
	fixture->metas[3].size = sizeof(fixture->pointer.cursor) - 1;
	assert_false(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
	fixture->buffer.n_metas = 3;
	assert_false(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
}

/* With any numbers, an accepted bitmap lies within the metadata. */
static void test_bitmap_stays_within_metadata(void **state) {
	srand(7);
	int accepted = 0;
	int refused = 0;
	cleanup_free struct fixture *fixture = fixture_create();
	const uint8_t *end = (const uint8_t *)(&fixture->pointer + 1);
	for (int round = 0; round < 300000; round++) {
		const uint32_t wild[] = {0, 1, 4, POINTER, POINTER + 1, INT32_MAX, UINT32_MAX,
			(uint32_t)rand() % 4096};
		struct spa_meta_bitmap *bitmap = &fixture->pointer.bitmap;
		point(fixture);
		uint32_t *const fields[] = {&bitmap->size.width, &bitmap->size.height,
			&bitmap->offset, &bitmap->format, &fixture->pointer.cursor.bitmap_offset};
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			if (rand() % 4 == 0) {
				*fields[i] = wild[rand() % 8];
			}
		}
		if (rand() % 4 == 0) {
			bitmap->stride = (int32_t)wild[rand() % 8];
		}
		struct buffer_cursor cursor;
		assert_true(buffer_read_cursor(&fixture->buffer, POINTER, &cursor));
		if (!cursor.new_bitmap || cursor.width == 0) {
			refused++;
			continue;
		}
		accepted++;
		assert_true(cursor.width <= POINTER && cursor.height <= POINTER);
		assert_true(cursor.pixels > (const uint8_t *)&fixture->pointer.cursor);
		assert_true(cursor.pixels + (size_t)cursor.stride * (cursor.height - 1) +
				    (size_t)cursor.width * 4 <=
			    end);
	}
	assert_true(accepted > 1000);
	assert_true(refused > 1000);
}

/* Maps a file that is as long as the producer claims, from any offset. */
static void test_mapping(void **state) {
	cleanup_free struct fixture *fixture = fixture_create();
	struct spa_data *data = &fixture->data;
	/* The length of such memory is unknown. */
	data->type = SPA_DATA_MemPtr;
	assert_false(buffer_map(&fixture->buffer));
	data->type = SPA_DATA_DmaBuf;
	assert_false(buffer_map(&fixture->buffer));
	const uint32_t offset = 5000; /* not at the start of a page */
	cleanup_fd int fd = memfd_create("frame", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, offset + ROW * HEIGHT), 0);
	assert_int_equal(pwrite(fd, "first", 5, offset), 5);
	data->type = SPA_DATA_MemFd;
	data->fd = fd;
	data->data = NULL;
	data->mapoffset = offset;
	assert_true(buffer_map(&fixture->buffer));
	assert_memory_equal(data->data, "first", 5);
	buffer_unmap(&fixture->buffer);
	assert_null(data->data);
	/* Shorter than claimed: reading past its end would raise SIGBUS. */
	assert_int_equal(ftruncate(fd, offset + ROW * HEIGHT - 1), 0);
	assert_false(buffer_map(&fixture->buffer));
	assert_null(data->data);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_no_metadata),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_cursor_only_buffers),
		cmocka_unit_test(test_bottom_up),
		cmocka_unit_test(test_picture_stays_within_memory),
		cmocka_unit_test(test_first_empty_region_ends_damage),
		cmocka_unit_test(test_full_damage_is_unknown),
		cmocka_unit_test(test_damage_is_relative_to_the_crop),
		cmocka_unit_test(test_damage_with_wild_sides),
		cmocka_unit_test(test_checks_the_values_it_uses),
		cmocka_unit_test(test_transform),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_bitmap_stays_within_metadata),
		cmocka_unit_test(test_mapping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
