#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "encode/active_map.h"
#include "encode/encoder.h"
#include "encode/tuning.h"

/* The rate control learns the frame rate from the frames' durations, also when it changes. */
#define TICKS_PER_SECOND 90000
/* The coarsest of libvpx's quantizers. */
#define QUANTIZER_COARSE 63u

struct encoder_vpx {
	struct encoder encoder;
	struct encoder_config config;
	vpx_codec_ctx_t codec;
	vpx_codec_enc_cfg_t settings; /* what the codec was given */
	struct tuning tuning;
	bool open;
	bool rate_changed; /* `settings` are to be filled anew */
	uint32_t width;
	uint32_t height;
	vpx_codec_pts_t pts;
	struct encoder_wish wish; /* for the last picture */
	struct active_map active_map;
	const char *error;
};

static bool is_vp8(const struct encoder_vpx *vpx) {
	return vpx->wish.codec == PACKET_CODEC_VP8;
}

static void fill_settings(struct encoder_vpx *vpx) {
	vpx_codec_enc_cfg_t *settings = &vpx->settings;
	settings->rc_target_bitrate = vpx->config.kbps;
	settings->g_timebase = (vpx_rational_t){1, TICKS_PER_SECOND};
	settings->g_w = vpx->width;
	settings->g_h = vpx->height;
	settings->g_profile = vpx->config.chroma == PACKET_CHROMA_444 ? 1 : 0;
	settings->g_threads = vpx->tuning.threads;
	settings->g_lag_in_frames = 0;
	settings->g_pass = VPX_RC_ONE_PASS;
	settings->g_error_resilient = 0;
	settings->rc_end_usage = VPX_CBR;
	settings->rc_dropframe_thresh = 0;
	settings->rc_resize_allowed = 0;
	settings->rc_min_quantizer = vpx->tuning.quantizer_min;
	settings->rc_max_quantizer = vpx->tuning.quantizer_max;
	settings->rc_undershoot_pct = vpx->tuning.undershoot_pct;
	settings->rc_overshoot_pct = vpx->tuning.overshoot_pct;
	settings->rc_buf_initial_sz = 500;
	settings->rc_buf_optimal_sz = 600;
	settings->rc_buf_sz = 1000;
	settings->kf_mode = VPX_KF_DISABLED;
}

/* What changes with the content. */
static bool set_content_controls(struct encoder_vpx *vpx) {
	const struct tuning *tuning = &vpx->tuning;
	vpx_codec_err_t result = vpx_codec_control(&vpx->codec, VP8E_SET_CPUUSED, tuning->speed);
	if (!is_vp8(vpx)) {
		result |= vpx_codec_control(&vpx->codec, VP9E_SET_TUNE_CONTENT,
			tuning->screen ? VP9E_CONTENT_SCREEN : VP9E_CONTENT_DEFAULT);
	}
	return result == VPX_CODEC_OK;
}

