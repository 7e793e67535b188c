#include "record/webm.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "config.h"

#define IO_BUFFER_SIZE (64 * 1024)
/* The most that a cut-off recording loses. */
#define CLUSTER_TIME_LIMIT_MS 1000
/* Block and cluster headers of one frame, rounded up. */
#define FRAME_OVERHEAD 64u
/* Room for the index, the duration and one cluster's headers. An index entry takes about 20 bytes,
 * one for each keyframe. */
#define RESERVE_FOR_END (1024u * 1024u)
#define RESERVE_STEP (8u * 1024u * 1024u)

struct webm {
	int fd;
	bool seekable;
	bool queued; /* a pipe or a socket: what is written waits in `queue` for its reader */
	struct bytes queue; /* of which `drained` bytes are written */
	size_t drained;
	AVFormatContext *context; /* its pb->error keeps the first failed write */
	AVPacket *held;
	int64_t first_us;
	uint64_t size;     /* of the frames taken and their headers, at most */
	uint64_t reserved; /* the file's allocated length, 0 where that can't be had */
};

/* FFmpeg 7 made it const. */
#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define OUTPUT_BYTE const uint8_t
#else
#define OUTPUT_BYTE uint8_t
#endif

static int write_bytes(void *opaque, OUTPUT_BYTE *data, int length) {
	struct webm *webm = opaque;
	if (webm->queued) {
		return bytes_append(&webm->queue, data, (size_t)length) ? length : AVERROR(ENOMEM);
	}
	int done = 0;
	while (done < length) {
		ssize_t written = write(webm->fd, data + done, (size_t)(length - done));
		if (written < 0 && errno != EINTR) {
			return AVERROR(errno);
		}
		done += (int)MAX(written, 0);
	}
	return length;
}

static int64_t seek(void *opaque, int64_t offset, int whence) {
	const struct webm *webm = opaque;
	off_t at = lseek(webm->fd, offset, whence);
	return at < 0 ? AVERROR(errno) : at;
}

/* Neither a file that is appended to nor a device lets the header be completed at the end. */
static void look_at(struct webm *webm) {
	struct stat status;
	int flags = fcntl(webm->fd, F_GETFL);
	if (flags >= 0 && fstat(webm->fd, &status) == 0) {
		webm->seekable =
			(flags & O_APPEND) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
		webm->queued = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
	}
}

/* What a public function returns for an AVERROR, or for what is not negative. */
static bool succeeded(int result) {
	if (result < 0) {
		int error = AVUNERROR(result);
		errno = error < 4096 ? error : EIO; /* FFmpeg's own codes are large */
	}
	return result >= 0;
}

/* Reserves room on the disk for `more` bytes and the end of the file. 0 where the file system
 * can't: there only write() reports a full disk. */
static int reserve(struct webm *webm, uint64_t more) {
	uint64_t wanted = webm->size + more + FRAME_OVERHEAD + RESERVE_FOR_END;
	if (!webm->seekable || wanted <= webm->reserved) {
		return 0;
	}
	for (uint64_t spare = RESERVE_STEP;; spare = 0) {
		if (fallocate(webm->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)(wanted + spare)) == 0) {
			webm->reserved = wanted + spare;
			return 0;
		}
		if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) {
			return 0;
		}
		if (spare == 0) {
			return AVERROR(errno);
		}
	}
}

static int open_output(struct webm *webm) {
	int result = avformat_alloc_output_context2(&webm->context, NULL, "webm", NULL);
	if (result < 0) {
		return result;
	}
	uint8_t *buffer = av_malloc(IO_BUFFER_SIZE);
	webm->context->pb = avio_alloc_context(
		buffer, IO_BUFFER_SIZE, 1, webm, NULL, write_bytes, webm->seekable ? seek : NULL);
	if (buffer == NULL || webm->context->pb == NULL) {
		av_free(buffer);
		return AVERROR(ENOMEM);
	}
	webm->context->flags |= AVFMT_FLAG_CUSTOM_IO;
	return 0;
}

/* The result of a muxer's call, and of handing what it wrote to write_bytes(). */
static int flush(struct webm *webm, int result) {
	avio_flush(webm->context->pb);
	return result < 0 ? result : webm->context->pb->error;
}

