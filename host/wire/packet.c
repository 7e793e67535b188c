#include "wire/packet.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

#define PTS_MAX ((INT64_C(1) << 53) - 1)

static bool in_range(uint32_t value, uint32_t low, uint32_t high) {
	return value >= low && value <= high;
}

static bool codec_valid(enum packet_codec codec) {
	return codec == PACKET_CODEC_VP8 || codec == PACKET_CODEC_VP9;
}

static bool size_valid(uint32_t width, uint32_t height) {
	return in_range(width, 2, PACKET_SIDE_MAX) && in_range(height, 2, PACKET_SIDE_MAX);
}

static bool bound_valid(uint32_t side) {
	return side == 0 || in_range(side, 2, PACKET_SIDE_MAX);
}

static bool region_valid(const struct packet_region *region) {
	bool whole = region->x == 0 && region->y == 0 && region->width == 0 && region->height == 0;
	return whole || (region->x <= PACKET_SIDE_MAX && region->y <= PACKET_SIDE_MAX &&
				size_valid(region->width, region->height));
}

static bool set_valid(const struct packet_set *set) {
	return in_range(set->max_fps, 1, PACKET_FPS_MAX) &&
	       in_range(set->max_kbps, PACKET_KBPS_MIN, PACKET_KBPS_MAX) &&
	       bound_valid(set->max_width) && bound_valid(set->max_height) &&
	       region_valid(&set->region);
}

static bool open_valid(const struct packet_open *open) {
	const struct packet_set set = {
		open->max_fps, open->max_kbps, open->max_width, open->max_height, open->region};
	return (codec_valid(open->codec) || open->codec == PACKET_CODEC_AUTO) && set_valid(&set) &&
	       open->credit <= PACKET_CREDIT_MAX &&
	       (open->fidelity == PACKET_FIDELITY_MOTION ||
		       (open->fidelity == PACKET_FIDELITY_TEXT &&
			       open->codec == PACKET_CODEC_VP9)) &&
	       open->cursor <= PACKET_CURSOR_SEND;
}

static bool ready_valid(const struct packet_ready *ready) {
	return codec_valid(ready->codec) && size_valid(ready->width, ready->height) &&
	       in_range(ready->full_width, ready->width, PACKET_SIDE_MAX) &&
	       in_range(ready->full_height, ready->height, PACKET_SIDE_MAX) &&
	       (ready->chroma == PACKET_CHROMA_420 ||
		       (ready->chroma == PACKET_CHROMA_444 && ready->codec == PACKET_CODEC_VP9));
}

static bool frame_valid(const struct packet_frame *frame) {
	return in_range(frame->parts, 1, PACKET_PARTS_MAX) && frame->part < frame->parts &&
	       codec_valid(frame->codec) && size_valid(frame->width, frame->height) &&
	       frame->pts_us >= 0 && frame->pts_us <= PTS_MAX &&
	       in_range(frame->payload_length, 1, PACKET_PAYLOAD_MAX);
}

static bool position_valid(int32_t position) {
	return position >= -(int32_t)PACKET_SIDE_MAX && position <= (int32_t)PACKET_SIDE_MAX;
}

static bool cursor_valid(const struct packet_cursor *cursor) {
	return position_valid(cursor->x) && position_valid(cursor->y) &&
	       cursor->width <= PACKET_CURSOR_SIDE_MAX &&
	       cursor->height <= PACKET_CURSOR_SIDE_MAX &&
	       (cursor->width == 0) == (cursor->height == 0) && cursor->hot_x <= cursor->width &&
	       cursor->hot_y <= cursor->height;
}

/* False for an unknown type too. */
static bool packet_valid(const struct packet *packet) {
	switch (packet->type) {
	case PACKET_OPEN:
		return open_valid(&packet->open);
	case PACKET_CREDIT:
		return in_range(packet->credit.frames, 1, PACKET_CREDIT_MAX);
	case PACKET_KEYFRAME:
		return true;
	case PACKET_SET:
		return set_valid(&packet->set);
	case PACKET_READY:
		return ready_valid(&packet->ready);
	case PACKET_FRAME:
		return frame_valid(&packet->frame);
	case PACKET_ENDED:
		return in_range(packet->ended.code, ERROR_NONE + 1, ERROR_COUNT - 1);
	case PACKET_CURSOR:
		return cursor_valid(&packet->cursor);
	}
	return false;
}

/* One integer or bool of a packet. */
struct field {
	uint8_t wire_size;
	uint8_t size; /* in struct packet; 1 is a bool */
	uint16_t offset;
};

/* Versions of clang-format disagree about braces in macros. */
/* clang-format off */
#define FIELD(wire_size, member) \
	{wire_size, sizeof(((struct packet *)NULL)->member), offsetof(struct packet, member)}
/* clang-format on */
#define FIELDS_MAX 13

