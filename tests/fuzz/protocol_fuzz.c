/* Any text: protocol_parse() takes it within its bounds, or refuses it with a code and a detail
 * that is UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "wire/protocol.h"
#include "wire/text.h"

static bool side_valid(uint32_t side) {
	return side == 0 || (side >= 2 && side <= PACKET_SIDE_MAX);
}

static void check_region(const struct packet_region *region) {
	bool whole = region->x == 0 && region->y == 0 && region->width == 0 && region->height == 0;
	if (!whole && (region->x > PACKET_SIDE_MAX || region->y > PACKET_SIDE_MAX ||
			      region->width < 2 || !side_valid(region->width) ||
			      region->height < 2 || !side_valid(region->height))) {
		abort();
	}
}

static void check_configure(const struct protocol_configure *configure) {
	bool fps_kept = configure->max_fps == PROTOCOL_KEEP;
	bool kbps_kept = configure->max_kbps == PROTOCOL_KEEP;
	bool width_kept = configure->max_width == PROTOCOL_KEEP;
	bool height_kept = configure->max_height == PROTOCOL_KEEP;
	check_region(&configure->region);
	if ((fps_kept && kbps_kept && width_kept && height_kept && configure->region_keeps) ||
		(!fps_kept && (configure->max_fps < 1 || configure->max_fps > PACKET_FPS_MAX)) ||
		(!kbps_kept && (configure->max_kbps < PACKET_KBPS_MIN ||
				       configure->max_kbps > PACKET_KBPS_MAX)) ||
		(!width_kept && !side_valid(configure->max_width)) ||
		(!height_kept && !side_valid(configure->max_height))) {
		abort();
	}
}

static void check_open(const struct packet_open *open) {
	check_region(&open->region);
	if (open->codec < PACKET_CODEC_VP8 || open->codec > PACKET_CODEC_AUTO ||
		open->max_fps < 1 || open->max_fps > PACKET_FPS_MAX ||
		open->max_kbps < PACKET_KBPS_MIN || open->max_kbps > PACKET_KBPS_MAX ||
		open->credit > PACKET_CREDIT_MAX || !side_valid(open->max_width) ||
		!side_valid(open->max_height) || open->cursor > PACKET_CURSOR_SEND ||
		(open->fidelity != PACKET_FIDELITY_MOTION && open->codec != PACKET_CODEC_VP9)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct protocol_message message;
	struct protocol_error error;
	if (!protocol_parse(data, size, &message, &error)) {
		struct protocol_error clean = error;
		text_clean(clean.detail);
		if (error.code <= ERROR_NONE || error.code >= ERROR_COUNT ||
			error.id > PROTOCOL_ID_MAX || strcmp(clean.detail, error.detail) != 0) {
			abort();
		}
		struct bytes out = {0};
		if (!protocol_write_error(&out, error.id, error.code, error.detail)) {
			abort();
		}
		bytes_finish(&out);
		return 0;
	}
	if (protocol_is_request(message.type) != (message.id != 0) ||
		message.id > PROTOCOL_ID_MAX) {
		abort();
	}
	if (message.type == PROTOCOL_OPEN) {
		check_open(&message.open);
	} else if (message.type == PROTOCOL_CONFIGURE) {
		check_configure(&message.configure);
	}
	return 0;
}
