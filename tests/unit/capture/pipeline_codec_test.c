/* When a share whose viewer takes either codec switches. */
#include "capture/pipeline_world.h"

static void open_with(struct world *world, enum packet_codec codec, bool film) {
	world_open(world, &(struct packet_open){.credit = 16, .codec = codec});
	uint32_t noise = 1;
	for (size_t i = 0; i < sizeof(world->pixels); i++) {
		noise = noise * 1103515245 + 12345;
		world->pixels[i] = film ? (uint8_t)(noise >> 16) : 200;
	}
}

/* What the viewer received. */
struct seen {
	enum packet_codec ready;
	enum packet_codec codec; /* of the last frame */
	int frames;
	int changes; /* of codec */
	int keys;
};

static void receive_all(struct world *world, struct seen *seen) {
	struct packet packet;
	for (int type; (type = receive(world, &packet)) != 0;) {
		if (type == PACKET_READY) {
			seen->ready = packet.ready.codec;
			continue;
		}
		assert_int_equal(type, PACKET_FRAME);
		bool other = seen->frames > 0 && packet.frame.codec != seen->codec;
		assert_true(packet.frame.key || !other);
		seen->codec = packet.frame.codec;
		seen->changes += other;
		seen->keys += packet.frame.key;
		seen->frames++;
		pipeline_credit(world->pipeline, 1);
	}
}

static void play_each(struct world *world, struct seen *seen, int64_t us, int64_t interval_us) {
	int64_t end = world->now + us;
	while (world->now < end) {
		show(world, 0, 64);
		receive_all(world, seen);
		pass(world, interval_us);
		receive_all(world, seen);
	}
}

static void play(struct world *world, struct seen *seen, int64_t us) {
	play_each(world, seen, us, 20000);
}

static void rest(struct world *world, struct seen *seen, int64_t us) {
	for (int64_t passed = 0; passed < us; passed += 10000) {
		pass(world, 10000);
		receive_all(world, seen);
	}
}

static void test_a_film_comes_and_goes(void **state) {
	(void)state;
	struct world world;
	struct seen seen = {0};
	open_with(&world, PACKET_CODEC_AUTO, true);
	play(&world, &seen, 900000);
	assert_int_equal(seen.ready, PACKET_CODEC_VP9);
	assert_int_equal(seen.codec, PACKET_CODEC_VP9);
	play(&world, &seen, 1000000);
	assert_int_equal(seen.codec, PACKET_CODEC_VP8);
	/* The picture settles in VP8, and is then encoded once with VP9. */
	rest(&world, &seen, 1000000);
	assert_int_equal(seen.codec, PACKET_CODEC_VP8);
	int frames = seen.frames;
	rest(&world, &seen, 2000000);
	assert_int_equal(seen.codec, PACKET_CODEC_VP9);
	assert_int_equal(seen.changes, 2);
	assert_int_equal(seen.keys, 3);
	assert_int_equal(seen.frames, frames + 1);
	rest(&world, &seen, 20000000);
	assert_int_equal(seen.frames, frames + 1);
	assert_int_equal(world.wake_at, -1);
	world_finish(&world);
}

static void test_slow_text(void **state) {
	(void)state;
	struct world world;
	struct seen seen = {0};
	open_with(&world, PACKET_CODEC_AUTO, false);
	play_each(&world, &seen, 5000000, 100000);
	assert_int_equal(seen.codec, PACKET_CODEC_VP9);
	world.encode_us = 60000;
	play_each(&world, &seen, 2000000, 100000);
	assert_int_equal(seen.codec, PACKET_CODEC_VP8);
	assert_int_equal(seen.changes, 1);
	world_finish(&world);
}

static void test_one_codec_stays(void **state) {
	(void)state;
	static const enum packet_codec codecs[] = {PACKET_CODEC_VP8, PACKET_CODEC_VP9};
	for (size_t i = 0; i < 2; i++) {
		struct world world;
		struct seen seen = {0};
		open_with(&world, codecs[i], true);
		world.encode_us = 60000;
		play(&world, &seen, 5000000);
		rest(&world, &seen, 5000000);
		assert_int_equal(seen.ready, codecs[i]);
		assert_int_equal(seen.codec, codecs[i]);
		assert_int_equal(seen.keys, 1);
		assert_int_equal(world.wake_at, -1);
		world_finish(&world);
	}
}

/* Scrolls by `by` rows. Each row has one brightness; nearby rows differ. *at: the top row. */
static void scroll(struct world *world, struct seen *seen, uint32_t *at, uint32_t by, int times) {
	for (int i = 0; i < times; i++) {
		*at += by;
		for (uint32_t y = 0; y < world->height; y++) {
			memset(world->pixels + (size_t)y * 64 * 4,
				(int)((*at + y) * 2654435761u >> 24), 64 * 4);
		}
		show(world, 0, (int32_t)world->height);
		receive_all(world, seen);
		pass(world, 20000);
		receive_all(world, seen);
	}
}

