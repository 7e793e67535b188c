#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "encode/encoder.h"

/* A still picture must settle within this. */
#define ENCODES_MAX 200

struct bench {
	struct encoder *encoder;
	struct picture picture;
	enum packet_codec codec;
	vpx_codec_ctx_t decoder;
	const vpx_image_t *image;
	struct encoder_frame frame;
};

static void bench_init(struct bench *bench, enum packet_codec codec, uint32_t kbps) {
	*bench = (struct bench){.codec = codec};
	const struct encoder_config config = {.fps = 30, .kbps = kbps, .cores = 2};
	bench->encoder = encoder_create(&config);
	assert_non_null(bench->encoder);
	vpx_codec_iface_t *interface =
		codec == PACKET_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
	assert_int_equal(vpx_codec_dec_init(&bench->decoder, interface, NULL, 0), 0);
}

static void bench_finish(struct bench *bench) {
	encoder_destroy(bench->encoder);
	picture_finish(&bench->picture);
	vpx_codec_destroy(&bench->decoder);
}

static void bench_encode_as(
	struct bench *bench, const struct damage *damage, const struct encoder_wish *wish) {
	if (!encoder_encode(bench->encoder, &bench->picture, damage, wish, &bench->frame)) {
		fail_msg("%s", encoder_error(bench->encoder));
	}
	assert_true(bench->frame.length > 0);
	assert_int_equal(vpx_codec_decode(&bench->decoder, bench->frame.data,
				 (unsigned int)bench->frame.length, NULL, 0),
		VPX_CODEC_OK);
	vpx_codec_iter_t iterator = NULL;
	bench->image = vpx_codec_get_frame(&bench->decoder, &iterator);
	assert_non_null(bench->image);
	assert_int_equal(bench->image->d_w, bench->picture.width);
	assert_int_equal(bench->image->d_h, bench->picture.height);
}

static void bench_encode(struct bench *bench, const struct damage *damage, bool key) {
	bench_encode_as(bench, damage, &(struct encoder_wish){.codec = bench->codec, .key = key});
}

/* Encodes the same picture until the encoder says that it is settled. */
static int bench_settle(struct bench *bench) {
	const struct damage none = {0};
	int encodes = 0;
	while (!bench->frame.settled) {
		bench_encode(bench, &none, false);
		assert_true(++encodes < ENCODES_MAX);
	}
	return encodes;
}

/* Something like text: dark strokes on light with sharp edges. */
static void draw_text(struct picture *picture, const struct rect *where, unsigned int seed) {
	srand(seed);
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			bool line = y % 12 < 8;
			bool stroke = line && ((x / 2 * 7 + y / 3 * 5 + rand() % 2) % 6 < 2);
			picture->planes[0][y * picture->strides[0] + x] = stroke ? 40 : 220;
		}
	}
}

static void blank(struct picture *picture, uint32_t width, uint32_t height) {
	assert_true(picture_resize(picture, width, height, PACKET_CHROMA_420));
	for (int plane = 0; plane < 3; plane++) {
		size_t rows = plane == 0 ? height : height / 2;
		memset(picture->planes[plane], plane == 0 ? 220 : 128,
			rows * (size_t)picture->strides[plane]);
	}
}

static double luma_psnr(const struct bench *bench) {
	double sum = 0;
	const struct picture *picture = &bench->picture;
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			double difference =
				picture->planes[0][(ptrdiff_t)y * picture->strides[0] + x] -
				bench->image->planes[0][(ptrdiff_t)y * bench->image->stride[0] + x];
			sum += difference * difference;
		}
	}
	double mean = sum / picture->width / picture->height;
	return mean > 0 ? 10 * log10(255 * 255 / mean) : 99;
}

static const enum packet_codec codecs[] = {PACKET_CODEC_VP8, PACKET_CODEC_VP9};

