/*
 * A real-time video encoder: a picture that goes in comes out at once, as one frame or none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/convert.h"
#include "picture/damage.h"
#include "wire/packet.h"

struct encoder;

struct encoder_config {
	enum packet_chroma chroma; /* of all pictures; 4:4:4 only with VP9 */
	uint32_t fps;              /* pictures a second at most */
	uint32_t kbps;             /* target, at `fps` */
	uint32_t cores;            /* how many the encoder may run on, at least 1 */
};

/* How a picture is to be encoded. */
struct encoder_wish {
	enum packet_codec codec; /* VP8 or VP9; another one than before begins with a keyframe */
	bool key;                /* as a keyframe in any case */
	bool moving;             /* moving pictures are what changes, see capture/content.h */
	uint32_t way; /* rows by which what moved is not where it is looked for first, see
			 capture/scroll.h; 0: not many */
	bool hurried; /* fast rather than well */
	bool coarse;  /* in as few bytes as can be */
};

struct encoder_frame {
	const uint8_t *data; /* lent until the next call on the encoder */
	size_t length;       /* 0: rate control left the picture out; it has to be encoded again */
	bool key;
	bool settled; /* the picture is as good as this encoder makes it; encoding it again gains
			 nothing */
};

struct encoder_impl {
	bool (*encode)(struct encoder *encoder, const struct picture *picture,
		const struct damage *damage, const struct encoder_wish *wish,
		struct encoder_frame *frame);
	void (*set_rate)(struct encoder *encoder, uint32_t fps, uint32_t kbps);
	const char *(*error)(const struct encoder *encoder);
	void (*destroy)(struct encoder *encoder);
};

/* The first member of every implementation. */
struct encoder {
	const struct encoder_impl *impl;
};

/*
 * Encodes `picture`, of which `damage` differs from the last one that was encoded (empty: it is the
 * same, and only its quality is to rise). The first frame, and the first of a new size or codec, is
 * a keyframe. False when the encoder failed; it is of no further use then.
 */
static inline bool encoder_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame) {
	return encoder->impl->encode(encoder, picture, damage, wish, frame);
}

/* From the next picture on; see encoder_config. */
static inline void encoder_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps) {
	encoder->impl->set_rate(encoder, fps, kbps);
}

/* Why the last encoder_encode() failed; static or owned by the encoder. */
static inline const char *encoder_error(const struct encoder *encoder) {
	return encoder->impl->error(encoder);
}

static inline void encoder_destroy(struct encoder *encoder) {
	if (encoder != NULL) {
		encoder->impl->destroy(encoder);
	}
}

/* VP8 and VP9 by libvpx, tuned for screens. NULL when memory ran out. */
struct encoder *encoder_vpx_create(const struct encoder_config *config);
