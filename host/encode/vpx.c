#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
/* Controls take int and unsigned values alike. */
#define VPX_DISABLE_CTRL_TYPECHECKS 1
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "encode/active_map.h"
#include "encode/encoder.h"
#include "encode/tuning.h"

/* Rate control learns the frame rate from the frames' durations, also when it changes. */
#define TICKS_PER_SECOND 90000
/* The coarsest of libvpx's quantizers. */
#define QUANTIZER_COARSE 63u

struct encoder {
	struct encoder_config config;
	vpx_codec_ctx_t codec;        /* has an interface while it is open */
	vpx_codec_enc_cfg_t settings; /* of the codec */
	struct tuning tuning;
	bool rate_changed; /* since `settings` were made */
	vpx_codec_pts_t pts;
	struct encoder_wish wish; /* for the last picture */
	struct active_map active_map;
	const char *error;
};

static bool is_vp8(const struct encoder *encoder) {
	return encoder->wish.codec == PACKET_CODEC_VP8;
}

static bool check(struct encoder *encoder, vpx_codec_err_t result) {
	if (result != VPX_CODEC_OK) {
		encoder->error = vpx_codec_err_to_string(result);
	}
	return result == VPX_CODEC_OK;
}

static bool control(struct encoder *encoder, int id, int value) {
	return check(encoder, vpx_codec_control(&encoder->codec, id, value));
}

/* What libvpx's defaults don't say already. */
static void fill_settings(struct encoder *encoder, const struct picture *picture) {
	vpx_codec_enc_cfg_t *settings = &encoder->settings;
	const struct tuning *tuning = &encoder->tuning;
	settings->rc_target_bitrate = encoder->config.kbps;
	settings->g_timebase = (vpx_rational_t){1, TICKS_PER_SECOND};
	settings->g_w = picture->width;
	settings->g_h = picture->height;
	settings->g_profile = picture->chroma == PACKET_CHROMA_444 ? 1 : 0;
	settings->g_threads = tuning->threads;
	settings->g_lag_in_frames = 0;
	settings->rc_end_usage = VPX_CBR;
	settings->rc_min_quantizer = tuning->quantizer_min;
	settings->rc_max_quantizer = tuning->quantizer_max;
	settings->rc_undershoot_pct = tuning->undershoot_pct;
	settings->rc_overshoot_pct = tuning->overshoot_pct;
	settings->rc_buf_initial_sz = 500;
	settings->rc_buf_optimal_sz = 600;
	settings->rc_buf_sz = 1000;
	settings->kf_mode = VPX_KF_DISABLED;
}

/* The maximum size of a keyframe, in percent of an average frame: half of the optimal buffer. */
static bool set_intra_limit(struct encoder *encoder) {
	return control(
		encoder, VP8E_SET_MAX_INTRA_BITRATE_PCT, (int)MAX(encoder->config.fps * 30, 300));
}

/* What follows the content. */
static bool set_content_controls(struct encoder *encoder) {
	const struct tuning *tuning = &encoder->tuning;
	return control(encoder, VP8E_SET_CPUUSED, tuning->speed) &&
	       (is_vp8(encoder) ||
		       control(encoder, VP9E_SET_TUNE_CONTENT,
			       tuning->screen ? VP9E_CONTENT_SCREEN : VP9E_CONTENT_DEFAULT));
}

