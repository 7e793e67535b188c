/*
 * The practical limit: libvpx and nothing around it. Every tick the whole picture, which lies in
 * shared memory, is converted and encoded, with the settings that browsers use for shared screens
 * and no knowledge of what changed.
 *
 *	bench-vpx vp8|vp9 WIDTH HEIGHT FPS KBPS
 *
 * Descriptor 3 takes the frames, 4 is the picture (B, G, R, x). Over 5 come ticks, 8 bytes of time
 * stamp in nanoseconds each; one byte goes back when the picture was read.
 */
#include <libyuv/convert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "sender.h"

#define PICTURE_FD 4
#define TICKS_FD 5

struct loop {
	bool vp8;
	unsigned int width;
	unsigned int height;
	unsigned int fps;
	unsigned int kbps;
	unsigned int threads;
	const uint8_t *pixels;
	vpx_codec_ctx_t codec;
	vpx_image_t image;
	struct sender sender;
};

static void fill_config(const struct loop *loop, vpx_codec_enc_cfg_t *config) {
	config->g_w = loop->width;
	config->g_h = loop->height;
	config->g_timebase = (vpx_rational_t){1, (int)loop->fps};
	config->g_threads = loop->threads;
	config->g_lag_in_frames = 0;
	config->g_pass = VPX_RC_ONE_PASS;
	config->rc_end_usage = VPX_CBR;
	config->rc_target_bitrate = loop->kbps;
	config->rc_min_quantizer = loop->vp8 ? 12 : 8;
	config->rc_max_quantizer = loop->vp8 ? 56 : 52;
	config->rc_undershoot_pct = loop->vp8 ? 100 : 50;
	config->rc_overshoot_pct = loop->vp8 ? 15 : 50;
	config->rc_buf_initial_sz = 500;
	config->rc_buf_optimal_sz = 600;
	config->rc_buf_sz = 1000;
	config->kf_mode = VPX_KF_DISABLED;
}

static int set_controls(struct loop *loop) {
	vpx_codec_ctx_t *codec = &loop->codec;
	unsigned int intra = loop->fps * 30 > 300 ? loop->fps * 30 : 300;
	int result = vpx_codec_control(codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, intra);
	if (loop->vp8) {
		result |= vpx_codec_control(codec, VP8E_SET_CPUUSED, -6);
		result |= vpx_codec_control(codec, VP8E_SET_SCREEN_CONTENT_MODE, 2);
		result |= vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, 100);
		return result;
	}
	result |= vpx_codec_control(codec, VP8E_SET_CPUUSED, 9);
	result |= vpx_codec_control(codec, VP9E_SET_TUNE_CONTENT, VP9E_CONTENT_SCREEN);
	result |= vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, 1);
	result |= vpx_codec_control(codec, VP9E_SET_AQ_MODE, 3);
	result |= vpx_codec_control(codec, VP9E_SET_TILE_COLUMNS, (int)(loop->threads >> 1));
	result |= vpx_codec_control(codec, VP9E_SET_ROW_MT, 1);
	result |= vpx_codec_control(codec, VP9E_SET_FRAME_PARALLEL_DECODING, 0);
	return result;
}

static bool open_codec(struct loop *loop) {
	vpx_codec_iface_t *interface = loop->vp8 ? vpx_codec_vp8_cx() : vpx_codec_vp9_cx();
	vpx_codec_enc_cfg_t config;
	if (vpx_codec_enc_config_default(interface, &config, 0) != VPX_CODEC_OK) {
		return false;
	}
	fill_config(loop, &config);
	return vpx_codec_enc_init(&loop->codec, interface, &config, 0) == VPX_CODEC_OK &&
	       set_controls(loop) == VPX_CODEC_OK &&
	       vpx_img_alloc(&loop->image, VPX_IMG_FMT_I420, loop->width, loop->height, 64) != NULL;
}

static bool send_packets(struct loop *loop, int64_t pts_us) {
	vpx_codec_iter_t iterator = NULL;
	const vpx_codec_cx_pkt_t *packet;
	while ((packet = vpx_codec_get_cx_data(&loop->codec, &iterator)) != NULL) {
		bool frame = packet->kind == VPX_CODEC_CX_FRAME_PKT;
		bool key = frame && (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
		if (frame && !sender_frame(&loop->sender, pts_us, key, packet->data.frame.buf,
				     packet->data.frame.sz)) {
			return false;
		}
	}
	return true;
}

static int run(struct loop *loop) {
	const vpx_image_t *image = &loop->image;
	int64_t pts_ns;
	for (vpx_codec_pts_t index = 0; read(TICKS_FD, &pts_ns, sizeof(pts_ns)) == sizeof(pts_ns);
		index++) {
		ARGBToI420(loop->pixels, (int)loop->width * 4, image->planes[0], image->stride[0],
			image->planes[1], image->stride[1], image->planes[2], image->stride[2],
			(int)loop->width, (int)loop->height);
		if (write(TICKS_FD, "", 1) != 1) {
			break;
		}
		if (vpx_codec_encode(&loop->codec, image, index, 1, 0, VPX_DL_REALTIME) !=
			VPX_CODEC_OK) {
			fputs("bench-vpx: libvpx failed\n", stderr);
			return 1;
		}
		if (!send_packets(loop, pts_ns / 1000)) {
			break;
		}
	}
	return 0;
}

int main(int argc, char **argv) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 6) {
		fputs("bench-vpx: started by bench-cell only\n", stderr);
		return 2;
	}
	struct loop loop = {
		.vp8 = strcmp(argv[1], "vp8") == 0,
		.width = (unsigned int)strtoul(argv[2], NULL, 10),
		.height = (unsigned int)strtoul(argv[3], NULL, 10),
		.fps = (unsigned int)strtoul(argv[4], NULL, 10),
		.kbps = (unsigned int)strtoul(argv[5], NULL, 10),
		.threads = 1,
	};
	if (!loop.vp8 && loop.width * loop.height > 1920 * 1200 &&
		sysconf(_SC_NPROCESSORS_ONLN) > 1) {
		loop.threads = 2;
	}
	size_t size = (size_t)loop.width * loop.height * 4;
	loop.pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, PICTURE_FD, 0);
	if (loop.pixels == MAP_FAILED || !open_codec(&loop)) {
		fputs("bench-vpx: could not start\n", stderr);
		return 1;
	}
	sender_init(&loop.sender, loop.vp8 ? PACKET_CODEC_VP8 : PACKET_CODEC_VP9, loop.width,
		loop.height);
	int status = run(&loop);
	vpx_codec_destroy(&loop.codec);
	vpx_img_free(&loop.image);
	return status;
}
