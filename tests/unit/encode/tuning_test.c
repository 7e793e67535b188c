#include "unit.h"

#include "encode/tuning.h"

static struct tuning choose(
	enum packet_codec codec, uint32_t width, uint32_t height, uint32_t cores) {
	const struct encoder_config config = {.cores = cores};
	const struct encoder_wish wish = {.codec = codec};
	return tuning_choose(&config, &wish, width, height);
}

/* At 1920x1080 on two cores. */
static struct tuning choose_for(uint32_t kbps, const struct encoder_wish *wish) {
	const struct encoder_config config = {.kbps = kbps, .cores = 2};
	return tuning_choose(&config, wish, 1920, 1080);
}

/* An idle VP8 thread spins, so machines with few cores get no second one. */
static void test_vp8_threads(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP8, 3840, 2160, 1).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 3840, 2160, 2).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1280, 720, 8).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1920, 1080, 4).threads, 2);
}

/* Text stays readable while all of it moves, if the bitrate allows it; film needs no such limit. */
static void test_coarsest_quantizer(void **state) {
	(void)state;
	struct encoder_wish wish = {.codec = PACKET_CODEC_VP8};
	assert_int_equal(choose_for(10368, &wish).quantizer_max, 32);
	assert_int_equal(choose_for(2000, &wish).quantizer_max, 56);
	wish.moving = true;
	assert_int_equal(choose_for(10368, &wish).quantizer_max, 56);
}

static void test_vp9_threads_and_tiles(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP9, 1920, 1080, 8).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 1).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 2).threads, 2);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 2).tile_columns_log2, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 16).threads, 4);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 16).tile_columns_log2, 2);
	/* Too narrow for tiles. */
	assert_int_equal(choose(PACKET_CODEC_VP9, 300, 16000, 16).tile_columns_log2, 0);
}

static void test_vp9_speed(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP9, 1920, 1080, 2).speed, 9);
	assert_int_equal(choose(PACKET_CODEC_VP9, 640, 360, 2).speed, 7);
	/* Slower searches use other references too. */
	assert_true(choose(PACKET_CODEC_VP9, 1920, 1080, 2).one_reference);
	assert_false(choose(PACKET_CODEC_VP9, 640, 360, 2).one_reference);
	assert_false(choose(PACKET_CODEC_VP8, 1920, 1080, 2).one_reference);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1920, 1080, 2).speed, -6);
}

static void test_search(void **state) {
	(void)state;
	struct encoder_wish wish = {.codec = PACKET_CODEC_VP8, .way = 24};
	assert_int_equal(choose_for(0, &wish).speed, -3);
	wish.way = 100;
	assert_int_equal(choose_for(0, &wish).speed, -2);
	wish.codec = PACKET_CODEC_VP9;
	assert_int_equal(choose_for(0, &wish).speed, 9);
}

static void test_moving_pictures(void **state) {
	(void)state;
	for (int codec = PACKET_CODEC_VP8; codec <= PACKET_CODEC_VP9; codec++) {
		struct encoder_wish wish = {.codec = (enum packet_codec)codec};
		struct tuning drawn = choose_for(10000, &wish);
		wish.moving = true;
		struct tuning moving = choose_for(10000, &wish);
		assert_int_equal(drawn.screen, codec == PACKET_CODEC_VP9);
		assert_false(moving.screen);
		/* These can't change mid-stream. */
		assert_int_equal(moving.threads, drawn.threads);
		assert_int_equal(moving.tile_columns_log2, drawn.tile_columns_log2);
		assert_int_equal(moving.block_age, drawn.block_age);
		assert_int_equal(moving.good_frames, drawn.good_frames);
	}
}

/* For every input: no more threads than cores, no more tiles than threads, no age of 0. */
static void test_bounds(void **state) {
	(void)state;
	const uint32_t sides[] = {2, 64, 640, 1080, 1920, 2160, 3840, 16384};
	for (uint32_t codec = PACKET_CODEC_VP8; codec <= PACKET_CODEC_VP9; codec++) {
		for (uint32_t i = 0; i < 64; i++) {
			for (uint32_t cores = 1; cores <= 64; cores++) {
				struct tuning tuning = choose((enum packet_codec)codec,
					sides[i / 8], sides[i % 8], cores);
				assert_in_range(tuning.threads, 1, cores);
				assert_true(1u << tuning.tile_columns_log2 <= tuning.threads);
				assert_true(tuning.block_age > 0);
				assert_true(tuning.quantizer_good < tuning.quantizer_min);
				assert_true(tuning.quantizer_min < tuning.quantizer_max);
				assert_true(tuning.quantizer_max <= 63);
				assert_true(tuning.quantizer_hurried == 0 ||
					    tuning.quantizer_hurried >= tuning.quantizer_max);
				assert_true(tuning.quantizer_hurried <= 63);
			}
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vp8_threads),
		cmocka_unit_test(test_coarsest_quantizer),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_vp9_threads_and_tiles),
		cmocka_unit_test(test_vp9_speed),
		cmocka_unit_test(test_moving_pictures),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
