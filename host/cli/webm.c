#include "cli/webm.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "config.h"

#define IO_BUFFER_SIZE (64 * 1024)
/* In ms: the most that a cut-off recording loses. */
#define CLUSTER_TIME_LIMIT "1000"
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
	int error; /* errno of the first failed write, else 0 */
	AVFormatContext *context;
	AVPacket *held;
	AVPacket *next;
	int64_t first_us;
	uint64_t bytes;
	uint64_t frames;
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
	int done = 0;
	if (webm->queued) {
		bool ok = webm->error == 0 && bytes_append(&webm->queue, data, (size_t)length);
		return ok ? length : AVERROR(webm->error != 0 ? webm->error : ENOMEM);
	}
	while (done < length) {
		ssize_t written = write(webm->fd, data + done, (size_t)(length - done));
		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written < 0) {
			webm->error = errno;
			return AVERROR(webm->error);
		}
		done += (int)written;
	}
	return length;
}

static int64_t seek(void *opaque, int64_t offset, int whence) {
	const struct webm *webm = opaque;
	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) {
		return AVERROR(EINVAL);
	}
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

/* Sets errno for a failed call of libavformat. */
static bool fail(const struct webm *webm, int averror) {
	errno = webm->error != 0 ? webm->error : averror == AVERROR(ENOMEM) ? ENOMEM : EIO;
	return false;
}

/* Reserves room on the disk for `more` bytes and the end of the file. True where the file system
 * can't: there only write() reports a full disk. */
static bool reserve(struct webm *webm, uint64_t more) {
	uint64_t wanted = webm->bytes + webm->frames * FRAME_OVERHEAD + FRAME_OVERHEAD + more +
			  RESERVE_FOR_END;
	if (!webm->seekable || wanted <= webm->reserved) {
		return true;
	}
	uint64_t to = wanted + RESERVE_STEP;
	int result = fallocate(webm->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)to);
	if (result != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
		to = wanted;
		result = fallocate(webm->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)to);
	}
	if (result != 0) {
		return errno != ENOSPC && errno != EDQUOT && errno != EFBIG;
	}
	webm->reserved = to;
	return true;
}

static bool open_output(struct webm *webm) {
	uint8_t *buffer = av_malloc(IO_BUFFER_SIZE);
	if (buffer == NULL) {
		return fail(webm, AVERROR(ENOMEM));
	}
	AVIOContext *io = avio_alloc_context(
		buffer, IO_BUFFER_SIZE, 1, webm, NULL, write_bytes, webm->seekable ? seek : NULL);
	if (io == NULL) {
		av_free(buffer);
		return fail(webm, AVERROR(ENOMEM));
	}
	int result = avformat_alloc_output_context2(&webm->context, NULL, "webm", NULL);
	if (result < 0) {
		av_freep(&io->buffer);
		avio_context_free(&io);
		return fail(webm, result);
	}
	webm->context->pb = io;
	webm->context->flags |= AVFMT_FLAG_CUSTOM_IO;
	return true;
}

static bool add_track(struct webm *webm, enum packet_codec codec, uint32_t width, uint32_t height) {
	AVStream *stream = avformat_new_stream(webm->context, NULL);
	if (stream == NULL) {
		return fail(webm, AVERROR(ENOMEM));
	}
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
	stream->time_base = (AVRational){1, 1000};
	stream->disposition = AV_DISPOSITION_DEFAULT;
	return true;
}

static bool write_header(struct webm *webm) {
	AVDictionary *options = NULL;
	int result = av_dict_set(
		&webm->context->metadata, "encoding_tool", "portlight " PORTLIGHT_VERSION, 0);
	if (result >= 0) {
		result = av_dict_set(&options, "cluster_time_limit", CLUSTER_TIME_LIMIT, 0);
	}
	if (result >= 0) {
		result = avformat_write_header(webm->context, &options);
	}
	av_dict_free(&options);
	if (result >= 0) {
		avio_flush(webm->context->pb);
		result = webm->context->pb->error;
	}
	return result >= 0 ? true : fail(webm, result);
}

bool webm_create(
	int fd, enum packet_codec codec, uint32_t width, uint32_t height, struct webm **webm) {
	struct webm *made = calloc(1, sizeof(*made));
	if (made == NULL) {
		(void)close(fd);
		errno = ENOMEM;
		return false;
	}
	made->fd = fd;
	look_at(made);
	made->held = av_packet_alloc();
	made->next = av_packet_alloc();
	if (made->held == NULL || made->next == NULL) {
		errno = ENOMEM;
		goto failed;
	}
	if (!reserve(made, 0) || !open_output(made) || !add_track(made, codec, width, height) ||
		!write_header(made)) {
		goto failed;
	}
	*webm = made;
	return true;

failed:;
	int error = errno;
	webm_destroy(made);
	errno = error;
	return false;
}

