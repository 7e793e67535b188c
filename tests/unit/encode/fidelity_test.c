/*
 * What a viewer sees: colours survive conversion and coding, and text gets sharp soon after a
 * change and stays sharp.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "encode/encoder.h"

#define FPS 30
#define KBPS 8000
#define WANTED_DB 47.0

struct way {
	enum packet_codec codec;
	enum packet_chroma chroma;
};

static const struct way ways[] = {
	{PACKET_CODEC_VP8, PACKET_CHROMA_420},
	{PACKET_CODEC_VP9, PACKET_CHROMA_420},
	{PACKET_CODEC_VP9, PACKET_CHROMA_444},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static const struct rect whole = {0, 0, 1280, 720};

struct view {
	struct encoder *encoder;
	enum packet_codec codec;
	vpx_codec_ctx_t decoder;
	struct pixels pixels;
	struct picture picture;
	uint8_t *screen; /* B, G, R, unused */
	struct encoder_frame frame;
	const vpx_image_t *image;
};

static void open_decoder(struct view *view) {
	vpx_codec_iface_t *interface =
		view->codec == PACKET_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
	assert_int_equal(vpx_codec_dec_init(&view->decoder, interface, NULL, 0), 0);
}

static void view_init(struct view *view, const struct way *way, uint32_t width, uint32_t height) {
	const struct encoder_config config = {
		.chroma = way->chroma, .fps = FPS, .kbps = KBPS, .cores = 2};
	*view = (struct view){.encoder = encoder_create(&config),
		.codec = way->codec,
		.screen = malloc((size_t)width * height * 4)};
	assert_non_null(view->encoder);
	assert_non_null(view->screen);
	memset(view->screen, 0xff, (size_t)width * height * 4);
	view->pixels = (struct pixels){
		view->screen, (int32_t)width * 4, PIXEL_ORDER_BGR, width, height, NULL};
	assert_true(picture_resize(&view->picture, width, height, way->chroma));
	open_decoder(view);
}

static void view_finish(struct view *view) {
	encoder_destroy(view->encoder);
	picture_finish(&view->picture);
	vpx_codec_destroy(&view->decoder);
	free(view->screen);
}

static void put(struct view *view, uint32_t x, uint32_t y, uint32_t colour) {
	uint8_t *at = view->screen + 4 * ((size_t)y * view->pixels.width + x);
	at[0] = (uint8_t)colour;
	at[1] = (uint8_t)(colour >> 8);
	at[2] = (uint8_t)(colour >> 16);
}

static void fill(struct view *view, const struct rect *where, uint32_t colour) {
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			put(view, (uint32_t)x, (uint32_t)y, colour);
		}
	}
}

static void view_encode(struct view *view, const struct damage *damage) {
	convert_damaged(&view->pixels, damage, &view->picture);
	const struct encoder_wish wish = {.codec = view->codec};
	if (!encoder_encode(view->encoder, &view->picture, damage, &wish, &view->frame)) {
		fail_msg("%s", encoder_error(view->encoder));
	}
	assert_int_equal(vpx_codec_decode(&view->decoder, view->frame.data,
				 (unsigned int)view->frame.length, NULL, 0),
		VPX_CODEC_OK);
	vpx_codec_iter_t iterator = NULL;
	view->image = vpx_codec_get_frame(&view->decoder, &iterator);
	assert_non_null(view->image);
}

/* Encodes until the picture is settled; returns how many encodes that took. */
static int view_settle(struct view *view) {
	const struct damage none = {0};
	int encodes = 0;
	while (!view->frame.settled) {
		view_encode(view, &none);
		assert_true(++encodes < 200);
	}
	return encodes;
}

static double luma_psnr(const struct view *view, const struct rect *where) {
	double sum = 0;
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		const uint8_t *wanted =
			view->picture.planes[0] + (ptrdiff_t)y * view->picture.strides[0];
		const uint8_t *got = view->image->planes[0] + (ptrdiff_t)y * view->image->stride[0];
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			sum += (wanted[x] - got[x]) * (wanted[x] - got[x]);
		}
	}
	double mean = sum / where->width / where->height;
	return mean > 0 ? 10 * log10(255 * 255 / mean) : 99;
}

static int clamp(double value) {
	return value < 0 ? 0 : value > 255 ? 255 : (int)(value + 0.5);
}