static bool set_controls(struct encoder *encoder) {
	const struct tuning *tuning = &encoder->tuning;
	bool set = set_intra_limit(encoder) &&
		   control(encoder, VP8E_SET_STATIC_THRESHOLD, (int)tuning->static_threshold);
	if (is_vp8(encoder)) {
		set = set && control(encoder, VP8E_SET_SCREEN_CONTENT_MODE, 2);
	} else {
		set = set && control(encoder, VP9E_SET_AQ_MODE, 3) &&
		      control(encoder, VP9E_SET_TILE_COLUMNS, (int)tuning->tile_columns_log2) &&
		      control(encoder, VP9E_SET_ROW_MT, 1) &&
		      control(encoder, VP9E_SET_FRAME_PARALLEL_DECODING, 0) &&
		      control(encoder, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
	}
	return set && set_content_controls(encoder);
}

static bool open_codec(struct encoder *encoder, const struct picture *picture) {
	const struct tuning *tuning = &encoder->tuning;
	vpx_codec_iface_t *interface = is_vp8(encoder) ? vpx_codec_vp8_cx() : vpx_codec_vp9_cx();
	vpx_codec_destroy(&encoder->codec);
	encoder->rate_changed = false;
	if (!active_map_resize(&encoder->active_map, picture->width, picture->height,
		    tuning->block_age, tuning->good_frames)) {
		encoder->error = "out of memory";
		return false;
	}
	if (!check(encoder, vpx_codec_enc_config_default(interface, &encoder->settings, 0))) {
		return false;
	}
	fill_settings(encoder, picture);
	return check(encoder,
		       vpx_codec_enc_init(&encoder->codec, interface, &encoder->settings, 0)) &&
	       set_controls(encoder);
}

static uint32_t last_quantizer(struct encoder *encoder) {
	int quantizer = 0;
	vpx_codec_control(&encoder->codec, VP8E_GET_LAST_QUANTIZER_64, &quantizer);
	return (uint32_t)quantizer;
}

/* For the next frame of a picture at rest: left alone, libvpx takes seconds to get to its finest
 * quantizer. */
static uint32_t finer_quantizer(struct encoder *encoder) {
	const struct tuning *tuning = &encoder->tuning;
	uint32_t now = encoder->settings.rc_max_quantizer;
	if (now == tuning->quantizer_max) {
		now = last_quantizer(encoder);
	}
	return MAX(now, tuning->quantizer_good + tuning->quantizer_step) - tuning->quantizer_step;
}

/* libvpx keeps its references, so this causes no keyframe. */
static bool update_settings(struct encoder *encoder, bool refine) {
	const struct tuning *tuning = &encoder->tuning;
	vpx_codec_enc_cfg_t *settings = &encoder->settings;
	bool hurried = encoder->wish.hurried && tuning->quantizer_hurried > 0;
	uint32_t max = encoder->wish.coarse ? QUANTIZER_COARSE
		       : hurried            ? tuning->quantizer_hurried
		       : refine             ? finer_quantizer(encoder)
					    : tuning->quantizer_max;
	uint32_t min = encoder->wish.coarse || hurried ? max
		       : refine                        ? tuning->quantizer_good
						       : tuning->quantizer_min;
	if (!encoder->rate_changed && max == settings->rc_max_quantizer &&
		min == settings->rc_min_quantizer) {
		return true;
	}
	settings->rc_max_quantizer = max;
	settings->rc_min_quantizer = min;
	settings->rc_target_bitrate = encoder->config.kbps;
	bool set = check(encoder, vpx_codec_enc_config_set(&encoder->codec, settings)) &&
		   (!encoder->rate_changed || set_intra_limit(encoder));
	encoder->rate_changed = false;
	return set;
}

/* Opens or adapts the codec, and marks the blocks to encode. */
static bool prepare(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish) {
	const vpx_codec_enc_cfg_t *settings = &encoder->settings;
	const struct encoder_wish last = encoder->wish;
	bool fresh = encoder->codec.iface == NULL || last.codec != wish->codec ||
		     settings->g_w != picture->width || settings->g_h != picture->height;
	bool retune = fresh || encoder->rate_changed || last.moving != wish->moving ||
		      last.way != wish->way;
	bool refine = !fresh && !wish->key && damage_is_empty(damage);
	encoder->wish = *wish;
	if (retune) {
		encoder->tuning =
			tuning_choose(&encoder->config, wish, picture->width, picture->height);
	}
	bool ready = fresh ? open_codec(encoder, picture)
			   : (!retune || set_content_controls(encoder)) &&
				     update_settings(encoder, refine);
	if (!ready) {
		return false;
	}
	if (fresh || wish->key) {
		active_map_set_all(&encoder->active_map, encoder->tuning.block_age);
	}
	active_map_add(&encoder->active_map, damage);
	if (refine) {
		active_map_refine(&encoder->active_map);
	}
	return true;
}

/* VP9 forgets the active map after each frame. */
static bool set_active_map(struct encoder *encoder) {
	struct active_map *active = &encoder->active_map;
	vpx_active_map_t map = {
		.active_map = active_map_is_full(active) ? NULL : active->map,
		.rows = active->rows,
		.cols = active->columns,
	};
	return check(encoder, vpx_codec_control(&encoder->codec, VP8E_SET_ACTIVEMAP, &map));
}

static bool encode_image(struct encoder *encoder, const struct picture *picture) {
	vpx_image_t image;
	vpx_img_fmt_t format =
		picture->chroma == PACKET_CHROMA_444 ? VPX_IMG_FMT_I444 : VPX_IMG_FMT_I420;
	vpx_img_wrap(&image, format, picture->width, picture->height, 1, picture->memory);
	memcpy(image.planes, picture->planes, sizeof(picture->planes));
	memcpy(image.stride, picture->strides, sizeof(picture->strides));
	unsigned long duration = TICKS_PER_SECOND / encoder->config.fps;
	vpx_enc_frame_flags_t flags = encoder->wish.key ? VPX_EFLAG_FORCE_KF : 0;
	if (encoder->tuning.one_reference) {
		flags |= VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_GF |
			 VP8_EFLAG_NO_UPD_ARF;
	}
	vpx_codec_pts_t pts = encoder->pts;
	encoder->pts += (vpx_codec_pts_t)duration;
	return check(encoder,
		vpx_codec_encode(&encoder->codec, &image, pts, duration, flags, VPX_DL_REALTIME));
}

bool encoder_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame) {
	if (!prepare(encoder, picture, damage, wish) || !set_active_map(encoder) ||
		!encode_image(encoder, picture)) {
		return false;
	}
	vpx_codec_iter_t iterator = NULL;
	const vpx_codec_cx_pkt_t *packet = vpx_codec_get_cx_data(&encoder->codec, &iterator);
	*frame = (struct encoder_frame){0};
	/* Rate control may drop the picture: VP8 does that for screens when it would cost far more
	 * than is left. What changed then stays active for the next attempt. */
	if (packet != NULL && packet->kind == VPX_CODEC_CX_FRAME_PKT) {
		bool good = last_quantizer(encoder) <= encoder->tuning.quantizer_good;
		active_map_age(&encoder->active_map, good);
		frame->data = packet->data.frame.buf;
		frame->length = packet->data.frame.sz;
		frame->key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
		frame->settled = active_map_is_empty(&encoder->active_map);
	}
	return true;
}

void encoder_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps) {
	encoder->config.fps = fps;
	encoder->config.kbps = kbps;
	encoder->rate_changed = true;
}

const char *encoder_error(const struct encoder *encoder) {
	return encoder->error;
}

struct encoder *encoder_create(const struct encoder_config *config) {
	struct encoder *encoder = calloc(1, sizeof(*encoder));
	if (encoder != NULL) {
		encoder->config = *config;
	}
	return encoder;
}

void encoder_destroy(struct encoder *encoder) {
	if (encoder != NULL) {
		vpx_codec_destroy(&encoder->codec);
		active_map_finish(&encoder->active_map);
		free(encoder);
	}
}
