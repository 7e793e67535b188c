#include "wire/packet.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* Type and the zero byte after it. */
#define HEADER_SIZE 2u
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

static void parse_region(struct reader *reader, struct packet_region *region) {
	region->x = reader_u32(reader);
	region->y = reader_u32(reader);
	region->width = reader_u32(reader);
	region->height = reader_u32(reader);
}

static bool parse_open(struct reader *reader, struct packet_open *open) {
	if (reader_u16(reader) != PACKET_VERSION) {
		return false;
	}
	open->node_id = reader_u32(reader);
	open->codec = (enum packet_codec)reader_u8(reader);
	open->max_fps = reader_u16(reader);
	open->max_kbps = reader_u32(reader);
	open->credit = reader_u16(reader);
	open->max_width = reader_u32(reader);
	open->max_height = reader_u32(reader);
	open->fidelity = (enum packet_fidelity)reader_u8(reader);
	open->cursor = (enum packet_cursor_mode)reader_u8(reader);
	parse_region(reader, &open->region);
	return open_valid(open);
}

static bool parse_set(struct reader *reader, struct packet_set *set) {
	set->max_fps = reader_u16(reader);
	set->max_kbps = reader_u32(reader);
	set->max_width = reader_u32(reader);
	set->max_height = reader_u32(reader);
	parse_region(reader, &set->region);
	return set_valid(set);
}

static bool parse_ready(struct reader *reader, struct packet_ready *ready) {
	ready->codec = (enum packet_codec)reader_u8(reader);
	ready->width = reader_u32(reader);
	ready->height = reader_u32(reader);
	ready->full_width = reader_u32(reader);
	ready->full_height = reader_u32(reader);
	ready->chroma = (enum packet_chroma)reader_u8(reader);
	return ready_valid(ready);
}

static bool parse_cursor(struct reader *reader, struct packet_cursor *cursor) {
	uint8_t visible = reader_u8(reader);
	cursor->visible = visible == 1;
	cursor->x = (int32_t)reader_u32(reader);
	cursor->y = (int32_t)reader_u32(reader);
	cursor->width = reader_u16(reader);
	cursor->height = reader_u16(reader);
	cursor->hot_x = reader_u16(reader);
	cursor->hot_y = reader_u16(reader);
	if (visible > 1 || !cursor_valid(cursor)) {
		return false;
	}
	cursor->rgba = reader_bytes(reader, packet_cursor_length(cursor));
	return cursor->rgba != NULL;
}

static bool parse_frame(struct reader *reader, struct packet_frame *frame) {
	frame->sequence = reader_u32(reader);
	frame->part = reader_u16(reader);
	frame->parts = reader_u16(reader);
	uint8_t key = reader_u8(reader);
	frame->key = key == 1;
	frame->codec = (enum packet_codec)reader_u8(reader);
	frame->width = reader_u32(reader);
	frame->height = reader_u32(reader);
	frame->pts_us = (int64_t)reader_u64(reader);
	size_t left = reader_left(reader);
	if (left > PACKET_PAYLOAD_MAX) {
		return false;
	}
	frame->payload_length = (uint32_t)left;
	frame->payload = reader_bytes(reader, left);
	return key <= 1 && frame_valid(frame);
}

static bool parse_ended(struct reader *reader, struct packet_ended *ended) {
	uint16_t code = reader_u16(reader);
	uint16_t length = reader_u16(reader);
	const uint8_t *detail = reader_bytes(reader, length);
	if (detail == NULL || code == ERROR_NONE || code >= ERROR_COUNT ||
		length > PACKET_DETAIL_MAX || memchr(detail, '\0', length) != NULL) {
		return false;
	}
	ended->code = (enum error_code)code;
	memcpy(ended->detail, detail, length);
	ended->detail[length] = '\0';
	return true;
}

bool packet_parse(const void *data, size_t length, struct packet *packet) {
	struct reader reader;
	reader_init(&reader, data, length);
	packet->type = (enum packet_type)reader_u8(&reader);
	if (reader_u8(&reader) != 0 || !reader.ok) {
		return false;
	}
	bool valid = false;
	switch (packet->type) {
	case PACKET_OPEN:
		valid = parse_open(&reader, &packet->open);
		break;
	case PACKET_CREDIT:
		packet->credit.frames = reader_u16(&reader);
		valid = in_range(packet->credit.frames, 1, PACKET_CREDIT_MAX);
		break;
	case PACKET_KEYFRAME:
		valid = true;
		break;
	case PACKET_SET:
		valid = parse_set(&reader, &packet->set);
		break;
	case PACKET_READY:
		valid = parse_ready(&reader, &packet->ready);
		break;
	case PACKET_FRAME:
		valid = parse_frame(&reader, &packet->frame);
		break;
	case PACKET_ENDED:
		valid = parse_ended(&reader, &packet->ended);
		break;
	case PACKET_CURSOR:
		valid = parse_cursor(&reader, &packet->cursor);
		break;
	}
	return valid && reader.ok && reader_left(&reader) == 0;
}

