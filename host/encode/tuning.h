/*
 * Chooses libvpx's settings for what is encoded. Pure. The numbers were measured, see
 * docs/PERFORMANCE.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "encode/encoder.h"

struct tuning {
	uint32_t threads;
	uint32_t tile_columns_log2; /* VP9 only */
	int speed;                  /* libvpx's cpu-used */
	bool screen;                /* VP9 only: libvpx's screen content mode */
	/* VP9 only: frames refer to the last one alone. The golden and the alternate reference stay
	 * those of the keyframe, unused. */
	bool one_reference;
	/* For changes. libvpx's scale is 0 (best) to 63; a picture at rest gets finer ones. */
	uint32_t quantizer_min;
	uint32_t quantizer_max;
	uint32_t undershoot_pct;
	uint32_t overshoot_pct;
	uint32_t static_threshold;
	/* For hurried frames; 0: they are like others. */
	uint32_t quantizer_hurried;
	/* How much finer each frame of a picture at rest is. */
	uint32_t quantizer_step;
	/* With this one, or a finer one, a frame looks like its source. */
	uint32_t quantizer_good;
	/* How many frames a changed block is encoded for, and after a keyframe every block: 1 to
	 * 255. */
	uint8_t block_age;
	/* How many of them need a good quantizer before the block rests: 1 to 255. */
	uint8_t good_frames;
};

/* For pictures of width x height. */
struct tuning tuning_choose(const struct encoder_config *config, const struct encoder_wish *wish,
	uint32_t width, uint32_t height);
