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

/* What the frames are to be compared with. */
struct quality_task {
	const char *workload;
	uint32_t width;
	uint32_t height;
	const uint32_t *shown; /* the steps that were handed to the engine, in order */
	size_t shown_count;
	uint32_t first; /* of the steps that count */
	uint32_t last;
	uint32_t every; /* one of so many pictures is looked at; 0: none, PSNR and SSIM are zero */
};

struct quality {
	double psnr;         /* of the brightness, in dB; from the mean square error over time */
	double ssim;         /* of the brightness, mean over time */
	uint32_t unreadable; /* frames that showed no step */
};

/*
 * Decodes all frames and fills in their `step`. The last frame of each step is compared with the
 * workload's own picture, converted to I420, and counts for as many of the steps that count as it
 * was on show.
 *
 * A frame in which no step can be read counts as if it had not come, and as of the step before:
 * libvpx's VP9 (1.12, speed 9, for screens) at times leaves a few blocks of text that scrolls by
 * two steps at once without their residual for one frame, and the step's own blocks may be among
 * them. False when those are more than one in twenty, a frame does not decode or shows an earlier
 * step than the one before, or memory ran out.
 */
bool quality_measure(const struct quality_task *task, struct quality_frame *frames, size_t count,
	struct quality *quality);
