#include "unit.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/packet.h"

static const uint8_t payload[3] = {9, 8, 7};
static const uint8_t bitmap[2 * 3 * 4] = {1, 2, 3, 4, 5};

static const struct packet samples[] = {
	{.type = PACKET_OPEN,
		.open = {.node_id = 0xfffffffe,
			.codec = PACKET_CODEC_VP9,
			.max_fps = PACKET_FPS_MAX,
			.max_kbps = PACKET_KBPS_MAX,
			.credit = PACKET_CREDIT_MAX,
			.max_width = PACKET_SIDE_MAX,
			.max_height = 2,
			.fidelity = PACKET_FIDELITY_TEXT,
			.cursor = PACKET_CURSOR_SEND,
			.region = {1, PACKET_SIDE_MAX, 2, PACKET_SIDE_MAX}}},
	{.type = PACKET_CREDIT, .credit = {.frames = 3}},
	{.type = PACKET_KEYFRAME},
	{.type = PACKET_READY,
		.ready = {.codec = PACKET_CODEC_VP9,
			.width = 1920,
			.height = 1080,
			.full_width = 3840,
			.full_height = 2160,
			.chroma = PACKET_CHROMA_444}},
	{.type = PACKET_FRAME,
		.frame = {.sequence = 70000,
			.part = 2,
			.parts = 3,
			.key = true,
			.codec = PACKET_CODEC_VP8,
			.width = 2,
			.height = PACKET_SIDE_MAX,
			.pts_us = (INT64_C(1) << 53) - 1,
			.payload = payload,
			.payload_length = sizeof(payload)}},
	{.type = PACKET_ENDED,
		.ended = {.code = ERROR_FORMAT_UNSUPPORTED, .detail = "offered: NV12"}},
	{.type = PACKET_SET,
		.set = {.max_fps = 7,
			.max_kbps = PACKET_KBPS_MIN,
			.max_width = 0,
			.max_height = 720,
			.region = {5, 6, 7, 8}}},
	{.type = PACKET_CURSOR,
		.cursor = {.visible = true,
			.x = -5,
			.y = (int32_t)PACKET_SIDE_MAX,
			.width = 2,
			.height = 3,
			.hot_x = 2,
			.hot_y = 1,
			.rgba = bitmap}},
	{.type = PACKET_CURSOR, .cursor = {.x = -(int32_t)PACKET_SIDE_MAX, .rgba = bitmap}},
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* The whole packet as it goes over the socket: a FRAME's payload and a CURSOR's bitmap come after
 * the written header. */
static size_t write_whole(const struct packet *packet, uint8_t *out) {
	size_t length = packet_write(packet, out);
	if (packet->type == PACKET_FRAME) {
		memcpy(out + length, packet->frame.payload, packet->frame.payload_length);
		length += packet->frame.payload_length;
	} else if (packet->type == PACKET_CURSOR) {
		memcpy(out + length, packet->cursor.rgba, packet_cursor_length(&packet->cursor));
		length += packet_cursor_length(&packet->cursor);
	}
	return length;
}

static void every_type_survives_the_round_trip(void **state) {
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t wire[PACKET_SIZE_MAX];
		uint8_t again[PACKET_SIZE_MAX];
		size_t length = write_whole(&samples[i], wire);
		struct packet packet;
		assert_true(packet_parse(wire, length, &packet));
		assert_int_equal(packet.type, samples[i].type);
		assert_int_equal(write_whole(&packet, again), length);
		assert_memory_equal(wire, again, length);
	}
}