/* A still picture of text becomes good, and the encoder then says so. */
static void test_still_text_settles(void **state) {
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench, codecs[i], 4000);
		blank(&bench.picture, 640, 360);
		draw_text(&bench.picture, &(struct rect){0, 0, 640, 360}, 1);
		struct damage damage;
		damage_set_full(&damage, 640, 360);
		bench_encode(&bench, &damage, false);
		assert_true(bench.frame.key);
		int encodes = bench_settle(&bench);
		print_message("%s: %d encodes to %.1f dB\n", i == 0 ? "VP8" : "VP9", encodes,
			luma_psnr(&bench));
		assert_true(luma_psnr(&bench) > 40);
		bench_finish(&bench);
	}
}

/* Small changes leave no artefacts, neither in what changed nor around it. */
static void test_damage_reaches_the_decoder(void **state) {
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench, codecs[i], 4000);
		blank(&bench.picture, 320, 240);
		struct damage damage;
		damage_set_full(&damage, 320, 240);
		bench_encode(&bench, &damage, false);
		bench_settle(&bench);
		for (int32_t step = 0; step < 12; step++) {
			const struct rect where = {step * 23 + 1, step * 17 + 3, 40, 24};
			draw_text(&bench.picture, &where, (unsigned int)step);
			damage_clear(&damage);
			damage_add(&damage, &where);
			bench_encode(&bench, &damage, false);
			assert_false(bench.frame.key);
			assert_true(luma_psnr(&bench) > 22);
		}
		bench_settle(&bench);
		assert_true(luma_psnr(&bench) > 40);
		bench_finish(&bench);
	}
}

/* Keyframes mid-stream, each followed by a frame that refers to it. */
static void request_keyframes(enum packet_codec codec, uint32_t width, uint32_t height) {
	struct bench bench;
	bench_init(&bench, codec, 4000);
	blank(&bench.picture, width, height);
	draw_text(&bench.picture, &(struct rect){0, 0, 320, 240}, 3);
	struct damage damage;
	damage_set_full(&damage, width, height);
	bench_encode(&bench, &damage, false);
	bench_settle(&bench);
	damage_clear(&damage);
	for (int round = 0; round < 3; round++) {
		bench_encode(&bench, &damage, true);
		assert_true(bench.frame.key);
		/* A late subscriber can start here. */
		vpx_codec_ctx_t fresh;
		vpx_codec_iface_t *interface =
			codec == PACKET_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
		assert_int_equal(vpx_codec_dec_init(&fresh, interface, NULL, 0), 0);
		assert_int_equal(vpx_codec_decode(&fresh, bench.frame.data,
					 (unsigned int)bench.frame.length, NULL, 0),
			VPX_CODEC_OK);
		vpx_codec_destroy(&fresh);
		bench_encode(&bench, &damage, false);
		assert_false(bench.frame.key);
	}
	bench_settle(&bench);
	assert_true(luma_psnr(&bench) > 40);
	bench_finish(&bench);
}

static void test_keyframe_on_request(void **state) {
	(void)state;
	request_keyframes(PACKET_CODEC_VP8, 320, 240);
	request_keyframes(PACKET_CODEC_VP9, 320, 240);
	/* At this size VP9 uses one reference. */
	request_keyframes(PACKET_CODEC_VP9, 1280, 720);
}

static void test_size_changes(void **state) {
	(void)state;
	const uint32_t sizes[][2] = {
		{320, 240}, {2, 2}, {640, 480}, {16, 1024}, {1024, 16}, {34, 18}, {1280, 720}};
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench, codecs[i], 4000);
		for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
			uint32_t width = sizes[size][0];
			uint32_t height = sizes[size][1];
			blank(&bench.picture, width, height);
			draw_text(&bench.picture,
				&(struct rect){0, 0, (int32_t)width / 2, (int32_t)height / 2}, 5);
			struct damage damage;
			damage_set_full(&damage, width, height);
			bench_encode(&bench, &damage, false);
			assert_true(bench.frame.key);
			bench_encode(&bench, &damage, false);
			assert_false(bench.frame.key);
			bench_settle(&bench);
			assert_true(luma_psnr(&bench) > (width > 2 ? 40 : 30));
		}
		bench_finish(&bench);
	}
}

