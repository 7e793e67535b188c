#include "quality.h"

#include <libyuv/compare.h>
#include <libyuv/convert.h>
#include <libyuv/planar_functions.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "workload.h"

/* SSIM takes long; it is looked at once in so many comparisons. */
#define SSIM_EVERY 4u
/* More frames than one in so many without a step are no accident. */
#define UNREADABLE_EVERY 20u

struct judge {
	const struct quality_task *task;
	struct workload *workload;
	uint32_t step;
	vpx_image_t source;
	bool converted;
	vpx_image_t *before;
	uint32_t pictures;
	uint32_t compared;
	double square_error; /* mean of a pixel, times weight */
	double error_weight;
	double ssim;
	double ssim_weight;
};

static void advance(struct judge *judge, uint32_t step) {
	struct area areas[WORKLOAD_AREAS_MAX];
	bool changed = !judge->converted;
	for (; judge->step < step; judge->step++) {
		changed |= workload_step(judge->workload, areas) > 0;
	}
	if (changed) {
		vpx_image_t *image = &judge->source;
		judge->converted = true;
		ARGBToI420((const uint8_t *)workload_pixels(judge->workload), (int)image->d_w * 4,
			image->planes[0], image->stride[0], image->planes[1], image->stride[1],
			image->planes[2], image->stride[2], (int)image->d_w, (int)image->d_h);
	}
}

static void compare(
	struct judge *judge, const vpx_image_t *decoded, uint32_t step, uint32_t weight) {
	advance(judge, step);
	const vpx_image_t *source = &judge->source;
	int width = (int)source->d_w;
	int height = (int)source->d_h;
	uint64_t error = ComputeSumSquareErrorPlane(source->planes[0], source->stride[0],
		decoded->planes[0], decoded->stride[0], width, height);
	judge->square_error += weight * (double)error / ((double)width * height);
	judge->error_weight += weight;
	if (judge->compared++ % SSIM_EVERY == 0) {
		judge->ssim +=
			weight * CalcFrameSsim(source->planes[0], source->stride[0],
					 decoded->planes[0], decoded->stride[0], width, height);
		judge->ssim_weight += weight;
	}
}

/* What `frame` was on show of the steps from `first` on, until `until`. */
static void judge_frame(struct judge *judge, const struct quality_frame *frame,
	const vpx_image_t *decoded, uint32_t until) {
	const struct quality_task *task = judge->task;
	uint32_t since = frame->step > task->first ? frame->step : task->first;
	if (until > since && task->every > 0 && judge->pictures++ % task->every == 0) {
		compare(judge, decoded, frame->step, until - since);
	}
}

static bool open_decoder(vpx_codec_ctx_t *decoder, bool vp8) {
	vpx_codec_iface_t *interface = vp8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
	return vpx_codec_dec_init(decoder, interface, NULL, 0) == VPX_CODEC_OK;
}

static int compare_steps(const void *a, const void *b) {
	const uint32_t *left = a;
	const uint32_t *right = b;
	return (*left > *right) - (*left < *right);
}

/* False where the picture shows no step, or one that nobody had shown. */
static bool read_step(const struct quality_task *task, const vpx_image_t *decoded, uint32_t *step) {
	return workload_read_step(decoded->planes[0], decoded->stride[0], step) &&
	       bsearch(step, task->shown, task->shown_count, sizeof(*step), compare_steps) != NULL;
}

/* NULL: it does not decode. */
static const vpx_image_t *decode(const struct judge *judge, vpx_codec_ctx_t *decoder,
	const struct quality_frame *frame, bool other) {
	if (other) {
		vpx_codec_destroy(decoder);
		if (!open_decoder(decoder, frame->vp8)) {
			return NULL;
		}
	}
	vpx_codec_iter_t iterator = NULL;
	const vpx_image_t *decoded = NULL;
	if (vpx_codec_decode(decoder, frame->data, (unsigned int)frame->length, NULL, 0) ==
		VPX_CODEC_OK) {
		decoded = vpx_codec_get_frame(decoder, &iterator);
	}
	bool fits = decoded != NULL && decoded->d_w == judge->source.d_w &&
		    decoded->d_h == judge->source.d_h;
	return fits ? decoded : NULL;
}

static bool judge_frames(struct judge *judge, vpx_codec_ctx_t *decoder,
	struct quality_frame *frames, size_t count, uint32_t *unreadable) {
	const struct quality_task *task = judge->task;
	/* The picture before stays the decoder's only until the next one is decoded. */
	vpx_image_t *before = judge->before;
	for (size_t i = 0; i < count; i++) {
		uint32_t last = i > 0 ? frames[i - 1].step : 0;
		const vpx_image_t *decoded = decode(
			judge, decoder, &frames[i], i > 0 && frames[i].vp8 != frames[i - 1].vp8);
		if (decoded == NULL) {
			fprintf(stderr, "bench-cell: frame %zu of %zu (%zu bytes) is broken\n",
				i + 1, count, frames[i].length);
			return false;
		}
		bool readable = read_step(task, decoded, &frames[i].step);
		/* Before the first one nothing was on show. */
		if (!readable && i > 0) {
			frames[i].step = last;
			++*unreadable;
			continue;
		}
		if (!readable || frames[i].step < last) {
			fprintf(stderr, "bench-cell: frame %zu of %zu shows step %u after %u\n",
				i + 1, count, frames[i].step, last);
			return false;
		}
		if (i > 0 && frames[i].step > last) {
			judge_frame(judge, &frames[i - 1], before, frames[i].step);
		}
		if (task->every > 0) {
			CopyPlane(decoded->planes[0], decoded->stride[0], before->planes[0],
				before->stride[0], (int)before->d_w, (int)before->d_h);
		}
	}
	if (*unreadable * UNREADABLE_EVERY > count) {
		fprintf(stderr, "bench-cell: %u of %zu frames show no step\n", *unreadable, count);
		return false;
	}
	judge_frame(judge, &frames[count - 1], before, task->last + 1);
	return true;
}

bool quality_measure(const struct quality_task *task, struct quality_frame *frames, size_t count,
	struct quality *quality) {
	struct judge judge = {.task = task,
		.workload = workload_create(task->workload, task->width, task->height),
		.before = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, task->width, task->height, 64)};
	vpx_codec_ctx_t decoder;
	bool measured = false;
	*quality = (struct quality){0};
	if (judge.workload == NULL || judge.before == NULL ||
		vpx_img_alloc(&judge.source, VPX_IMG_FMT_I420, task->width, task->height, 64) ==
			NULL) {
		goto out;
	}
	if (open_decoder(&decoder, frames[0].vp8)) {
		measured = judge_frames(&judge, &decoder, frames, count, &quality->unreadable);
		vpx_codec_destroy(&decoder);
	}
	if (measured && judge.error_weight > 0) {
		double error = judge.square_error / judge.error_weight;
		quality->psnr = error > 0 ? 10 * log10(255 * 255 / error) : 99;
		quality->ssim = judge.ssim / judge.ssim_weight;
	}
	vpx_img_free(&judge.source);
out:
	if (judge.before != NULL) {
		vpx_img_free(judge.before);
	}
	workload_destroy(judge.workload);
	return measured;
}
