#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "capture/activity.h"
#include "capture/encoder.h"
#include "capture/lean_clear.h"

/* libvpx's quantizer scale is 0 (best) to 63. Text is readable at these floors, and below them bits
 * are spent on what nobody sees. */
#define VP8_QUANTIZER_MIN 12
#define VP8_QUANTIZER_MAX 56
#define VP9_QUANTIZER_MIN 8
#define VP9_QUANTIZER_MAX 52
/* Encodes until a changed block has reached its quality: VP8 never returns to a block that is
 * inactive, VP9 refreshes some by itself. */
#define VP8_BLOCK_AGE 60
#define VP9_BLOCK_AGE 10

struct encoder_vpx {
	struct encoder encoder;
	struct encoder_config config;
	vpx_codec_ctx_t codec;
	bool open;
	uint32_t width;
	uint32_t height;
	vpx_codec_pts_t pts;
	struct activity activity;
	const char *error;
};

static uint32_t thread_count(const struct encoder_config *config, uint32_t width, uint32_t height) {
	/* A second VP8 thread spins while it waits for the first: it pays only where cores idle. */
	uint32_t pixels = width * height;
	if (config->codec == PACKET_CODEC_VP8) {
		return config->cores >= 4 && pixels >= 1920 * 1080 ? 2 : 1;
	}
	if (pixels > 1920 * 1200 && config->cores >= 2) {
		return config->cores >= 8 ? 4 : 2;
	}
	return 1;
}

static uint32_t log2_floor(uint32_t value) {
	uint32_t log = 0;
	while (value > 1) {
		value /= 2;
		log++;
	}
	return log;
}

static void fill_config(
	const struct encoder_vpx *vpx, uint32_t threads, vpx_codec_enc_cfg_t *config) {
	bool vp8 = vpx->config.codec == PACKET_CODEC_VP8;
	config->g_w = vpx->width;
	config->g_h = vpx->height;
	config->g_timebase = (vpx_rational_t){1, (int)vpx->config.fps};
	config->g_threads = threads;
	config->g_lag_in_frames = 0;
	config->g_pass = VPX_RC_ONE_PASS;
	config->g_error_resilient = 0;
	config->rc_end_usage = VPX_CBR;
	config->rc_target_bitrate = vpx->config.kbps;
	config->rc_dropframe_thresh = 0;
	config->rc_resize_allowed = 0;
	config->rc_min_quantizer = vp8 ? VP8_QUANTIZER_MIN : VP9_QUANTIZER_MIN;
	config->rc_max_quantizer = vp8 ? VP8_QUANTIZER_MAX : VP9_QUANTIZER_MAX;
	config->rc_undershoot_pct = vp8 ? 100 : 50;
	config->rc_overshoot_pct = vp8 ? 15 : 50;
	config->rc_buf_initial_sz = 500;
	config->rc_buf_optimal_sz = 600;
	config->rc_buf_sz = 1000;
	config->kf_mode = VPX_KF_DISABLED;
}

static bool set_controls(struct encoder_vpx *vpx, uint32_t threads) {
	vpx_codec_ctx_t *codec = &vpx->codec;
	/* A keyframe may take this share (percent) of the bits of an average frame. */
	unsigned int intra = vpx->config.fps * 30 > 300 ? vpx->config.fps * 30 : 300;
	vpx_codec_err_t result = vpx_codec_control(codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, intra);
	if (vpx->config.codec == PACKET_CODEC_VP8) {
		result |= vpx_codec_control(codec, VP8E_SET_CPUUSED, -6);
		result |= vpx_codec_control(codec, VP8E_SET_SCREEN_CONTENT_MODE, 2);
		result |= vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, 100);
		result |= vpx_codec_control(codec, VP8E_SET_NOISE_SENSITIVITY, 0);
		result |=
			vpx_codec_control(codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	} else {
		int speed = vpx->width * vpx->height >= 1280 * 720 ? 9 : 7;
		result |= vpx_codec_control(codec, VP8E_SET_CPUUSED, speed);
		result |= vpx_codec_control(codec, VP9E_SET_TUNE_CONTENT, VP9E_CONTENT_SCREEN);
		result |= vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, 1);
		result |= vpx_codec_control(codec, VP9E_SET_AQ_MODE, 3);
		result |= vpx_codec_control(codec, VP9E_SET_TILE_COLUMNS, (int)log2_floor(threads));
		result |= vpx_codec_control(codec, VP9E_SET_ROW_MT, 1);
		result |= vpx_codec_control(codec, VP9E_SET_FRAME_PARALLEL_DECODING, 0);
		result |= vpx_codec_control(codec, VP9E_SET_NOISE_SENSITIVITY, 0);
		result |= vpx_codec_control(codec, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
		result |= vpx_codec_control(codec, VP9E_SET_COLOR_RANGE, VPX_CR_STUDIO_RANGE);
	}
	return result == VPX_CODEC_OK;
}

static void vpx_close(struct encoder_vpx *vpx) {
	if (vpx->open) {
		vpx_codec_destroy(&vpx->codec);
		vpx->open = false;
	}
}

