/*
 * A mailbox between a producer and a reader, with PipeWire's functions replaced. The producer
 * checks that each buffer has one owner. The reader copies only the damage, and checks that its
 * view is the whole picture.
 */
#pragma once

#include "unit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/mailbox.h"
#include "source/pw_api.h"

#define WIDTH 32
#define HEIGHT 24
#define PIXELS (WIDTH * HEIGHT)
#define MEMORY_SIZE (PIXELS * sizeof(uint32_t))
#define POOL_MAX 3u
#define POINTER 4u

enum owner {
	AT_PRODUCER,
	QUEUED,
	AT_CONSUMER,
};

struct slot {
	struct pw_buffer pw; /* the first member */
	struct spa_buffer buffer;
	struct spa_data data;
	struct spa_chunk chunk;
	struct spa_meta metas[4];
	struct spa_meta_header header;
	struct spa_meta_region crop;
	struct spa_meta_region damage[DAMAGE_RECTS_MAX];
	struct {
		struct spa_meta_cursor cursor;
		struct spa_meta_bitmap bitmap;
		uint8_t pixels[POINTER * POINTER * 4];
	} pointer;
	uint32_t *memory; /* PIXELS, in the file of `data` */
	_Atomic enum owner owner;
	uint64_t turn; /* in the queue */
};

struct world {
	struct mailbox mailbox;
	struct slot slots[POOL_MAX];
	uint32_t pool;
	uint64_t turns;
	uint64_t sequence;
	bool unnumbered; /* buffers have no sequence number */
	uint32_t noise;
	uint32_t canvas[PIXELS];
	struct damage pending; /* since the last picture that was sent */
	struct spa_region crop;
	struct spa_point pointer;
	uint8_t shade;    /* of the pointer's bitmap */
	bool sends_shade; /* with the next buffer */
	/* The reader's, guarded by the mailbox's lock. */
	uint32_t view[PIXELS];
	uint32_t view_width;
	uint32_t view_height;
	int reads;
	enum pixel_order order;
	int fulls; /* reads with unknown damage */
	struct damage damage;
	atomic_int wrongs; /* threads can't assert */
};

struct pw_buffer *pw_stream_dequeue_buffer(struct pw_stream *stream) {
	struct world *world = (struct world *)stream;
	struct slot *first = NULL;
	for (uint32_t i = 0; i < world->pool; i++) {
		struct slot *slot = &world->slots[i];
		if (slot->owner == QUEUED && (first == NULL || slot->turn < first->turn)) {
			first = slot;
		}
	}
	if (first == NULL) {
		return NULL;
	}
	first->owner = AT_CONSUMER;
	return &first->pw;
}

int pw_stream_queue_buffer(struct pw_stream *stream, struct pw_buffer *buffer) {
	struct world *world = (struct world *)stream;
	struct slot *slot = (struct slot *)buffer;
	world->wrongs += slot->owner != AT_CONSUMER;
	memset(slot->memory, 0xee, MEMORY_SIZE);
	slot->owner = AT_PRODUCER;
	return 0;
}

static inline uint32_t count_at(const struct world *world, enum owner owner) {
	uint32_t count = 0;
	for (uint32_t i = 0; i < world->pool; i++) {
		count += world->slots[i].owner == owner;
	}
	return count;
}

static inline void copy_rect(
	struct world *world, const struct pixels *pixels, const struct rect *rect) {
	for (int32_t y = rect->y; y < rect->y + rect->height; y++) {
		memcpy(world->view + y * WIDTH + rect->x,
			pixels->top + y * pixels->stride + rect->x * 4, (size_t)rect->width * 4);
	}
}

