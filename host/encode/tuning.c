#include "encode/tuning.h"

/* A second VP9 thread pays off above this: at 1920x1080 it gains nothing on a typing screen, at
 * 3840x2160 a third. */
#define VP9_PIXELS_ONE_THREAD (1920u * 1200u)
/* The minimum width of a tile column in VP9. */
#define VP9_TILE_WIDTH_MIN 256u
/* At speed -3 VP8 finds what moved by up to this many rows. At -2, which also searches parts of
 * blocks, it finds most of what moved farther. */
#define VP8_WAY_MIDDLE 32u
/* Smaller pictures leave time for a better search. */
#define VP9_PIXELS_FASTEST (1280u * 720u)

/* Nine tenths of what the extension asks for: its frames cross a pipe, not a network. From here on
 * text that moves all at once may exceed its bitrate rather than look coarse for a second. */
#define PIXELS_PER_KBPS_AMPLE 222u
#define KBPS_AMPLE 3600u

static bool is_ample(uint32_t kbps, uint32_t pixels) {
	return kbps >= KBPS_AMPLE && kbps >= pixels / PIXELS_PER_KBPS_AMPLE;
}

static int vp8_speed(const struct encoder_wish *wish) {
	if (wish->way > 0) {
		return wish->way <= VP8_WAY_MIDDLE ? -3 : -2;
	}
	/* Faster ones lose track of scrolling text. */
	return wish->moving ? -10 : -6;
}

static uint32_t vp9_threads(uint32_t cores, uint32_t pixels) {
	if (cores < 2 || pixels <= VP9_PIXELS_ONE_THREAD) {
		return 1;
	}
	return cores >= 8 ? 4 : 2;
}

static uint32_t tile_columns_log2(uint32_t threads, uint32_t width) {
	uint32_t log2 = 0;
	while (2u << log2 <= threads && width >> (log2 + 1) >= VP9_TILE_WIDTH_MIN) {
		log2++;
	}
	return log2;
}

struct tuning tuning_choose(const struct encoder_config *config, const struct encoder_wish *wish,
	uint32_t width, uint32_t height) {
	uint32_t pixels = width * height;
	if (wish->codec == PACKET_CODEC_VP8) {
		return (struct tuning){
			/* A second VP8 thread spins while it waits for the first. */
			.threads = config->cores >= 4 && pixels >= 1920u * 1080u ? 2 : 1,
			.speed = vp8_speed(wish),
			.quantizer_min = 12,
			.quantizer_max = !wish->moving && is_ample(config->kbps, pixels) ? 32 : 56,
			.quantizer_hurried = 56,
			.undershoot_pct = 100,
			.overshoot_pct = 15,
			.static_threshold = 100,
			.quantizer_step = 8,
			.quantizer_good = 4,
			/* VP8 leaves inactive blocks exactly as they are: beside something that
			 * keeps moving, a changed one gets no other frames than these. */
			.block_age = 24,
			.good_frames = 2,
		};
	}
	uint32_t threads = vp9_threads(config->cores, pixels);
	bool fastest = pixels >= VP9_PIXELS_FASTEST;
	return (struct tuning){
		.threads = threads,
		.tile_columns_log2 = tile_columns_log2(threads, width),
		.speed = fastest ? 9 : 7,
		/* At speed 9 libvpx hardly uses others. */
		.one_reference = fastest,
		.screen = !wish->moving,
		.quantizer_min = 8,
		.quantizer_max = 52,
		.undershoot_pct = 50,
		.overshoot_pct = 50,
		.static_threshold = 1,
		.quantizer_step = 8,
		.quantizer_good = 6,
		.block_age = 4,
		.good_frames = 4,
	};
}