static bool vpx_open(struct encoder_vpx *vpx, uint32_t width, uint32_t height) {
	vpx_close(vpx);
	vpx->width = width;
	vpx->height = height;
	bool vp8 = vpx->config.codec == PACKET_CODEC_VP8;
	vpx_codec_iface_t *interface = vp8 ? vpx_codec_vp8_cx() : vpx_codec_vp9_cx();
	vpx_codec_enc_cfg_t config;
	uint32_t threads = thread_count(&vpx->config, width, height);
	if (!activity_resize(&vpx->activity, width, height, vp8 ? VP8_BLOCK_AGE : VP9_BLOCK_AGE)) {
		vpx->error = "out of memory";
		return false;
	}
	vpx_codec_err_t result = vpx_codec_enc_config_default(interface, &config, 0);
	if (result == VPX_CODEC_OK) {
		fill_config(vpx, threads, &config);
		result = vpx_codec_enc_init(&vpx->codec, interface, &config, 0);
	}
	if (result != VPX_CODEC_OK) {
		vpx->error = vpx_codec_err_to_string(result);
		return false;
	}
	vpx->open = true;
	if (!set_controls(vpx, threads)) {
		vpx->error = "libvpx refused a setting";
		return false;
	}
	return true;
}

/* VP9 forgets the map after each frame, so it is set before every one. */
static bool set_active_map(struct encoder_vpx *vpx) {
	vpx_active_map_t map = {
		.active_map = activity_is_full(&vpx->activity) ? NULL : vpx->activity.map,
		.rows = vpx->activity.rows,
		.cols = vpx->activity.columns,
	};
	return vpx_codec_control(&vpx->codec, VP8E_SET_ACTIVEMAP, &map) == VPX_CODEC_OK;
}

static bool collect_frame(struct encoder_vpx *vpx, struct encoder_frame *frame) {
	vpx_codec_iter_t iterator = NULL;
	const vpx_codec_cx_pkt_t *packet;
	while ((packet = vpx_codec_get_cx_data(&vpx->codec, &iterator)) != NULL) {
		if (packet->kind == VPX_CODEC_CX_FRAME_PKT && packet->data.frame.sz > 0) {
			frame->data = packet->data.frame.buf;
			frame->length = packet->data.frame.sz;
			frame->key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
			return true;
		}
	}
	vpx->error = "no frame came out";
	return false;
}

static bool encode_image(struct encoder_vpx *vpx, const struct picture *picture, bool key) {
	vpx_image_t image;
	vpx_img_wrap(&image, VPX_IMG_FMT_I420, picture->width, picture->height, 1, picture->memory);
	memcpy(image.planes, picture->planes, sizeof(picture->planes));
	memcpy(image.stride, picture->strides, sizeof(picture->strides));
	image.cs = VPX_CS_BT_601;
	image.range = VPX_CR_STUDIO_RANGE;
	if (!set_active_map(vpx)) {
		vpx->error = "libvpx refused the active map";
		return false;
	}
	vpx_codec_err_t result = vpx_codec_encode(
		&vpx->codec, &image, vpx->pts++, 1, key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
	if (result != VPX_CODEC_OK) {
		vpx->error = vpx_codec_err_to_string(result);
		return false;
	}
	return true;
}

static bool vpx_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, bool key, struct encoder_frame *frame) {
	struct encoder_vpx *vpx = (struct encoder_vpx *)encoder;
	bool fresh = !vpx->open || vpx->width != picture->width || vpx->height != picture->height;
	/* VP9 makes most of its buffers with the first picture. */
	lean_clear(fresh);
	if (fresh && !vpx_open(vpx, picture->width, picture->height)) {
		lean_clear(false);
		return false;
	}
	if (fresh || key) {
		activity_set_all(&vpx->activity);
	}
	activity_add(&vpx->activity, damage);
	bool encoded = encode_image(vpx, picture, key);
	lean_clear(false);
	if (!encoded || !collect_frame(vpx, frame)) {
		return false;
	}
	activity_age(&vpx->activity);
	frame->settled = activity_is_empty(&vpx->activity);
	return true;
}

static const char *vpx_error(const struct encoder *encoder) {
	const struct encoder_vpx *vpx = (const struct encoder_vpx *)encoder;
	return vpx->error;
}

static void vpx_destroy(struct encoder *encoder) {
	struct encoder_vpx *vpx = (struct encoder_vpx *)encoder;
	vpx_close(vpx);
	activity_finish(&vpx->activity);
	free(vpx);
}

static const struct encoder_impl encoder_vpx_impl = {
	.encode = vpx_encode,
	.error = vpx_error,
	.destroy = vpx_destroy,
};

struct encoder *encoder_vpx_create(const struct encoder_config *config) {
	struct encoder_vpx *vpx = calloc(1, sizeof(*vpx));
	if (vpx == NULL) {
		return NULL;
	}
	vpx->encoder.impl = &encoder_vpx_impl;
	vpx->config = *config;
	vpx->error = "";
	return &vpx->encoder;
}