static void fields_arrive_as_they_left(void **state) {
	(void)state;
	uint8_t wire[PACKET_SIZE_MAX];
	struct packet packet;
	assert_true(packet_parse(wire, write_whole(&samples[0], wire), &packet));
	assert_true(packet.open.node_id == 0xfffffffe);
	assert_int_equal(packet.open.codec, PACKET_CODEC_VP9);
	assert_int_equal(packet.open.max_fps, PACKET_FPS_MAX);
	assert_int_equal(packet.open.max_kbps, PACKET_KBPS_MAX);
	assert_int_equal(packet.open.credit, PACKET_CREDIT_MAX);
	assert_int_equal(packet.open.max_width, PACKET_SIDE_MAX);
	assert_int_equal(packet.open.max_height, 2);
	assert_int_equal(packet.open.fidelity, PACKET_FIDELITY_TEXT);
	assert_int_equal(packet.open.cursor, PACKET_CURSOR_SEND);
	assert_memory_equal(
		&packet.open.region, &samples[0].open.region, sizeof(packet.open.region));
	assert_true(packet_parse(wire, write_whole(&samples[4], wire), &packet));
	assert_int_equal(packet.frame.sequence, 70000);
	assert_int_equal(packet.frame.part, 2);
	assert_int_equal(packet.frame.parts, 3);
	assert_true(packet.frame.key);
	assert_int_equal(packet.frame.codec, PACKET_CODEC_VP8);
	assert_int_equal(packet.frame.height, PACKET_SIDE_MAX);
	assert_true(packet.frame.pts_us == (INT64_C(1) << 53) - 1);
	assert_int_equal(packet.frame.payload_length, 3);
	assert_memory_equal(packet.frame.payload, payload, 3);
	assert_true(packet_parse(wire, write_whole(&samples[5], wire), &packet));
	assert_int_equal(packet.ended.code, ERROR_FORMAT_UNSUPPORTED);
	assert_string_equal(packet.ended.detail, "offered: NV12");
}

static void settings_and_cursor_arrive_as_they_left(void **state) {
	(void)state;
	uint8_t wire[PACKET_SIZE_MAX];
	struct packet packet;
	assert_true(packet_parse(wire, write_whole(&samples[3], wire), &packet));
	assert_int_equal(packet.ready.height, 1080);
	assert_int_equal(packet.ready.full_width, 3840);
	assert_int_equal(packet.ready.full_height, 2160);
	assert_int_equal(packet.ready.chroma, PACKET_CHROMA_444);
	assert_true(packet_parse(wire, write_whole(&samples[6], wire), &packet));
	assert_int_equal(packet.set.max_fps, 7);
	assert_int_equal(packet.set.max_kbps, PACKET_KBPS_MIN);
	assert_int_equal(packet.set.max_width, 0);
	assert_int_equal(packet.set.max_height, 720);
	assert_memory_equal(&packet.set.region, &samples[6].set.region, sizeof(packet.set.region));
	assert_true(packet_parse(wire, write_whole(&samples[7], wire), &packet));
	assert_true(packet.cursor.visible);
	assert_int_equal(packet.cursor.x, -5);
	assert_int_equal(packet.cursor.y, PACKET_SIDE_MAX);
	assert_int_equal(packet.cursor.width, 2);
	assert_int_equal(packet.cursor.height, 3);
	assert_int_equal(packet.cursor.hot_x, 2);
	assert_int_equal(packet.cursor.hot_y, 1);
	assert_memory_equal(packet.cursor.rgba, bitmap, sizeof(bitmap));
	assert_true(packet_parse(wire, write_whole(&samples[8], wire), &packet));
	assert_false(packet.cursor.visible);
	assert_int_equal(packet.cursor.x, -(int32_t)PACKET_SIDE_MAX);
	assert_int_equal(packet_cursor_length(&packet.cursor), 0);
}

static void text_needs_vp9(void **state) {
	(void)state;
	uint8_t wire[PACKET_SIZE_MAX];
	struct packet packet;
	size_t length = write_whole(&samples[0], wire);
	wire[8] = PACKET_CODEC_VP8;
	assert_false(packet_parse(wire, length, &packet));
	wire[8] = PACKET_CODEC_AUTO;
	assert_false(packet_parse(wire, length, &packet));
	wire[25] = PACKET_FIDELITY_MOTION;
	assert_true(packet_parse(wire, length, &packet));
	length = write_whole(&samples[3], wire);
	wire[2] = PACKET_CODEC_VP8;
	assert_false(packet_parse(wire, length, &packet));
	wire[19] = PACKET_CHROMA_420;
	assert_true(packet_parse(wire, length, &packet));
}

static void the_largest_bitmap_fits(void **state) {
	(void)state;
	static uint8_t wire[PACKET_SIZE_MAX];
	static uint8_t full[PACKET_CURSOR_SIDE_MAX * PACKET_CURSOR_SIDE_MAX * 4];
	const struct packet packet = {.type = PACKET_CURSOR,
		.cursor = {.visible = true,
			.width = PACKET_CURSOR_SIDE_MAX,
			.height = PACKET_CURSOR_SIDE_MAX,
			.rgba = full}};
	size_t length = write_whole(&packet, wire);
	assert_true(length <= sizeof(wire));
	struct packet parsed;
	assert_true(packet_parse(wire, length, &parsed));
	assert_int_equal(packet_cursor_length(&parsed.cursor), sizeof(full));
}

