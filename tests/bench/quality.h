/* How good the pictures are that a decoder makes of an engine's frames. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quality_frame {
	const uint8_t *data;
	size_t length;
	bool vp8;      /* else VP9; changes with a keyframe */
	uint32_t step; /* of the workload, as read from the picture */
};

struct quality {
	double psnr; /* of the brightness, in dB; from the mean square error over time */
	double ssim; /* of the brightness, mean over time */
};

/*
 * Decodes all frames and fills in their `step`. The last frame of each step is compared with the
 * workload's own picture, converted to I420, and counts for as many of the steps `first` to `last`
 * as it was on show; one of `every` is looked at (0: none, *quality is zero then). False when a
 * frame does not decode, or shows no step or an earlier one than the frame before.
 */
bool quality_measure(struct quality_frame *frames, size_t count, const char *workload,
	uint32_t width, uint32_t height, uint32_t first, uint32_t last, uint32_t every,
	struct quality *quality);