/* The integers of each packet, in order, after its type and a zero byte, and OPEN's version. */
static const struct field layouts[][FIELDS_MAX] = {
	[PACKET_OPEN] = {FIELD(4, open.node_id), FIELD(1, open.codec), FIELD(2, open.max_fps),
		FIELD(4, open.max_kbps), FIELD(2, open.credit), FIELD(4, open.max_width),
		FIELD(4, open.max_height), FIELD(1, open.fidelity), FIELD(1, open.cursor),
		FIELD(4, open.region.x), FIELD(4, open.region.y), FIELD(4, open.region.width),
		FIELD(4, open.region.height)},
	[PACKET_CREDIT] = {FIELD(2, credit.frames)},
	[PACKET_KEYFRAME] = {{0}},
	[PACKET_SET] = {FIELD(2, set.max_fps), FIELD(4, set.max_kbps), FIELD(4, set.max_width),
		FIELD(4, set.max_height), FIELD(4, set.region.x), FIELD(4, set.region.y),
		FIELD(4, set.region.width), FIELD(4, set.region.height)},
	[PACKET_READY] = {FIELD(1, ready.codec), FIELD(4, ready.width), FIELD(4, ready.height),
		FIELD(4, ready.full_width), FIELD(4, ready.full_height), FIELD(1, ready.chroma)},
	[PACKET_FRAME] = {FIELD(4, frame.sequence), FIELD(2, frame.part), FIELD(2, frame.parts),
		FIELD(1, frame.key), FIELD(1, frame.codec), FIELD(4, frame.width),
		FIELD(4, frame.height), FIELD(8, frame.pts_us)},
	[PACKET_ENDED] = {FIELD(2, ended.code)},
	[PACKET_CURSOR] = {FIELD(1, cursor.visible), FIELD(4, cursor.x), FIELD(4, cursor.y),
		FIELD(2, cursor.width), FIELD(2, cursor.height), FIELD(2, cursor.hot_x),
		FIELD(2, cursor.hot_y)},
};

static uint64_t load(const void *at, size_t size) {
	switch (size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

static void store(void *at, size_t size, uint64_t value) {
	switch (size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(uint64_t *)at = value;
	}
}

/* What follows the integers. */
static bool parse_rest(struct reader *reader, struct packet *packet) {
	size_t length = 0;
	const uint8_t *detail = NULL;
	switch (packet->type) {
	case PACKET_FRAME:
		length = reader_left(reader);
		packet->frame.payload_length = (uint32_t)length;
		packet->frame.payload = reader_bytes(reader, length);
		return length <= PACKET_PAYLOAD_MAX;
	case PACKET_CURSOR:
		length = packet_cursor_length(&packet->cursor);
		packet->cursor.rgba = reader_bytes(reader, length);
		return true;
	case PACKET_ENDED:
		length = reader_integer(reader, 2);
		detail = reader_bytes(reader, length);
		if (detail == NULL || length > PACKET_DETAIL_MAX ||
			memchr(detail, '\0', length) != NULL) {
			return false;
		}
		memcpy(packet->ended.detail, detail, length);
		packet->ended.detail[length] = '\0';
		return true;
	default:
		return true;
	}
}

bool packet_parse(const void *data, size_t length, struct packet *packet) {
	struct reader reader;
	reader_init(&reader, data, length);
	size_t type = reader_integer(&reader, 1);
	bool valid = reader_integer(&reader, 1) == 0 && type < sizeof(layouts) / sizeof(layouts[0]);
	const struct field *fields = layouts[valid ? type : 0];
	packet->type = (enum packet_type)type;
	valid = valid && (type != PACKET_OPEN || reader_integer(&reader, 2) == PACKET_VERSION);
	for (size_t i = 0; i < FIELDS_MAX && fields[i].wire_size > 0; i++) {
		uint64_t value = reader_integer(&reader, fields[i].wire_size);
		valid = valid && (fields[i].size != sizeof(bool) || value <= 1);
		store((uint8_t *)packet + fields[i].offset, fields[i].size, valid ? value : 0);
	}
	return valid && parse_rest(&reader, packet) && reader.ok && reader_left(&reader) == 0 &&
	       packet_valid(packet);
}

size_t packet_write(const struct packet *packet, uint8_t *out) {
	assert(packet_valid(packet));
	uint8_t *at = out;
	*at++ = (uint8_t)packet->type;
	*at++ = 0;
	if (packet->type == PACKET_OPEN) {
		bytes_put(at, PACKET_VERSION, 2);
		at += 2;
	}
	const struct field *fields = layouts[packet->type];
	for (size_t i = 0; i < FIELDS_MAX && fields[i].wire_size > 0; i++) {
		bytes_put(at, load((const uint8_t *)packet + fields[i].offset, fields[i].size),
			fields[i].wire_size);
		at += fields[i].wire_size;
	}
	if (packet->type == PACKET_ENDED) {
		size_t length = strnlen(packet->ended.detail, PACKET_DETAIL_MAX);
		bytes_put(at, length, 2);
		memcpy(at + 2, packet->ended.detail, length);
		at += 2 + length;
	}
	return (size_t)(at - out);
}

static_assert(2 + 29 + PACKET_PAYLOAD_MAX <= PACKET_SIZE_MAX, "a full FRAME fits");
static_assert(PACKET_CURSOR_SIDE_MAX * PACKET_CURSOR_SIDE_MAX * 4 <= PACKET_PAYLOAD_MAX,
	"a full CURSOR's bitmap fits where a FRAME's payload does");
static_assert(2 + 4 + PACKET_DETAIL_MAX <= PACKET_SIZE_MAX, "an ENDED fits");
