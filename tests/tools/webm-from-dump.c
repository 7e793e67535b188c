/*
 * Muxes the frames of one share, as portlight-host sent them to the browser, into a WebM file:
 *
 *	webm-from-dump [--share N] DUMP OUT.webm
 *
 * DUMP holds the bytes of the host's standard output (tests/tools/host-tap writes one). Without
 * --share it is the first share that has a frame. A dump that breaks off within a message is taken
 * up to there, and one whose codec changes up to that. What the file holds is printed as one line
 * of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "record/webm.h"
#include "wire/framing.h"

/* How long the last frame is shown. */
#define LAST_FRAME_US 40000

struct muxer {
	const char *path;
	int64_t share; /* -1: the first one */
	struct webm *webm;
	struct bytes frame;
	int64_t next_part;
	int64_t seq; /* of the frame that is coming in */
	bool key;
	int64_t width;
	int64_t height;
	int64_t pts_us;
	int64_t first_us;
	int64_t last_us;
	int64_t keys;
	uint64_t frames;
	uint64_t bytes;
	enum packet_codec codec;
	bool over; /* the codec changed, and a track has one */
};

static int64_t integer(struct json_object *message, const char *name) {
	struct json_object *value = NULL;
	return json_object_object_get_ex(message, name, &value) &&
			       json_object_is_type(value, json_type_int)
		       ? json_object_get_int64(value)
		       : -1;
}

