/*
 * How an encoder is set up for what it is to encode. Pure: the numbers behind it were measured, see
 * docs/PERFORMANCE.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/packet.h"

struct tuning_input {
	enum packet_codec codec;
	enum packet_chroma chroma;
	uint32_t width;
	uint32_t height;
	uint32_t cores; /* how many the encoder may run on, at least 1 */
	uint32_t kbps;
	bool moving;  /* it shows moving pictures, not text and windows */
	uint32_t way; /* rows that what moved is to be searched for, see capture/encoder.h */
};

struct tuning {
	uint32_t threads;
	uint32_t tile_columns_log2; /* VP9 only */
	int speed;                  /* libvpx's cpu-used */
	bool screen;                /* VP9 only: libvpx's ways for screens, not for films */
	/* VP9 only: frames refer to the last one alone. Golden and alternate reference stay what
	 * the keyframe made them, and nothing looks at them. */
	bool one_reference;
	/* libvpx's quantizer scale is 0 (best) to 63. What changes gets these; a still picture is
	 * made better than that. */
	uint32_t quantizer_min;
	uint32_t quantizer_max;
	uint32_t undershoot_pct;
	uint32_t overshoot_pct;
	uint32_t static_threshold;
	/* What is to be encoded fast has this one; 0: nothing is encoded faster. */
	uint32_t quantizer_hurried;
	/* A still picture is encoded with ever finer quantizers, finer by this step each time. */
	uint32_t quantizer_step;
	/* What was encoded with this one, or a finer one, looks like its source. */
	uint32_t quantizer_good;
	/* For so many frames a block that changed is encoded, 1 to 255; after a keyframe, which is
	 * coarse, every one. */
	uint8_t block_age;
	uint8_t key_age;
	/* So many of a block's frames must have a good quantizer before it rests, 1 to 255. */
	uint8_t good_frames;
};

struct tuning tuning_choose(const struct tuning_input *input);

/* The most that a keyframe may take, in percent of the bits of an average frame. */
uint32_t tuning_intra_pct(uint32_t fps);