/* What the viewer sees at (x, y), 0xRRGGBB, by the matrix that the stream names. */
static uint32_t view_pixel(const struct view *view, uint32_t x, uint32_t y) {
	const vpx_image_t *image = view->image;
	double samples[3];
	for (int plane = 0; plane < 3; plane++) {
		uint32_t shift = plane > 0 ? image->x_chroma_shift : 0;
		samples[plane] =
			image->planes[plane][(ptrdiff_t)(y >> shift) * image->stride[plane] +
					     (x >> shift)];
	}
	double luma = 255.0 / 219 * (samples[0] - 16);
	double u = 255.0 / 224 * (samples[1] - 128);
	double v = 255.0 / 224 * (samples[2] - 128);
	int red = clamp(luma + 1.402 * v);
	int green = clamp(luma - 0.344136 * u - 0.714136 * v);
	int blue = clamp(luma + 1.772 * u);
	return (uint32_t)(red << 16 | green << 8 | blue);
}

static void assert_pixel(const struct view *view, uint32_t x, uint32_t y, uint32_t wanted) {
	uint32_t got = view_pixel(view, x, y);
	for (uint32_t shift = 0; shift < 24; shift += 8) {
		int difference = (int)(got >> shift & 255) - (int)(wanted >> shift & 255);
		if (abs(difference) > 3) {
			fail_msg("%u,%u: %06x instead of %06x", x, y, got, wanted);
		}
	}
}

static void test_grey_ramp_and_primaries(void **state) {
	(void)state;
	const uint32_t primaries[] = {
		0xff0000, 0x00ff00, 0x0000ff, 0xffff00, 0xff00ff, 0x00ffff, 0x000000, 0xffffff};
	for (size_t i = 0; i < WAYS; i++) {
		struct view view;
		view_init(&view, &ways[i], 512, 128);
		for (int32_t grey = 0; grey < 256; grey++) {
			fill(&view, &(struct rect){grey * 2, 0, 2, 64}, (uint32_t)grey * 0x010101);
		}
		for (int32_t n = 0; n < 8; n++) {
			fill(&view, &(struct rect){n * 64, 64, 64, 64}, primaries[n]);
		}
		struct damage damage;
		damage_set_full(&damage, 512, 128);
		view_encode(&view, &damage);
		view_settle(&view);
		if (ways[i].codec == PACKET_CODEC_VP9) {
			assert_int_equal(view.image->cs, VPX_CS_BT_601);
			assert_int_equal(view.image->range, VPX_CR_STUDIO_RANGE);
		}
		for (uint32_t grey = 0; grey < 256; grey++) {
			assert_pixel(&view, grey * 2 + 1, 30, grey * 0x010101);
		}
		for (uint32_t n = 0; n < 8; n++) {
			assert_pixel(&view, n * 64 + 32, 96, primaries[n]);
			assert_pixel(&view, n * 64 + 20, 110, primaries[n]);
		}
		view_finish(&view);
	}
}

/* Letters of 5 x 7 dots, enough for a page not to repeat itself. */
static const uint64_t letters[] = {0x7f1111117e, 0x364949497f, 0x224141413e, 0x3e4141417f,
	0x414949497f, 0x010909097f, 0x7a4949413e, 0x7f0808087f, 0x00417f4100, 0x3f41402000,
	0x412214087f, 0x404040407f, 0x7f020c027f, 0x7f1008047f, 0x3e4141413e, 0x060909097f};

/* A page of text with smoothed edges, as font renderers draw it; each line has its colour. */
static void draw_page(struct view *view, const struct rect *where, uint32_t seed) {
	fill(view, where, 0xffffff);
	uint32_t letter = seed;
	for (int32_t top = where->y + 2; top + 9 <= where->y + where->height; top += 14) {
		uint32_t ink = top % 3 == 0 ? 0x202020 : top % 3 == 1 ? 0x1040a0 : 0x303030;
		for (int32_t left = where->x + 2; left + 7 <= where->x + where->width; left += 7) {
			letter = letter * 1103515245 + 12345;
			uint64_t dots = letters[letter >> 16 & 15];
			if ((letter >> 20 & 7) == 0) {
				continue;
			}
			for (int32_t dot = 0; dot < 40; dot++) {
				uint32_t x = (uint32_t)(left + 4 - dot / 8);
				uint32_t y = (uint32_t)(top + dot % 8);
				if ((dots >> dot & 1) != 0) {
					put(view, x, y, ink);
					put(view, x + 1, y, 0xb0b0b0);
				}
			}
		}
	}
}