/* Motion in half of the picture, in kbit/s: two seconds, after one in which the encoder adapts. */
static double rate_of_motion(struct bench *bench) {
	struct damage damage;
	size_t bytes = 0;
	damage_set_full(&damage, 640, 360);
	for (unsigned int n = 0; n < 90; n++) {
		draw_text(&bench->picture, &(struct rect){0, 0, 640, 180}, n / 3);
		bench_encode(bench, &damage, false);
		bytes += n >= 30 ? bench->frame.length : 0;
	}
	return (double)bytes * 8 / 2 / 1000;
}

/* Motion stays near the target, also after the target changes. */
static void test_bitrate_is_bounded(void **state) {
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench, codecs[i], 3000);
		blank(&bench.picture, 640, 360);
		double before = rate_of_motion(&bench);
		encoder_set_rate(bench.encoder, 30, 1500);
		double lowered = rate_of_motion(&bench);
		print_message("%s: %.0f kbit/s of 3000, then %.0f of 1500\n",
			i == 0 ? "VP8" : "VP9", before, lowered);
		assert_true(before < 1.5 * 3000 && before > 1500);
		assert_true(lowered < 1.4 * 1500);
		bench_finish(&bench);
	}
}

/* Under constant overload frames may be dropped, but the encoder goes on. */
static void test_overload_is_survived(void **state) {
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		bench_init(&bench, codecs[i], 150);
		blank(&bench.picture, 640, 360);
		struct damage damage;
		damage_set_full(&damage, 640, 360);
		int dropped = 0;
		for (unsigned int n = 0; n < 60; n++) {
			/* Flat, then noise: the worst slide show. */
			for (size_t at = 0; at < 640 * 360; at++) {
				bench.picture
					.planes[0][at / 640 * (size_t)bench.picture.strides[0] +
						   at % 640] =
					n % 8 < 5 ? 128 : (uint8_t)(rand() % 220 + 16);
			}
			const struct encoder_wish wish = {.codec = bench.codec};
			struct encoder_frame frame;
			assert_true(encoder_encode(
				bench.encoder, &bench.picture, &damage, &wish, &frame));
			dropped += frame.length == 0;
			assert_true(frame.length > 0 || !frame.settled);
		}
		print_message("%s: %d of 60 dropped\n", i == 0 ? "VP8" : "VP9", dropped);
		assert_true(dropped < 30);
		bench_finish(&bench);
	}
}

/* A coarse keyframe of noise is a fraction of the usual one; the frames after it are as usual. */
static void test_coarse_is_short(void **state) {
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct bench bench;
		struct damage damage;
		bench_init(&bench, codecs[i], 4000);
		blank(&bench.picture, 640, 360);
		damage_set_full(&damage, 640, 360);
		for (size_t at = 0; at < 360 * (size_t)bench.picture.strides[0]; at++) {
			bench.picture.planes[0][at] = (uint8_t)(rand() % 220 + 16);
		}
		bench_encode(&bench, &damage, true);
		size_t usual = bench.frame.length;
		const struct encoder_wish wish = {
			.codec = bench.codec, .key = true, .coarse = true};
		assert_true(encoder_encode(
			bench.encoder, &bench.picture, &damage, &wish, &bench.frame));
		print_message("%zu bytes instead of %zu\n", bench.frame.length, usual);
		assert_true(bench.frame.key);
		size_t coarse = bench.frame.length;
		assert_true(coarse < usual / 2);
		bench_encode(&bench, &damage, true);
		assert_true(bench.frame.length > 2 * coarse);
		bench_settle(&bench);
		assert_true(luma_psnr(&bench) > 40);
		bench_finish(&bench);
	}
}

/* Of a change to another text, which then settles as well as usual. */
static size_t length_of_change(enum packet_codec codec, bool hurried) {
	struct bench bench;
	struct damage damage;
	bench_init(&bench, codec, 8000);
	blank(&bench.picture, 640, 360);
	damage_set_full(&damage, 640, 360);
	bench_encode(&bench, &damage, true);
	bench_settle(&bench);
	draw_text(&bench.picture, &(struct rect){0, 0, 640, 360}, 5);
	bench_encode_as(
		&bench, &damage, &(struct encoder_wish){.codec = codec, .hurried = hurried});
	size_t length = bench.frame.length;
	bench_settle(&bench);
	assert_true(luma_psnr(&bench) > 40);
	bench_finish(&bench);
	return length;
}