static uint8_t *put_u8(uint8_t *at, uint8_t value) {
	*at = value;
	return at + 1;
}

static uint8_t *put_u16(uint8_t *at, uint16_t value) {
	bytes_put_u16(at, value);
	return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value) {
	bytes_put_u32(at, value);
	return at + 4;
}

static uint8_t *write_region(const struct packet_region *region, uint8_t *at) {
	at = put_u32(at, region->x);
	at = put_u32(at, region->y);
	at = put_u32(at, region->width);
	return put_u32(at, region->height);
}

static uint8_t *write_open(const struct packet_open *open, uint8_t *at) {
	assert(open_valid(open));
	at = put_u16(at, PACKET_VERSION);
	at = put_u32(at, open->node_id);
	at = put_u8(at, (uint8_t)open->codec);
	at = put_u16(at, open->max_fps);
	at = put_u32(at, open->max_kbps);
	at = put_u16(at, open->credit);
	at = put_u32(at, open->max_width);
	at = put_u32(at, open->max_height);
	at = put_u8(at, (uint8_t)open->fidelity);
	at = put_u8(at, (uint8_t)open->cursor);
	return write_region(&open->region, at);
}

static uint8_t *write_set(const struct packet_set *set, uint8_t *at) {
	assert(set_valid(set));
	at = put_u16(at, set->max_fps);
	at = put_u32(at, set->max_kbps);
	at = put_u32(at, set->max_width);
	at = put_u32(at, set->max_height);
	return write_region(&set->region, at);
}

static uint8_t *write_ready(const struct packet_ready *ready, uint8_t *at) {
	assert(ready_valid(ready));
	at = put_u8(at, (uint8_t)ready->codec);
	at = put_u32(at, ready->width);
	at = put_u32(at, ready->height);
	at = put_u32(at, ready->full_width);
	at = put_u32(at, ready->full_height);
	return put_u8(at, (uint8_t)ready->chroma);
}

static uint8_t *write_cursor(const struct packet_cursor *cursor, uint8_t *at) {
	assert(cursor_valid(cursor));
	at = put_u8(at, cursor->visible ? 1 : 0);
	at = put_u32(at, (uint32_t)cursor->x);
	at = put_u32(at, (uint32_t)cursor->y);
	at = put_u16(at, cursor->width);
	at = put_u16(at, cursor->height);
	at = put_u16(at, cursor->hot_x);
	return put_u16(at, cursor->hot_y);
}

static uint8_t *write_frame(const struct packet_frame *frame, uint8_t *at) {
	assert(frame_valid(frame));
	at = put_u32(at, frame->sequence);
	at = put_u16(at, frame->part);
	at = put_u16(at, frame->parts);
	at = put_u8(at, frame->key ? 1 : 0);
	at = put_u8(at, (uint8_t)frame->codec);
	at = put_u32(at, frame->width);
	at = put_u32(at, frame->height);
	bytes_put_u64(at, (uint64_t)frame->pts_us);
	return at + 8;
}

static uint8_t *write_ended(const struct packet_ended *ended, uint8_t *at) {
	size_t length = strnlen(ended->detail, PACKET_DETAIL_MAX);
	assert(ended->code > ERROR_NONE && ended->code < ERROR_COUNT);
	at = put_u16(at, (uint16_t)ended->code);
	at = put_u16(at, (uint16_t)length);
	memcpy(at, ended->detail, length);
	return at + length;
}

size_t packet_write(const struct packet *packet, uint8_t *out) {
	uint8_t *at = put_u8(out, (uint8_t)packet->type);
	at = put_u8(at, 0);
	switch (packet->type) {
	case PACKET_OPEN:
		at = write_open(&packet->open, at);
		break;
	case PACKET_CREDIT:
		assert(in_range(packet->credit.frames, 1, PACKET_CREDIT_MAX));
		at = put_u16(at, packet->credit.frames);
		break;
	case PACKET_KEYFRAME:
		break;
	case PACKET_SET:
		at = write_set(&packet->set, at);
		break;
	case PACKET_READY:
		at = write_ready(&packet->ready, at);
		break;
	case PACKET_FRAME:
		at = write_frame(&packet->frame, at);
		break;
	case PACKET_ENDED:
		at = write_ended(&packet->ended, at);
		break;
	case PACKET_CURSOR:
		at = write_cursor(&packet->cursor, at);
		break;
	}
	return (size_t)(at - out);
}

static_assert(HEADER_SIZE + 29 + PACKET_PAYLOAD_MAX <= PACKET_SIZE_MAX, "a full FRAME fits");
static_assert(PACKET_CURSOR_SIDE_MAX * PACKET_CURSOR_SIDE_MAX * 4 <= PACKET_PAYLOAD_MAX,
	"a full CURSOR's bitmap fits where a FRAME's payload does");
static_assert(HEADER_SIZE + 4 + PACKET_DETAIL_MAX <= PACKET_SIZE_MAX, "an ENDED fits");