static void every_truncation_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t wire[PACKET_SIZE_MAX];
		size_t length = write_whole(&samples[i], wire);
		/* A FRAME cut within its payload is a shorter FRAME: the socket keeps message
		 * bounds. */
		size_t fixed =
			samples[i].type == PACKET_FRAME ? length - sizeof(payload) + 1 : length;
		for (size_t cut = 0; cut < fixed; cut++) {
			struct packet packet;
			assert_false(packet_parse(wire, cut, &packet));
		}
	}
}

static void trailing_bytes_are_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		if (samples[i].type != PACKET_FRAME) {
			uint8_t wire[PACKET_SIZE_MAX + 1] = {0};
			size_t length = write_whole(&samples[i], wire);
			struct packet packet;
			assert_false(packet_parse(wire, length + 1, &packet));
		}
	}
}

static void unknown_types_and_versions_are_refused(void **state) {
	(void)state;
	struct packet packet;
	uint8_t wire[PACKET_SIZE_MAX];
	for (int type = 0; type < 256; type++) {
		uint8_t unknown[2] = {(uint8_t)type, 0};
		assert_int_equal(packet_parse(unknown, 2, &packet), type == PACKET_KEYFRAME);
	}
	uint8_t reserved[2] = {PACKET_KEYFRAME, 1};
	assert_false(packet_parse(reserved, 2, &packet));
	size_t length = write_whole(&samples[0], wire);
	bytes_put(wire + 2, PACKET_VERSION + 1, 2);
	assert_false(packet_parse(wire, length, &packet));
}

struct field_case {
	size_t sample;
	size_t offset; /* of the field in the packet */
	size_t size;
	uint64_t value; /* out of its range */
};

static void fields_out_of_range_are_refused(void **state) {
	(void)state;
	static const struct field_case cases[] = {
		{0, 8, 1, 0},                                     /* codec */
		{0, 8, 1, 4},                                     /* codec */
		{0, 9, 2, 0},                                     /* fps */
		{0, 9, 2, PACKET_FPS_MAX + 1},                    /* fps */
		{0, 11, 4, PACKET_KBPS_MIN - 1},                  /* kbps */
		{0, 11, 4, PACKET_KBPS_MAX + 1},                  /* kbps */
		{0, 15, 2, PACKET_CREDIT_MAX + 1}, {0, 17, 4, 1}, /* max width */
		{0, 17, 4, PACKET_SIDE_MAX + 1},                  /* max width */
		{0, 21, 4, 1},                                    /* max height */
		{0, 21, 4, UINT32_MAX},                           /* max height */
		{0, 25, 1, 2},                                    /* fidelity */
		{0, 26, 1, 3},                                    /* cursor */
		{0, 27, 4, PACKET_SIDE_MAX + 1},                  /* region: x */
		{0, 31, 4, PACKET_SIDE_MAX + 1},                  /* region: y */
		{0, 35, 4, 1},                                    /* region: width */
		{0, 39, 4, 0},                                    /* region: height */
		{1, 2, 2, 0},                                     /* frames */
		{1, 2, 2, PACKET_CREDIT_MAX + 1},                 /* frames */
		{3, 2, 1, PACKET_CODEC_AUTO},                     /* codec */
		{3, 3, 4, 1},                                     /* width */
		{3, 7, 4, PACKET_SIDE_MAX + 1},                   /* height */
		{3, 11, 4, 1919},                                 /* full width */
		{3, 15, 4, PACKET_SIDE_MAX + 1},                  /* full height */
		{3, 19, 1, 2},                                    /* chroma */
		{4, 6, 2, 3},                                     /* part == parts */
		{4, 8, 2, 0},                                     /* parts */
		{4, 8, 2, PACKET_PARTS_MAX + 1}, {4, 10, 1, 2},   /* key */
		{4, 11, 1, 0},                                    /* codec */
		{4, 11, 1, PACKET_CODEC_AUTO},                    /* codec */
		{4, 12, 4, 0},                                    /* width */
		{4, 16, 4, UINT32_MAX},                           /* height */
		{4, 20, 8, UINT64_C(1) << 53},                    /* pts */
		{4, 20, 8, UINT64_MAX},                           /* negative pts */
		{5, 2, 2, ERROR_NONE}, {5, 2, 2, ERROR_COUNT}, {5, 4, 2, PACKET_DETAIL_MAX + 1},
		{6, 2, 2, 0},                    /* fps */
		{6, 4, 4, PACKET_KBPS_MAX + 1},  /* kbps */
		{6, 8, 4, 1},                    /* max width */
		{6, 12, 4, PACKET_SIDE_MAX + 1}, /* max height */
		{6, 16, 4, UINT32_MAX},          /* region: x */
		{6, 24, 4, 0},                   /* region: width */
		{6, 28, 4, PACKET_SIDE_MAX + 1}, /* region: height */
		{7, 2, 1, 2},                    /* visible */
		{7, 3, 4, PACKET_SIDE_MAX + 1},  /* x */
		{7, 7, 4, INT32_MAX},            /* y */
		{7, 7, 4, UINT32_C(1) << 31},    /* y */
		{7, 11, 2, 0},                   /* width without height */
		{7, 11, 2, 3},                   /* more pixels than bytes */
		{7, 13, 2, 0},                   /* height without width */
		{7, 15, 2, 3},                   /* hotspot right of the bitmap */
		{7, 17, 2, 4},                   /* hotspot below the bitmap */
		{8, 11, 2, PACKET_CURSOR_SIDE_MAX + 1},
		{8, 15, 2, 1}, /* hotspot without a bitmap */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t wire[PACKET_SIZE_MAX];
		struct packet packet;
		size_t length = write_whole(&samples[cases[i].sample], wire);
		assert_true(packet_parse(wire, length, &packet));
		for (size_t b = 0; b < cases[i].size; b++) {
			wire[cases[i].offset + b] = (uint8_t)(cases[i].value >> (8 * b));
		}
		if (packet_parse(wire, length, &packet)) {
			fail_msg("case %zu was taken", i);
		}
	}
}