static void test_a_scroll_reverses(void **state) {
	(void)state;
	static const enum packet_codec codecs[] = {
		PACKET_CODEC_VP8, PACKET_CODEC_VP9, PACKET_CODEC_AUTO};
	for (size_t i = 0; i < 3; i++) {
		struct world world;
		struct seen seen = {0};
		uint32_t at = 100000;
		world_open(&world, &(struct packet_open){.credit = 16, .codec = codecs[i]});
		world.height = PICTURE_ROWS_MAX;
		/* AUTO switches to VP8 after a second, which has to find the ongoing scroll. */
		scroll(&world, &seen, &at, 20, 60);
		assert_int_equal(world.searched, codecs[i] != PACKET_CODEC_VP9);
		scroll(&world, &seen, &at, -20u, 10);
		assert_int_equal(world.searched, 2 * (codecs[i] != PACKET_CODEC_VP9));
		rest(&world, &seen, 1000000);
		scroll(&world, &seen, &at, 20, 10);
		assert_int_equal(world.searched, 3 * (codecs[i] != PACKET_CODEC_VP9));
		assert_int_equal(world.hurried, 0);
		world_finish(&world);
	}
}

/* On another page there is nothing to find. */
static void test_a_scroll_breaks(void **state) {
	(void)state;
	static const uint16_t rates[] = {15, 50};
	/* At 15 fps, three or four of these make one step. */
	static const uint32_t rows[] = {4, 12};
	for (size_t i = 0; i < 2; i++) {
		struct world world;
		struct seen seen = {0};
		uint32_t at = 100000;
		world_open(&world,
			&(struct packet_open){
				.credit = 64, .codec = PACKET_CODEC_VP8, .max_fps = rates[i]});
		world.height = PICTURE_ROWS_MAX;
		scroll(&world, &seen, &at, rows[i], 40);
		scroll(&world, &seen, &at, 5000, 1);
		scroll(&world, &seen, &at, rows[i], 40);
		assert_int_equal(world.searched, 0);
		assert_int_equal(world.hurried, rates[i] > 20);
		world_finish(&world);
	}
}

/* A search that takes longer than two pictures is not tried again soon in mid-scroll. */
static void test_a_slow_search(void **state) {
	(void)state;
	struct world world;
	struct seen seen = {0};
	uint32_t at = 100000;
	world_open(&world, &(struct packet_open){.credit = 64, .codec = PACKET_CODEC_VP8});
	world.height = PICTURE_ROWS_MAX;
	scroll(&world, &seen, &at, 12, 10);
	world.encode_us = 90000;
	scroll(&world, &seen, &at, -12u, 1);
	assert_int_equal(world.searched, 1);
	world.encode_us = 0;
	scroll(&world, &seen, &at, -12u, 10);
	scroll(&world, &seen, &at, 5000, 1);
	assert_int_equal(world.hurried, 1);
	scroll(&world, &seen, &at, 12, 10);
	scroll(&world, &seen, &at, -12u, 10);
	assert_int_equal(world.searched, 1);
	assert_int_equal(world.hurried, 1);
	/* After a rest a search is always tried: no picture follows that it could delay. */
	rest(&world, &seen, 1000000);
	scroll(&world, &seen, &at, 20, 10);
	assert_int_equal(world.searched, 2);
	assert_int_equal(world.hurried, 1);
	/* Fast searches are limited too. */
	world.encode_us = 5000;
	rest(&world, &seen, 10000000);
	scroll(&world, &seen, &at, 20, 1);
	for (int i = 0; i < 10; i++) {
		scroll(&world, &seen, &at, i % 2 == 0 ? -20u : 20, 1);
	}
	assert_in_range(world.searched, 4, 8);
	world_finish(&world);
}

/* A pointer that moves between the steps doesn't count as a rest, so searches stay limited. */
static void test_small_changes_between(void **state) {
	(void)state;
	struct world world;
	struct seen seen = {0};
	uint32_t at = 100000;
	world_open(&world, &(struct packet_open){.credit = 64, .codec = PACKET_CODEC_VP8});
	world.height = PICTURE_ROWS_MAX;
	world.encode_us = 20000;
	scroll(&world, &seen, &at, 20, 1);
	for (int i = 0; i < 20; i++) {
		scroll(&world, &seen, &at, 20, 1);
		show(&world, 0, 10);
		receive_all(&world, &seen);
		pass(&world, 20000);
		receive_all(&world, &seen);
	}
	/* Between two searches there is ten times the time of one. */
	assert_in_range(world.searched, 2, 10);
	world_finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_film_comes_and_goes),
		cmocka_unit_test(test_slow_text),
		cmocka_unit_test(test_one_codec_stays),
		cmocka_unit_test(test_a_scroll_reverses),
		cmocka_unit_test(test_a_scroll_breaks),
		cmocka_unit_test(test_a_slow_search),
		cmocka_unit_test(test_small_changes_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