static const char *string(struct json_object *message, const char *name) {
	struct json_object *value = NULL;
	return json_object_object_get_ex(message, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

/* A keyframe of VP8 has a start code, one of VP9 a frame marker and a sync code. */
static bool find_codec(const struct bytes *frame, enum packet_codec *codec) {
	const uint8_t *data = frame->data;
	if (frame->length >= 6 && memcmp(data + 3, "\x9d\x01\x2a", 3) == 0) {
		*codec = PACKET_CODEC_VP8;
		return true;
	}
	if (frame->length >= 4 && data[0] >> 6 == 2 && memcmp(data + 1, "\x49\x83\x42", 3) == 0) {
		*codec = PACKET_CODEC_VP9;
		return true;
	}
	return false;
}

static bool start(struct muxer *muxer) {
	if (!muxer->key || !find_codec(&muxer->frame, &muxer->codec)) {
		(void)fprintf(stderr, "webm-from-dump: the first frame is no keyframe\n");
		return false;
	}
	int fd = open(muxer->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || !webm_create(fd, muxer->codec, (uint32_t)muxer->width,
			      (uint32_t)muxer->height, &muxer->webm)) {
		(void)fprintf(stderr, "webm-from-dump: %s: %s\n", muxer->path, g_strerror(errno));
		return false;
	}
	muxer->first_us = muxer->pts_us;
	return true;
}

static bool write_frame(struct muxer *muxer) {
	if (muxer->webm == NULL && !start(muxer)) {
		return false;
	}
	enum packet_codec codec = muxer->codec;
	muxer->over = muxer->over ||
		      (muxer->key && find_codec(&muxer->frame, &codec) && codec != muxer->codec);
	if (muxer->over) {
		return true;
	}
	const struct webm_frame frame = {
		.data = muxer->frame.data,
		.length = muxer->frame.length,
		.key = muxer->key,
		.pts_us = muxer->pts_us,
	};
	if (!webm_write(muxer->webm, &frame)) {
		(void)fprintf(stderr, "webm-from-dump: %s: %s\n", muxer->path, g_strerror(errno));
		return false;
	}
	muxer->last_us = muxer->pts_us;
	muxer->keys += muxer->key;
	muxer->frames++;
	muxer->bytes += muxer->frame.length;
	return true;
}

static bool take_fragment(struct muxer *muxer, struct json_object *message) {
	int64_t share = integer(message, "share");
	int64_t part = integer(message, "part");
	int64_t parts = integer(message, "parts");
	int64_t seq = integer(message, "seq");
	if (muxer->share < 0) {
		muxer->share = share;
	}
	if (share != muxer->share) {
		return true;
	}
	if (part == 0) {
		struct json_object *key = NULL;
		muxer->key = json_object_object_get_ex(message, "key", &key) &&
			     json_object_get_boolean(key);
		muxer->width = integer(message, "width");
		muxer->height = integer(message, "height");
		muxer->pts_us = integer(message, "pts");
		muxer->frame.length = 0;
		muxer->next_part = 0;
		muxer->seq = seq;
	}
	if (part != muxer->next_part || seq != muxer->seq) {
		(void)fprintf(
			stderr, "webm-from-dump: frame %" G_GINT64_FORMAT " lacks a part\n", seq);
		return false;
	}
	muxer->next_part++;
	gsize length = 0;
	g_autofree guchar *data = g_base64_decode(string(message, "data"), &length);
	if (!bytes_append(&muxer->frame, data, length)) {
		return false;
	}
	return muxer->next_part < parts || write_frame(muxer);
}

static bool take_message(struct muxer *muxer, const uint8_t *text, size_t length) {
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *message =
		json_tokener_parse_ex(tokener, (const char *)text, (int)length);
	bool ok = message != NULL;
	if (!ok) {
		(void)fprintf(stderr, "webm-from-dump: a message is not JSON\n");
	} else if (strcmp(string(message, "type"), "frame") == 0) {
		ok = take_fragment(muxer, message);
	}
	json_object_put(message);
	json_tokener_free(tokener);
	return ok;
}

/* Feeds the dump through the framing. False after telling what is wrong with it. */
static bool read_dump(struct muxer *muxer, const char *path) {
	g_autofree char *dump = NULL;
	gsize size = 0;
	g_autoptr(GError) unread = NULL;
	if (!g_file_get_contents(path, &dump, &size, &unread)) {
		(void)fprintf(stderr, "webm-from-dump: %s\n", unread->message);
		return false;
	}
	struct framing framing = {0};
	bool ok = framing_feed(&framing, dump, size);
	const uint8_t *message = NULL;
	size_t length = 0;
	enum error_code error = ERROR_NONE;
	enum framing_status status = FRAMING_MESSAGE;
	while (ok &&
		(status = framing_next(&framing, &message, &length, &error)) == FRAMING_MESSAGE) {
		ok = take_message(muxer, message, length);
	}
	if (ok && status == FRAMING_BROKEN) {
		(void)fprintf(stderr, "webm-from-dump: %s\n", error_message(error));
		ok = false;
	}
	if (ok && framing_end(&framing) != ERROR_NONE) {
		(void)fprintf(stderr, "webm-from-dump: the dump breaks off within a message\n");
	}
	framing_finish(&framing);
	return ok;
}

int main(int argc, char **argv) {
	struct muxer muxer = {.share = -1};
	if (argc > 2 && strcmp(argv[1], "--share") == 0) {
		char *end = NULL;
		muxer.share = strtol(argv[2], &end, 10);
		argv += *end == '\0' ? 2 : 0;
		argc -= *end == '\0' ? 2 : 0;
	}
	if (argc != 3 || argv[1][0] == '-') {
		(void)fprintf(stderr, "usage: webm-from-dump [--share N] DUMP OUT.webm\n");
		return 2;
	}
	muxer.path = argv[2];
	bool ok = read_dump(&muxer, argv[1]);
	if (ok && muxer.webm == NULL) {
		(void)fprintf(stderr, "webm-from-dump: there is no frame in %s\n", argv[1]);
		ok = false;
	}
	if (ok) {
		(void)printf("{\"share\": %" G_GINT64_FORMAT
			     ", \"codec\": \"%s\", \"frames\": %" G_GUINT64_FORMAT
			     ", \"keyframes\": %" G_GINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT
			     ", \"durationMs\": %" G_GINT64_FORMAT "}\n",
			muxer.share, muxer.codec == PACKET_CODEC_VP8 ? "vp8" : "vp9", muxer.frames,
			muxer.keys, muxer.bytes,
			(muxer.last_us - muxer.first_us + LAST_FRAME_US) / 1000);
	}
	if (muxer.webm != NULL && !webm_finish(muxer.webm, muxer.last_us + LAST_FRAME_US)) {
		(void)fprintf(stderr, "webm-from-dump: %s: %s\n", muxer.path, g_strerror(errno));
		ok = false;
	}
	webm_destroy(muxer.webm);
	bytes_finish(&muxer.frame);
	return ok ? 0 : 1;
}