/* Once the damage is copied, the view must equal the picture. */
static inline void read_picture(void *data, const struct source_picture *picture) {
	struct world *world = data;
	const struct pixels *pixels = &picture->pixels;
	const struct rect all = {0, 0, (int32_t)pixels->width, (int32_t)pixels->height};
	bool resized = pixels->width != world->view_width || pixels->height != world->view_height;
	world->reads++;
	world->fulls += picture->damage == NULL;
	world->wrongs += resized && picture->damage != NULL;
	world->wrongs += count_at(world, AT_CONSUMER) != 1;
	world->view_width = pixels->width;
	world->view_height = pixels->height;
	world->order = pixels->order;
	if (picture->damage == NULL) {
		copy_rect(world, pixels, &all);
		return;
	}
	world->damage = *picture->damage;
	for (uint32_t i = 0; i < picture->damage->count; i++) {
		copy_rect(world, pixels, &picture->damage->rects[i]);
	}
	for (uint32_t y = 0; y < pixels->height; y++) {
		world->wrongs +=
			memcmp(world->view + y * WIDTH, pixels->top + (ptrdiff_t)y * pixels->stride,
				(size_t)pixels->width * 4) != 0;
	}
}

static inline struct pw_stream *stream_of(struct world *world) {
	return (struct pw_stream *)world;
}

static inline void slot_init(struct slot *slot) {
	slot->pw.buffer = &slot->buffer;
	slot->metas[0] = (struct spa_meta){SPA_META_Header, sizeof(slot->header), &slot->header};
	slot->metas[1] = (struct spa_meta){SPA_META_VideoCrop, sizeof(slot->crop), &slot->crop};
	slot->metas[2] =
		(struct spa_meta){SPA_META_VideoDamage, sizeof(slot->damage), slot->damage};
	slot->metas[3] = (struct spa_meta){SPA_META_Cursor, sizeof(slot->pointer), &slot->pointer};
	int fd = memfd_create("slot", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, MEMORY_SIZE), 0);
	slot->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(slot->memory, MAP_FAILED);
	slot->data = (struct spa_data){
		.type = SPA_DATA_MemFd, .fd = fd, .maxsize = MEMORY_SIZE, .chunk = &slot->chunk};
	slot->buffer = (struct spa_buffer){
		.n_metas = 4, .n_datas = 1, .metas = slot->metas, .datas = &slot->data};
}

static inline struct world *world_create(uint32_t pool) {
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	assert_true(mailbox_init(&world->mailbox, true, read_picture, world));
	world->pool = pool;
	for (uint32_t i = 0; i < pool; i++) {
		slot_init(&world->slots[i]);
		mailbox_add_buffer(&world->mailbox, &world->slots[i].pw);
	}
	mailbox_set_format(&world->mailbox, PIXEL_ORDER_BGR, WIDTH, HEIGHT);
	return world;
}

static inline void world_destroy(struct world *world) {
	assert_int_equal(world->wrongs, 0);
	mailbox_finish(&world->mailbox);
	for (uint32_t i = 0; i < world->pool; i++) {
		struct slot *slot = &world->slots[i];
		if (slot->data.data != NULL) {
			buffer_unmap(&slot->buffer);
		}
		munmap(slot->memory, MEMORY_SIZE);
		close((int)slot->data.fd);
	}
	free(world);
}

static inline uint32_t any(struct world *world, uint32_t below) {
	world->noise = world->noise * 1103515245 + 12345;
	return (world->noise >> 16) % below;
}

static inline void paint(struct world *world, const struct rect *where) {
	uint32_t colour = ++world->noise;
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			world->canvas[y * WIDTH + x] = colour;
		}
	}
	damage_add(&world->pending, where);
}

static inline void paint_anywhere(struct world *world) {
	paint(world, &(struct rect){(int32_t)any(world, WIDTH - 8), (int32_t)any(world, HEIGHT - 8),
			     1 + (int32_t)any(world, 8), 1 + (int32_t)any(world, 8)});
}

static inline void point(struct world *world, struct slot *slot) {
	slot->pointer.cursor = (struct spa_meta_cursor){
		.id = 1, .position = world->pointer, .hotspot = SPA_POINT(1, 2)};
	if (!world->sends_shade) {
		return;
	}
	world->sends_shade = false;
	slot->pointer.cursor.bitmap_offset = sizeof(slot->pointer.cursor);
	slot->pointer.bitmap = (struct spa_meta_bitmap){.format = SPA_VIDEO_FORMAT_BGRA,
		.size = SPA_RECTANGLE(POINTER, POINTER),
		.stride = POINTER * 4,
		.offset = sizeof(slot->pointer.bitmap)};
	memset(slot->pointer.pixels, world->shade, sizeof(slot->pointer.pixels));
	for (size_t i = 0; i < sizeof(slot->pointer.pixels); i += 4) {
		slot->pointer.pixels[i] = 7;
	}
}