void webm_destroy(struct webm *webm) {
	if (webm == NULL) {
		return;
	}
	if (webm->context != NULL) {
		/* Without avio_close(), which would write what is buffered. */
		AVIOContext *io = webm->context->pb;
		avformat_free_context(webm->context);
		av_freep(&io->buffer);
		avio_context_free(&io);
	}
	av_packet_free(&webm->held);
	av_packet_free(&webm->next);
	bytes_finish(&webm->queue);
	close_fd(&webm->fd);
	free(webm);
}

/* Writes the held frame; it lasts until `until_ms` of the file's time. */
static bool write_held(struct webm *webm, int64_t until_ms) {
	if (webm->held->data == NULL) {
		return true;
	}
	webm->held->duration = until_ms - webm->held->pts;
	int result = av_write_frame(webm->context, webm->held);
	av_packet_unref(webm->held);
	return result >= 0 ? true : fail(webm, result);
}

/* The file's time for `us`, at least a millisecond after the held frame's. */
static int64_t file_time(const struct webm *webm, int64_t us) {
	int64_t ms = (us - webm->first_us + 500) / 1000;
	if (webm->held->data != NULL && ms <= webm->held->pts) {
		ms = webm->held->pts + 1;
	}
	return ms;
}

bool webm_write(struct webm *webm, const struct webm_frame *frame) {
	if (webm->error != 0) {
		errno = webm->error;
		return false;
	}
	if (!reserve(webm, frame->length)) {
		return false;
	}
	if (webm->frames == 0) {
		webm->first_us = frame->pts_us;
	}
	int result = av_new_packet(webm->next, (int)frame->length);
	if (result < 0) {
		return fail(webm, result);
	}
	memcpy(webm->next->data, frame->data, frame->length);
	webm->next->pts = file_time(webm, frame->pts_us);
	webm->next->dts = webm->next->pts;
	webm->next->flags = frame->key ? AV_PKT_FLAG_KEY : 0;
	if (!write_held(webm, webm->next->pts)) {
		int error = errno;
		av_packet_unref(webm->next);
		errno = error;
		return false;
	}
	av_packet_move_ref(webm->held, webm->next);
	webm->bytes += frame->length;
	webm->frames++;
	return true;
}

bool webm_flush(struct webm *webm) {
	/* A NULL packet makes the muxer write the cluster that it has in memory. */
	int result = av_write_frame(webm->context, NULL);
	if (result >= 0) {
		avio_flush(webm->context->pb);
		result = webm->context->pb->error;
	}
	return result >= 0 ? true : fail(webm, result);
}

bool webm_finish(struct webm *webm, int64_t end_us) {
	bool ok = write_held(webm, file_time(webm, end_us));
	int error = ok ? 0 : errno;
	int result = av_write_trailer(webm->context);
	if (ok && result < 0) {
		ok = fail(webm, result);
		error = errno;
	}
	if (webm->reserved > 0) {
		off_t length = lseek(webm->fd, 0, SEEK_END);
		if (length >= 0 && ftruncate(webm->fd, length) != 0 && ok) {
			ok = false;
			error = errno;
		}
	}
	if (!webm->queued && close(steal_fd(&webm->fd)) != 0 && ok) {
		ok = false;
		error = errno;
	}
	errno = error;
	return ok;
}

size_t webm_undrained(const struct webm *webm) {
	return webm->queue.length - webm->drained;
}

int webm_fd(const struct webm *webm) {
	return webm->fd;
}

bool webm_drain(struct webm *webm) {
	size_t length = webm_undrained(webm);
	ssize_t written = write(
		webm->fd, webm->queue.data + webm->drained, length < PIPE_BUF ? length : PIPE_BUF);
	if (written < 0 && errno != EINTR && errno != EAGAIN) {
		webm->error = errno;
		webm->drained = webm->queue.length;
	} else if (written > 0) {
		webm->drained += (size_t)written;
	}
	if (webm_undrained(webm) == 0) {
		webm->queue.length = 0;
		webm->drained = 0;
	}
	errno = webm->error;
	return webm->error == 0;
}

uint64_t webm_bytes(const struct webm *webm) {
	return webm->bytes;
}

uint64_t webm_frames(const struct webm *webm) {
	return webm->frames;
}