/* After a change a still picture reaches its quality within 2 s of frames and keeps it. */
static void test_text_is_sharp_within_2_s(void **state) {
	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct view view;
		view_init(&view, &ways[i], 1280, 720);
		struct damage damage;
		damage_set_full(&damage, 1280, 720);
		draw_page(&view, &(struct rect){0, 0, 1280, 720}, 1);
		view_encode(&view, &damage);
		int first = view_settle(&view);
		double first_db = luma_psnr(&view, &whole);
		damage_clear(&damage);
		const struct rect changed = {100, 90, 500, 300};
		damage_add(&damage, &changed);
		draw_page(&view, &changed, 7);
		view_encode(&view, &damage);
		double at_once = luma_psnr(&view, &whole);
		const struct damage none = {0};
		int sharp = 0;
		while (luma_psnr(&view, &whole) < WANTED_DB && !view.frame.settled) {
			view_encode(&view, &none);
			sharp++;
		}
		double reached = luma_psnr(&view, &whole);
		int rest = view_settle(&view);
		print_message("%s %s: page %d encodes %.1f dB; change %.1f dB at once, %d more to "
			      "%.1f dB, rests after %d more at %.1f dB\n",
			ways[i].codec == PACKET_CODEC_VP8 ? "VP8" : "VP9",
			ways[i].chroma == PACKET_CHROMA_444 ? "4:4:4" : "4:2:0", first, first_db,
			at_once, sharp, reached, rest, luma_psnr(&view, &whole));
		/* The pipeline waits 0.1 s before it refines. */
		assert_true(first <= 2 * FPS);
		assert_true(first_db >= WANTED_DB);
		assert_true(reached >= WANTED_DB);
		assert_true(sharp <= 2 * FPS - 3);
		assert_true(luma_psnr(&view, &whole) >= WANTED_DB);
		view_finish(&view);
	}
}

/* Like film: noise that differs each time. */
static void draw_film(struct view *view, const struct rect *where, uint32_t seed) {
	for (int32_t y = where->y; y < where->y + where->height; y++) {
		for (int32_t x = where->x; x < where->x + where->width; x++) {
			uint32_t grey = 100 + ((uint32_t)(x + y) / 8 + 5 * seed) % 64;
			seed = seed * 1103515245 + 12345;
			put(view, (uint32_t)x, (uint32_t)y, (grey + (seed >> 28)) * 0x010101);
		}
	}
}

/* Text that changes beside something that never stops moving gets sharp without a rest. */
static void test_text_beside_a_film(void **state) {
	(void)state;
	const struct rect film = {640, 0, 640, 720};
	const struct rect text = {0, 0, 640, 720};
	for (size_t i = 0; i < 2; i++) {
		struct view view;
		view_init(&view, &ways[i], 1280, 720);
		struct damage damage;
		damage_set_full(&damage, 1280, 720);
		for (uint32_t n = 0; n < 2 * FPS; n++) {
			draw_film(&view, &film, n);
			if (n == 0 || n == FPS) {
				draw_page(&view, &text, n + 1);
				damage_add(&damage, &text);
			}
			damage_add(&damage, &film);
			view_encode(&view, &damage);
			damage_clear(&damage);
		}
		double got = luma_psnr(&view, &text);
		print_message("%s: text beside a film %.1f dB, a second after it changed\n",
			ways[i].codec == PACKET_CODEC_VP8 ? "VP8" : "VP9", got);
		assert_true(got >= 39);
		view_finish(&view);
	}
}

/* Switching codecs starts with a keyframe; text is sharp again within 2 s of frames. */
static void test_text_is_sharp_after_a_codec_switch(void **state) {
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct view view;
		view_init(&view, &ways[i], 1280, 720);
		struct damage damage;
		damage_set_full(&damage, 1280, 720);
		draw_page(&view, &(struct rect){0, 0, 1280, 720}, 1);
		view_encode(&view, &damage);
		view_settle(&view);
		double before = luma_psnr(&view, &whole);
		view.codec = ways[1 - i].codec;
		vpx_codec_destroy(&view.decoder);
		open_decoder(&view);
		const struct damage none = {0};
		view_encode(&view, &none);
		double at_once = luma_psnr(&view, &whole);
		assert_true(view.frame.key);
		assert_false(view.frame.settled);
		size_t length = view.frame.length;
		int sharp = 0;
		while (luma_psnr(&view, &whole) < WANTED_DB && !view.frame.settled) {
			view_encode(&view, &none);
			assert_false(view.frame.key);
			sharp++;
		}
		double reached = luma_psnr(&view, &whole);
		int rest = view_settle(&view);
		print_message("from %s at %.1f dB: %.1f dB at once in %zu bytes, %d more to "
			      "%.1f dB, rests after %d more at %.1f dB\n",
			i == 0 ? "VP8" : "VP9", before, at_once, length, sharp, reached, rest,
			luma_psnr(&view, &whole));
		assert_true(at_once >= 40);
		assert_true(reached >= WANTED_DB);
		assert_true(sharp <= 2 * FPS - 3);
		assert_true(luma_psnr(&view, &whole) >= WANTED_DB);
		view_finish(&view);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grey_ramp_and_primaries),
		cmocka_unit_test(test_text_is_sharp_within_2_s),
		cmocka_unit_test(test_text_is_sharp_after_a_codec_switch),
		cmocka_unit_test(test_text_beside_a_film),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
