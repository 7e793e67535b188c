#include "encode/tuning.h"

/* More pixels than this are worth a second VP9 thread: at 1920x1080 it gains nothing on a typing
 * screen, at 3840x2160 a third. */
#define VP9_PIXELS_ONE_THREAD (1920u * 1200u)
/* A tile column is at least this wide in VP9. */
#define VP9_TILE_WIDTH_MIN 256u
/* What moved by so many rows VP8 finds at speed -3, and most of what moved by more at -2, which
 * looks for parts of blocks as well. */
#define VP8_WAY_MIDDLE 32u
/* Smaller pictures leave time for a better search. */
#define VP9_PIXELS_FASTEST (1280u * 720u)

/* Nine tenths of what the extension asks for: its frames cross a pipe, not a network. From there on
 * text may take more bits than its share when all of it moves at once, in place of looking coarse
 * for a second. */
#define PIXELS_PER_KBPS_AMPLE 222u
#define KBPS_AMPLE 3600u

static bool is_ample(const struct tuning_input *input) {
	return input->kbps >= KBPS_AMPLE &&
	       input->kbps >= input->width * input->height / PIXELS_PER_KBPS_AMPLE;
}

static uint32_t vp8_threads(const struct tuning_input *input) {
	/* A second VP8 thread spins while it waits for the first. */
	return input->cores >= 4 && input->width * input->height >= 1920u * 1080u ? 2 : 1;
}

static int vp8_speed(const struct tuning_input *input) {
	if (input->way > 0) {
		return input->way <= VP8_WAY_MIDDLE ? -3 : -2;
	}
	/* Faster ones lose track of text that scrolls. */
	return input->moving ? -10 : -6;
}

static uint32_t vp9_threads(const struct tuning_input *input) {
	if (input->cores < 2 || input->width * input->height <= VP9_PIXELS_ONE_THREAD) {
		return 1;
	}
	return input->cores >= 8 ? 4 : 2;
}

static uint32_t tile_columns_log2(uint32_t threads, uint32_t width) {
	uint32_t log2 = 0;
	while (2u << log2 <= threads && width >> (log2 + 1) >= VP9_TILE_WIDTH_MIN) {
		log2++;
	}
	return log2;
}

struct tuning tuning_choose(const struct tuning_input *input) {
	if (input->codec == PACKET_CODEC_VP8) {
		return (struct tuning){
			.threads = vp8_threads(input),
			.speed = vp8_speed(input),
			.quantizer_min = 12,
			.quantizer_max = !input->moving && is_ample(input) ? 32 : 56,
			.quantizer_hurried = 56,
			.undershoot_pct = 100,
			.overshoot_pct = 15,
			.static_threshold = 100,
			.quantizer_step = 8,
			.quantizer_good = 4,
			/* VP8 leaves inactive blocks exactly as they are: beside something that
			 * keeps moving, these frames are all that a changed one gets. */
			.block_age = 24,
			.key_age = 24,
			.good_frames = 2,
		};
	}
	uint32_t threads = vp9_threads(input);
	bool fastest = input->width * input->height >= VP9_PIXELS_FASTEST;
	return (struct tuning){
		.threads = threads,
		.tile_columns_log2 = tile_columns_log2(threads, input->width),
		.speed = fastest ? 9 : 7,
		/* At speed 9 libvpx makes next to no use of others. */
		.one_reference = fastest,
		.screen = !input->moving,
		.quantizer_min = 8,
		.quantizer_max = 52,
		.undershoot_pct = 50,
		.overshoot_pct = 50,
		.static_threshold = 1,
		.quantizer_step = 8,
		.quantizer_good = 6,
		.block_age = 4,
		.key_age = 4,
		.good_frames = 4,
	};
}

uint32_t tuning_intra_pct(uint32_t fps) {
	return fps * 30 > 300 ? fps * 30 : 300;
}