/* It makes no difference to VP9. */
static void test_hurried(void **state) {
	(void)state;
	size_t usual = length_of_change(PACKET_CODEC_VP8, false);
	size_t hurried = length_of_change(PACKET_CODEC_VP8, true);
	print_message("%zu bytes instead of %zu\n", hurried, usual);
	assert_true(2 * hurried < usual);
	assert_int_equal(length_of_change(PACKET_CODEC_VP9, true),
		length_of_change(PACKET_CODEC_VP9, false));
}

/* Lines of words of 26 letters, drawn in strokes of two pixels. */
static void draw_prose(struct picture *picture) {
	srand(7);
	for (uint32_t line = 0; line + 16 <= picture->height; line += 16) {
		for (uint32_t left = 8; left + 16 <= picture->width; left += 8) {
			uint32_t letter = (uint32_t)rand() % 32; /* 26 and above: a space */
			for (uint32_t i = 0; i < 15 && letter < 26; i++) {
				bool ink = ((letter + 1) * 40503u >> i & 1) != 0;
				uint8_t *at = picture->planes[0] + left + i % 3 * 2 +
					      (size_t)(line + i / 3 * 2) * picture->strides[0];
				memset(at, ink ? 40 : 220, 2);
				memset(at + picture->strides[0], ink ? 40 : 220, 2);
			}
		}
	}
}

/* Of settled text that moves up by `rows`. */
static size_t length_of_step(enum packet_codec codec, int32_t rows, uint32_t way) {
	struct bench bench;
	struct damage damage;
	struct picture page = {0};
	bench_init(&bench, codec, 8000);
	blank(&page, 640, 720);
	draw_prose(&page);
	blank(&bench.picture, 640, 360);
	damage_set_full(&damage, 640, 360);
	size_t size = 360 * (size_t)bench.picture.strides[0];
	memcpy(bench.picture.planes[0], page.planes[0], size);
	bench_encode(&bench, &damage, true);
	bench_settle(&bench);
	memcpy(bench.picture.planes[0], page.planes[0] + rows * page.strides[0], size);
	bench_encode_as(&bench, &damage, &(struct encoder_wish){.codec = codec, .way = way});
	assert_true(luma_psnr(&bench) > 30);
	size_t length = bench.frame.length;
	bench_settle(&bench);
	assert_true(luma_psnr(&bench) > 40);
	bench_finish(&bench);
	picture_finish(&page);
	return length;
}

/* VP9 finds moved text anyway. */
static void test_search(void **state) {
	(void)state;
	static const int32_t steps[] = {24, 100};
	for (size_t i = 0; i < 2; i++) {
		size_t usual = length_of_step(PACKET_CODEC_VP8, steps[i], 0);
		size_t found = length_of_step(PACKET_CODEC_VP8, steps[i], (uint32_t)steps[i]);
		print_message("%d rows: %zu bytes instead of %zu\n", steps[i], found, usual);
		assert_true(2 * found < usual);
		assert_int_equal(length_of_step(PACKET_CODEC_VP9, steps[i], (uint32_t)steps[i]),
			length_of_step(PACKET_CODEC_VP9, steps[i], 0));
	}
}

static void test_destroy_unused(void **state) {
	(void)state;
	encoder_destroy(NULL);
	const struct encoder_config config = {.fps = 1, .kbps = 100, .cores = 1};
	encoder_destroy(encoder_create(&config));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_still_text_settles),
		cmocka_unit_test(test_damage_reaches_the_decoder),
		cmocka_unit_test(test_keyframe_on_request),
		cmocka_unit_test(test_size_changes),
		cmocka_unit_test(test_bitrate_is_bounded),
		cmocka_unit_test(test_overload_is_survived),
		cmocka_unit_test(test_coarse_is_short),
		cmocka_unit_test(test_hurried),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_destroy_unused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