static void a_detail_with_a_nul_is_refused(void **state) {
	(void)state;
	uint8_t wire[PACKET_SIZE_MAX];
	struct packet packet;
	size_t length = write_whole(&samples[5], wire);
	wire[length - 1] = '\0';
	assert_false(packet_parse(wire, length, &packet));
}

static void a_full_payload_fits_and_one_more_byte_does_not(void **state) {
	(void)state;
	static uint8_t wire[PACKET_SIZE_MAX + 1];
	static uint8_t full[PACKET_PAYLOAD_MAX];
	struct packet packet = samples[4];
	packet.frame.payload = full;
	packet.frame.payload_length = PACKET_PAYLOAD_MAX;
	size_t length = write_whole(&packet, wire);
	assert_true(length <= PACKET_SIZE_MAX);
	struct packet parsed;
	assert_true(packet_parse(wire, length, &parsed));
	assert_int_equal(parsed.frame.payload_length, PACKET_PAYLOAD_MAX);
	assert_false(packet_parse(wire, length + 1, &parsed));
}

static void every_code_has_a_text(void **state) {
	(void)state;
	for (int i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
		assert_true(strlen(error_code_string((enum error_code)i)) > 0);
		assert_true(strlen(error_message((enum error_code)i)) > 0);
		assert_true(strlen(error_remedy((enum error_code)i)) > 0);
		for (int j = ERROR_NONE; j < i; j++) {
			assert_string_not_equal(error_code_string((enum error_code)i),
				error_code_string((enum error_code)j));
		}
	}
	assert_string_equal(error_code_string((enum error_code)9999), "bad-packet");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_survives_the_round_trip),
		cmocka_unit_test(fields_arrive_as_they_left),
		cmocka_unit_test(settings_and_cursor_arrive_as_they_left),
		cmocka_unit_test(text_needs_vp9),
		cmocka_unit_test(the_largest_bitmap_fits),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(unknown_types_and_versions_are_refused),
		cmocka_unit_test(fields_out_of_range_are_refused),
		cmocka_unit_test(a_detail_with_a_nul_is_refused),
		cmocka_unit_test(a_full_payload_fits_and_one_more_byte_does_not),
		cmocka_unit_test(every_code_has_a_text),
	};
	return cmocka_run_group_tests_name("wire/packet and wire/errors", tests, NULL, NULL);
}
