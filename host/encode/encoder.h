/*
 * A real-time video encoder for screens: VP8 and VP9 by libvpx. Each picture gives one frame at
 * once, or none.
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
	uint32_t cores;            /* how many the encoder may use, at least 1 */
};

/* How to encode a picture. */
struct encoder_wish {
	enum packet_codec codec; /* VP8 or VP9; a change starts with a keyframe */
	bool key;                /* force a keyframe */
	bool moving;             /* moving pictures change, not text, see capture/motion.h */
	uint32_t way;            /* rows between where moved text came from and where libvpx looks
				    first, see capture/scroll.h; 0: few */
	bool hurried;            /* speed over quality */
	bool coarse;             /* as few bytes as possible */
};

struct encoder_frame {
	const uint8_t *data; /* lent until the next call on the encoder */
	size_t length;       /* 0: rate control dropped the picture; encode it again */
	bool key;
	bool settled; /* encoding the picture again would not improve it */
};

/* NULL when out of memory. */
struct encoder *encoder_create(const struct encoder_config *config);
/* NULL is fine. */
void encoder_destroy(struct encoder *encoder);

/*
 * Encodes `picture`, which differs from the last one where `damage` says; without damage only its
 * quality is to rise. The first frame, and the first of a new size or codec, is a keyframe. False
 * when encoding failed; only encoder_error() and encoder_destroy() may follow.
 */
bool encoder_encode(struct encoder *encoder, const struct picture *picture,
	const struct damage *damage, const struct encoder_wish *wish, struct encoder_frame *frame);

/* From the next picture on; see encoder_config. */
void encoder_set_rate(struct encoder *encoder, uint32_t fps, uint32_t kbps);

/* Why encoder_encode() failed; a static string. */
const char *encoder_error(const struct encoder *encoder);