static int write_header(
	struct webm *webm, enum packet_codec codec, uint32_t width, uint32_t height) {
	AVStream *stream = avformat_new_stream(webm->context, NULL);
	if (stream == NULL) {
		return AVERROR(ENOMEM);
	}
	stream->time_base = (AVRational){1, 1000};
	stream->disposition = AV_DISPOSITION_DEFAULT;
	AVCodecParameters *parameters = stream->codecpar;
	parameters->codec_type = AVMEDIA_TYPE_VIDEO;
	parameters->codec_id = codec == PACKET_CODEC_VP8 ? AV_CODEC_ID_VP8 : AV_CODEC_ID_VP9;
	parameters->width = (int)width;
	parameters->height = (int)height;
	/* How the capture helper converts the screen's sRGB; a VP8 stream can't say it. */
	parameters->color_range = AVCOL_RANGE_MPEG;
	parameters->color_space = AVCOL_SPC_SMPTE170M;
	parameters->color_primaries = AVCOL_PRI_BT709;
	parameters->color_trc = AVCOL_TRC_IEC61966_2_1;
	(void)av_dict_set(
		&webm->context->metadata, "encoding_tool", "portlight " PORTLIGHT_VERSION, 0);
	int result = av_opt_set_int(
		webm->context, "cluster_time_limit", CLUSTER_TIME_LIMIT_MS, AV_OPT_SEARCH_CHILDREN);
	return result < 0 ? result : flush(webm, avformat_write_header(webm->context, NULL));
}

bool webm_create(
	int fd, enum packet_codec codec, uint32_t width, uint32_t height, struct webm **webm) {
	struct webm *made = g_new0(struct webm, 1);
	made->fd = fd;
	look_at(made);
	made->held = av_packet_alloc();
	int result = made->held == NULL ? AVERROR(ENOMEM) : reserve(made, 0);
	if (result >= 0) {
		result = open_output(made);
	}
	if (result >= 0) {
		result = write_header(made, codec, width, height);
	}
	if (result < 0) {
		webm_destroy(made);
		return succeeded(result);
	}
	*webm = made;
	return true;
}

void webm_destroy(struct webm *webm) {
	if (webm == NULL) {
		return;
	}
	if (webm->context != NULL && webm->context->pb != NULL) {
		/* Without avio_close(), which would write what is buffered. */
		av_freep(&webm->context->pb->buffer);
		avio_context_free(&webm->context->pb);
	}
	avformat_free_context(webm->context);
	av_packet_free(&webm->held);
	bytes_finish(&webm->queue);
	close_fd(&webm->fd);
	g_free(webm);
}

/* Writes the held frame; it lasts until `until_ms` of the file's time. */
static int write_held(struct webm *webm, int64_t until_ms) {
	if (webm->held->data == NULL) {
		return 0;
	}
	webm->held->duration = until_ms - webm->held->pts;
	int result = av_write_frame(webm->context, webm->held);
	av_packet_unref(webm->held);
	return result;
}

/* The file's time for `us`, at least a millisecond after the held frame's. */
static int64_t file_time(const struct webm *webm, int64_t us) {
	int64_t ms = (us - webm->first_us + 500) / 1000;
	return webm->held->data != NULL ? MAX(ms, webm->held->pts + 1) : ms;
}

bool webm_write(struct webm *webm, const struct webm_frame *frame) {
	if (webm->size == 0) {
		webm->first_us = frame->pts_us;
	}
	int64_t ms = file_time(webm, frame->pts_us);
	int result = reserve(webm, frame->length);
	if (result >= 0) {
		result = write_held(webm, ms);
	}
	if (result >= 0) {
		result = av_new_packet(webm->held, (int)frame->length);
	}
	if (result < 0) {
		return succeeded(result);
	}
	memcpy(webm->held->data, frame->data, frame->length);
	webm->held->pts = ms;
	webm->held->dts = ms;
	webm->held->flags = frame->key ? AV_PKT_FLAG_KEY : 0;
	webm->size += frame->length + FRAME_OVERHEAD;
	return true;
}

bool webm_flush(struct webm *webm) {
	/* A NULL packet makes the muxer write the cluster that it has in memory. */
	return succeeded(flush(webm, av_write_frame(webm->context, NULL)));
}

bool webm_finish(struct webm *webm, int64_t end_us) {
	int result = write_held(webm, file_time(webm, end_us));
	int trailer = av_write_trailer(webm->context);
	result = result < 0 ? result : trailer;
	off_t length = webm->reserved > 0 ? lseek(webm->fd, 0, SEEK_END) : -1;
	if (length >= 0 && ftruncate(webm->fd, length) != 0 && result >= 0) {
		result = AVERROR(errno);
	}
	if (!webm->queued && close(steal_fd(&webm->fd)) != 0 && result >= 0) {
		result = AVERROR(errno);
	}
	return succeeded(result);
}

size_t webm_undrained(const struct webm *webm) {
	return webm->queue.length - webm->drained;
}

int webm_fd(const struct webm *webm) {
	return webm->fd;
}

bool webm_drain(struct webm *webm) {
	size_t length = webm_undrained(webm);
	ssize_t written = write(webm->fd, webm->queue.data + webm->drained, MIN(length, PIPE_BUF));
	if (written < 0 && errno != EINTR && errno != EAGAIN) {
		webm->context->pb->error = AVERROR(errno); /* nothing more is queued */
		webm->drained = webm->queue.length;
	} else if (written > 0) {
		webm->drained += (size_t)written;
	}
	if (webm_undrained(webm) == 0) {
		webm->queue.length = 0;
		webm->drained = 0;
	}
	return succeeded(webm->context->pb->error);
}