/* Queues a buffer. False when the producer has none. */
static inline bool send(struct world *world, uint32_t header_flags, int32_t chunk_flags) {
	struct slot *slot = NULL;
	for (uint32_t i = 0; i < world->pool && slot == NULL; i++) {
		slot = world->slots[i].owner == AT_PRODUCER ? &world->slots[i] : NULL;
	}
	if (slot == NULL) {
		return false;
	}
	slot->header = (struct spa_meta_header){
		.seq = world->unnumbered ? 0 : ++world->sequence, .pts = -1, .flags = header_flags};
	slot->chunk = (struct spa_chunk){.size = MEMORY_SIZE, .flags = chunk_flags};
	slot->crop.region = world->crop;
	point(world, slot);
	if (chunk_flags == 0) {
		memset(slot->damage, 0, sizeof(slot->damage));
		for (uint32_t i = 0; i < world->pending.count; i++) {
			const struct rect *rect = &world->pending.rects[i];
			slot->damage[i].region = SPA_REGION(
				rect->x, rect->y, (uint32_t)rect->width, (uint32_t)rect->height);
		}
		memcpy(slot->memory, world->canvas, MEMORY_SIZE);
		damage_clear(&world->pending);
	}
	slot->turn = world->turns++;
	slot->owner = QUEUED;
	return true;
}

static inline bool send_picture(struct world *world) {
	return send(world, 0, 0);
}

static inline bool send_pointer(struct world *world) {
	return send(world, 0, SPA_CHUNK_FLAG_CORRUPTED);
}

static inline bool receive(struct world *world) {
	bool fresh = mailbox_receive(&world->mailbox, stream_of(world));
	world->wrongs += count_at(world, AT_CONSUMER) > 1 || count_at(world, QUEUED) > 0;
	return fresh;
}

/* Sends a change. */
static inline void send_painted(struct world *world, const struct rect *where) {
	paint(world, where);
	assert_true(send_picture(world));
}

static inline void want(struct world *world, bool wanted) {
	mailbox_want(&world->mailbox, stream_of(world), wanted);
	world->wrongs += wanted && count_at(world, AT_CONSUMER) != 0;
}

static inline bool peek(struct world *world) {
	uint32_t width = 0;
	uint32_t height = 0;
	return mailbox_peek(&world->mailbox, &width, &height);
}

static inline void expect_view(const struct world *world) {
	assert_int_equal(world->wrongs, 0);
	uint32_t corner = (uint32_t)(world->crop.position.y * WIDTH + world->crop.position.x);
	for (uint32_t y = 0; y < world->view_height; y++) {
		assert_memory_equal(world->view + y * WIDTH, world->canvas + corner + y * WIDTH,
			(size_t)world->view_width * 4);
	}
}

/* The first picture has been read. */
static inline struct world *world_begin(uint32_t pool) {
	struct world *world = world_create(pool);
	struct source_cursor cursor;
	want(world, true);
	paint(world, &(struct rect){0, 0, WIDTH, HEIGHT});
	world->pointer = SPA_POINT(5, 6);
	world->sends_shade = true;
	assert_true(send_picture(world));
	assert_true(receive(world));
	assert_int_equal(world->reads, 1);
	assert_int_equal(world->fulls, 1);
	assert_true(peek(world));
	assert_false(peek(world));
	assert_true(mailbox_cursor(&world->mailbox, &cursor));
	want(world, false);
	expect_view(world);
	return world;
}

static inline void send_the_last(struct world *world) {
	paint_anywhere(world);
	while (!send_picture(world)) {
		receive(world);
	}
	receive(world);
}
