#include "unit.h"

#include "encode/tuning.h"

static struct tuning choose(
	enum packet_codec codec, uint32_t width, uint32_t height, uint32_t cores) {
	const struct tuning_input input = {
		.codec = codec, .width = width, .height = height, .cores = cores};
	return tuning_choose(&input);
}

/* A VP8 thread too many spins, so a machine of few cores never gets one. */
static void test_vp8_threads(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP8, 3840, 2160, 1).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 3840, 2160, 2).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1280, 720, 8).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1920, 1080, 4).threads, 2);
}

/* Text stays readable while all of it moves, where the bitrate allows it; films do without. */
static void test_coarsest_quantizer(void **state) {
	(void)state;
	struct tuning_input input = {.codec = PACKET_CODEC_VP8,
		.width = 1920,
		.height = 1080,
		.cores = 2,
		.kbps = 10368};
	assert_int_equal(tuning_choose(&input).quantizer_max, 32);
	input.moving = true;
	assert_int_equal(tuning_choose(&input).quantizer_max, 56);
	input.moving = false;
	input.kbps = 2000;
	assert_int_equal(tuning_choose(&input).quantizer_max, 56);
}

static void test_vp9_threads_and_tiles(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP9, 1920, 1080, 8).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 1).threads, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 2).threads, 2);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 2).tile_columns_log2, 1);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 16).threads, 4);
	assert_int_equal(choose(PACKET_CODEC_VP9, 3840, 2160, 16).tile_columns_log2, 2);
	/* Tall and narrow: there is no room for tiles. */
	assert_int_equal(choose(PACKET_CODEC_VP9, 300, 16000, 16).tile_columns_log2, 0);
}

static void test_vp9_speed(void **state) {
	(void)state;
	assert_int_equal(choose(PACKET_CODEC_VP9, 1920, 1080, 2).speed, 9);
	assert_int_equal(choose(PACKET_CODEC_VP9, 640, 360, 2).speed, 7);
	/* A search that looks at other references gets them. */
	assert_true(choose(PACKET_CODEC_VP9, 1920, 1080, 2).one_reference);
	assert_false(choose(PACKET_CODEC_VP9, 640, 360, 2).one_reference);
	assert_false(choose(PACKET_CODEC_VP8, 1920, 1080, 2).one_reference);
	assert_int_equal(choose(PACKET_CODEC_VP8, 1920, 1080, 2).speed, -6);
}

static void test_search(void **state) {
	(void)state;
	struct tuning_input input = {
		.codec = PACKET_CODEC_VP8, .width = 1920, .height = 1080, .cores = 2, .way = 24};
	assert_int_equal(tuning_choose(&input).speed, -3);
	input.way = 100;
	assert_int_equal(tuning_choose(&input).speed, -2);
	input.codec = PACKET_CODEC_VP9;
	assert_int_equal(tuning_choose(&input).speed, 9);
}

static void test_moving_pictures(void **state) {
	(void)state;
	for (uint32_t codec = PACKET_CODEC_VP8; codec <= PACKET_CODEC_VP9; codec++) {
		struct tuning_input input = {.codec = (enum packet_codec)codec,
			.width = 1920,
			.height = 1080,
			.cores = 2,
			.kbps = 10000};
		struct tuning drawn = tuning_choose(&input);
		input.moving = true;
		struct tuning moving = tuning_choose(&input);
		assert_int_equal(drawn.screen, codec == PACKET_CODEC_VP9);
		assert_false(moving.screen);
		/* What can't change in mid-stream does not. */
		assert_int_equal(moving.threads, drawn.threads);
		assert_int_equal(moving.tile_columns_log2, drawn.tile_columns_log2);
		assert_int_equal(moving.block_age, drawn.block_age);
		assert_int_equal(moving.good_frames, drawn.good_frames);
	}
}

/* Whatever comes in: never more threads than cores, nor tiles than threads, nor an age of 0. */
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
				assert_true(tuning.key_age >= tuning.block_age);
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

static void test_intra(void **state) {
	(void)state;
	assert_int_equal(tuning_intra_pct(1), 300);
	assert_int_equal(tuning_intra_pct(30), 900);
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
		cmocka_unit_test(test_intra),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
