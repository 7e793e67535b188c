/* What the tests of WebM files share: a folder of their own, frames, and a file read back by
 * libavformat. */
#pragma once

#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/webm.h"
#include "unit.h"

#define START_US INT64_C(5000000000)

/* What reading a file back told. */
struct facts {
	enum AVCodecID codec;
	int width;
	int height;
	int64_t duration_us;
	size_t packets;
	size_t keys;
	size_t decoded;
	int64_t pts_ms[512];
	int index_entries;
	bool whole; /* the demuxer met the end without an error */
};

struct fixture {
	char directory[64];
	char path[80];
};

static inline int set_up(void **state) {
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	(void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/webm_test.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/x.webm", fixture->directory);
	/* Frames of no meaning make decoders complain; what matters is asserted. */
	av_log_set_level(AV_LOG_QUIET);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state) {
	struct fixture *fixture = *state;
	(void)unlink(fixture->path);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* Fails in the next webm_create() when it fails here: children call this too, which can't assert.
 */
static inline int create_file(const char *path) {
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static inline void decode(AVCodecContext *decoder, const AVPacket *packet, struct facts *facts) {
	assert_int_equal(avcodec_send_packet(decoder, packet), 0);
	AVFrame *frame = av_frame_alloc();
	while (avcodec_receive_frame(decoder, frame) == 0) {
		facts->decoded++;
	}
	av_frame_free(&frame);
}

/* Reads `path` to its end; decodes its frames too when they are real ones. */
static inline void read_back(const char *path, bool real, struct facts *facts) {
	*facts = (struct facts){0};
	AVFormatContext *context = NULL;
	assert_int_equal(avformat_open_input(&context, path, NULL, NULL), 0);
	assert_int_equal(context->nb_streams, 1);
	AVStream *stream = context->streams[0];
	facts->codec = stream->codecpar->codec_id;
	facts->width = stream->codecpar->width;
	facts->height = stream->codecpar->height;
	facts->duration_us = context->duration;
	AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(facts->codec));
	assert_non_null(decoder);
	assert_int_equal(avcodec_open2(decoder, NULL, NULL), 0);
	AVPacket *packet = av_packet_alloc();
	int result = 0;
	while ((result = av_read_frame(context, packet)) == 0) {
		assert_true(facts->packets < 512);
		facts->pts_ms[facts->packets++] = packet->pts;
		facts->keys += (packet->flags & AV_PKT_FLAG_KEY) != 0;
		if (real) {
			decode(decoder, packet, facts);
		}
		av_packet_unref(packet);
	}
	facts->whole = result == AVERROR_EOF && context->pb->error == 0;
	if (real) {
		decode(decoder, NULL, facts);
	}
	/* The demuxer reads the index when it is first asked to seek. */
	assert_true(av_seek_frame(context, 0, 0, 0) >= 0);
	facts->index_entries = avformat_index_get_entries_count(stream);
	av_packet_free(&packet);
	avcodec_free_context(&decoder);
	avformat_close_input(&context);
}

/* A frame whose content does not matter. */
static inline struct webm_frame blob(uint8_t *data, size_t length, bool key, int64_t pts_us) {
	for (size_t i = 0; i < length; i++) {
		data[i] = (uint8_t)(i * 31);
	}
	return (struct webm_frame){.data = data, .length = length, .key = key, .pts_us = pts_us};
}

static inline int wait_for(pid_t child) {
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}