static bool set_controls(struct encoder_vpx *vpx) {
	vpx_codec_ctx_t *codec = &vpx->codec;
	const struct tuning *tuning = &vpx->tuning;
	vpx_codec_err_t result = vpx_codec_control(
		codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, tuning_intra_pct(vpx->config.fps));
	result |= vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, tuning->static_threshold);
	if (is_vp8(vpx)) {
		result |= vpx_codec_control(codec, VP8E_SET_SCREEN_CONTENT_MODE, 2);
		result |= vpx_codec_control(codec, VP8E_SET_NOISE_SENSITIVITY, 0);
		result |=
			vpx_codec_control(codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	} else {
		int tile_columns = (int)tuning->tile_columns_log2;
		result |= vpx_codec_control(codec, VP9E_SET_AQ_MODE, 3);
		result |= vpx_codec_control(codec, VP9E_SET_TILE_COLUMNS, tile_columns);
		result |= vpx_codec_control(codec, VP9E_SET_ROW_MT, 1);
		result |= vpx_codec_control(codec, VP9E_SET_FRAME_PARALLEL_DECODING, 0);
		result |= vpx_codec_control(codec, VP9E_SET_NOISE_SENSITIVITY, 0);
		result |= vpx_codec_control(codec, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
		result |= vpx_codec_control(codec, VP9E_SET_COLOR_RANGE, VPX_CR_STUDIO_RANGE);
	}
	return result == VPX_CODEC_OK && set_content_controls(vpx);
}

static void vpx_close(struct encoder_vpx *vpx) {
	if (vpx->open) {
		vpx_codec_destroy(&vpx->codec);
		vpx->open = false;
	}
}

static struct tuning choose_tuning(const struct encoder_vpx *vpx) {
	const struct tuning_input input = {
		.codec = vpx->wish.codec,
		.chroma = vpx->config.chroma,
		.width = vpx->width,
		.height = vpx->height,
		.cores = vpx->config.cores,
		.kbps = vpx->config.kbps,
		.moving = vpx->wish.moving,
		.way = vpx->wish.way,
	};
	return tuning_choose(&input);
}

static bool vpx_open(struct encoder_vpx *vpx, uint32_t width, uint32_t height) {
	vpx_close(vpx);
	vpx->width = width;
	vpx->height = height;
	vpx->rate_changed = false;
	vpx->tuning = choose_tuning(vpx);
	if (!active_map_resize(&vpx->active_map, width, height, vpx->tuning.block_age,
		    vpx->tuning.good_frames)) {
		vpx->error = "out of memory";
		return false;
	}
	vpx_codec_iface_t *interface = is_vp8(vpx) ? vpx_codec_vp8_cx() : vpx_codec_vp9_cx();
	vpx_codec_err_t result = vpx_codec_enc_config_default(interface, &vpx->settings, 0);
	if (result == VPX_CODEC_OK) {
		fill_settings(vpx);
		result = vpx_codec_enc_init(&vpx->codec, interface, &vpx->settings, 0);
	}
	if (result != VPX_CODEC_OK) {
		vpx->error = vpx_codec_err_to_string(result);
		return false;
	}
	vpx->open = true;
	if (!set_controls(vpx)) {
		vpx->error = "libvpx refused a setting";
		return false;
	}
	return true;
}

/* What changed is encoded as the rate permits. A still picture then gets better with every frame:
 * left to itself libvpx takes seconds to come down to its finest quantizer. */
static uint32_t next_quantizer_max(struct encoder_vpx *vpx, bool refine) {
	const struct tuning *tuning = &vpx->tuning;
	uint32_t now = vpx->settings.rc_max_quantizer;
	if (!refine) {
		return tuning->quantizer_max;
	}
	int last = 0;
	if (now == tuning->quantizer_max &&
		vpx_codec_control(&vpx->codec, VP8E_GET_LAST_QUANTIZER_64, &last) == VPX_CODEC_OK) {
		now = last > 0 ? (uint32_t)last : 0;
	}
	return now > tuning->quantizer_good + tuning->quantizer_step ? now - tuning->quantizer_step
								     : tuning->quantizer_good;
}

/* Follows the content and the rate. */
static bool update_content(struct encoder_vpx *vpx) {
	vpx->tuning = choose_tuning(vpx);
	if (!set_content_controls(vpx)) {
		vpx->error = "libvpx refused a setting";
		return false;
	}
	return true;
}

/* libvpx keeps its references: no keyframe comes of it. */
static bool update_settings(struct encoder_vpx *vpx, bool refine) {
	const struct tuning *tuning = &vpx->tuning;
	bool hurried = vpx->wish.hurried && tuning->quantizer_hurried > 0;
	uint32_t quantizer_max = vpx->wish.coarse ? QUANTIZER_COARSE
				 : hurried        ? tuning->quantizer_hurried
						  : next_quantizer_max(vpx, refine);
	uint32_t quantizer_min = vpx->wish.coarse || hurried ? quantizer_max
				 : refine                    ? tuning->quantizer_good
							     : tuning->quantizer_min;
	if (!vpx->rate_changed && quantizer_max == vpx->settings.rc_max_quantizer &&
		quantizer_min == vpx->settings.rc_min_quantizer) {
		return true;
	}
	vpx->settings.rc_max_quantizer = quantizer_max;
	vpx->settings.rc_min_quantizer = quantizer_min;
	vpx->settings.rc_target_bitrate = vpx->config.kbps;
	vpx_codec_err_t result = vpx_codec_enc_config_set(&vpx->codec, &vpx->settings);
	if (vpx->rate_changed && result == VPX_CODEC_OK) {
		result = vpx_codec_control(&vpx->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT,
			tuning_intra_pct(vpx->config.fps));
	}
	vpx->rate_changed = false;
	if (result != VPX_CODEC_OK) {
		vpx->error = vpx_codec_err_to_string(result);
	}
	return result == VPX_CODEC_OK;
}

/* VP9 forgets the map after each frame, so it is set before every one. */
static bool set_active_map(struct encoder_vpx *vpx) {
	vpx_active_map_t map = {
		.active_map = active_map_is_full(&vpx->active_map) ? NULL : vpx->active_map.map,
		.rows = vpx->active_map.rows,
		.cols = vpx->active_map.columns,
	};
	return vpx_codec_control(&vpx->codec, VP8E_SET_ACTIVEMAP, &map) == VPX_CODEC_OK;
}

/* None comes out where rate control leaves a picture out: VP8 does that for screens, when one would
 * cost far more than is left. */
static void collect_frame(struct encoder_vpx *vpx, struct encoder_frame *frame) {
	vpx_codec_iter_t iterator = NULL;
	const vpx_codec_cx_pkt_t *packet;
	*frame = (struct encoder_frame){0};
	while ((packet = vpx_codec_get_cx_data(&vpx->codec, &iterator)) != NULL) {
		if (packet->kind == VPX_CODEC_CX_FRAME_PKT && packet->data.frame.sz > 0) {
			frame->data = packet->data.frame.buf;
			frame->length = packet->data.frame.sz;
			frame->key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
			return;
		}
	}
}

static bool encode_image(struct encoder_vpx *vpx, const struct picture *picture, bool key) {
	vpx_image_t image;
	vpx_img_fmt_t format =
		picture->chroma == PACKET_CHROMA_444 ? VPX_IMG_FMT_I444 : VPX_IMG_FMT_I420;
	vpx_img_wrap(&image, format, picture->width, picture->height, 1, picture->memory);
	memcpy(image.planes, picture->planes, sizeof(picture->planes));
	memcpy(image.stride, picture->strides, sizeof(picture->strides));
	image.cs = VPX_CS_BT_601;
	image.range = VPX_CR_STUDIO_RANGE;
	if (!set_active_map(vpx)) {
		vpx->error = "libvpx refused the active map";
		return false;
	}
	unsigned long duration = TICKS_PER_SECOND / vpx->config.fps;
	vpx_enc_frame_flags_t flags = key ? VPX_EFLAG_FORCE_KF : 0;
	if (vpx->tuning.one_reference) {
		flags |= VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_GF |
			 VP8_EFLAG_NO_UPD_ARF;
	}
	vpx_codec_err_t result =
		vpx_codec_encode(&vpx->codec, &image, vpx->pts, duration, flags, VPX_DL_REALTIME);
	vpx->pts += (vpx_codec_pts_t)duration;
	if (result != VPX_CODEC_OK) {
		vpx->error = vpx_codec_err_to_string(result);
		return false;
	}
	return true;
}

/* Everything before the picture goes in. */
static bool prepare(struct encoder_vpx *vpx, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, bool fresh) {
	bool other = wish->moving != vpx->wish.moving || wish->way != vpx->wish.way;
	vpx->wish = *wish;
	if (fresh && !vpx_open(vpx, picture->width, picture->height)) {
		return false;
	}
	bool refine = !fresh && !wish->key && damage_is_empty(damage);
	bool retune = other || vpx->rate_changed;
	if (!fresh && ((retune && !update_content(vpx)) || !update_settings(vpx, refine))) {
		return false;
	}
	if (fresh || wish->key) {
		active_map_set_all(&vpx->active_map, vpx->tuning.key_age);
	}
	active_map_add(&vpx->active_map, damage);
	if (refine) {
		active_map_refine(&vpx->active_map);
	}
	return true;
}

static bool vpx_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame) {
	struct encoder_vpx *vpx = (struct encoder_vpx *)encoder;
	bool fresh = !vpx->open || vpx->wish.codec != wish->codec || vpx->width != picture->width ||
		     vpx->height != picture->height;
	if (!prepare(vpx, picture, damage, wish, fresh) || !encode_image(vpx, picture, wish->key)) {
		return false;
	}
	collect_frame(vpx, frame);
	if (frame->length == 0) {
		/* What changed stays active for the next attempt. */
		return true;
	}
	int quantizer = 0;
	bool good = vpx_codec_control(&vpx->codec, VP8E_GET_LAST_QUANTIZER_64, &quantizer) !=
			    VPX_CODEC_OK ||
		    quantizer <= (int)vpx->tuning.quantizer_good;
	active_map_age(&vpx->active_map, good);
	frame->settled = active_map_is_empty(&vpx->active_map);
	return true;
}

static void vpx_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps) {
	struct encoder_vpx *vpx = (struct encoder_vpx *)encoder;
	vpx->config.fps = fps;
	vpx->config.kbps = kbps;
	vpx->rate_changed = vpx->open;
}

static const char *vpx_error(const struct encoder *encoder) {
	const struct encoder_vpx *vpx = (const struct encoder_vpx *)encoder;
	return vpx->error;
}

static void vpx_destroy(struct encoder *encoder) {
	struct encoder_vpx *vpx = (struct encoder_vpx *)encoder;
	vpx_close(vpx);
	active_map_finish(&vpx->active_map);
	free(vpx);
}

static const struct encoder_impl encoder_vpx_impl = {
	.encode = vpx_encode,
	.set_rate = vpx_set_rate,
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
