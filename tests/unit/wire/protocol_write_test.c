/* Native messages: what is written. */
#include "unit.h"

#include <stdlib.h>

#include "config.h"
#include "wire/grant_list.h"
#include "wire/protocol.h"

static void assert_written(struct bytes *out, bool ok, const char *expected) {
	assert_true(ok);
	assert_true(bytes_append(out, "", 1));
	assert_string_equal((const char *)out->data, expected);
	out->length = 0;
}

static void results_are_written(void **state) {
	(void)state;
	struct bytes out = {0};
	struct protocol_hello_result all = {
		4, ERROR_NONE, true, true, true, true, true, true, true};
	assert_written(&out, protocol_write_hello_result(&out, 1, &all),
		"{\"type\":\"result\",\"id\":1,\"protocol\":1,\"version\":\"" PORTLIGHT_VERSION
		"\",\"supports\":[\"vp8\",\"vp9\",\"codec-auto\",\"configure\",\"scale\","
		"\"fidelity-text\","
		"\"stats\",\"region\",\"multiple\",\"grants\",\"window\",\"monitor\",\"cursor-"
		"hidden\",\"cursor-"
		"embedded\","
		"\"cursor-"
		"metadata\","
		"\"cursor-send\"],\"portal\":4,\"pipewire\":true,\"wayland\":true}");
	struct protocol_hello_result none = {.portal_code = ERROR_PORTAL_TIMEOUT};
	assert_written(&out, protocol_write_hello_result(&out, 2, &none),
		"{\"type\":\"result\",\"id\":2,\"protocol\":1,\"version\":\"" PORTLIGHT_VERSION
		"\",\"supports\":[\"vp8\",\"vp9\",\"codec-auto\",\"configure\",\"scale\","
		"\"fidelity-text\","
		"\"stats\",\"region\",\"multiple\",\"grants\"],\"portal\":0,\"portalCode\":"
		"\"portal-timeout\",\"pipewire\":false,\"wayland\":false}");
	const struct protocol_stream streams[] = {
		{3, PROTOCOL_SURFACE_WINDOW, 800, 600}, {4, PROTOCOL_SURFACE_UNKNOWN, 0, 0}};
	struct protocol_share_result share = {
		.streams = streams, .stream_count = 2, .restored = true};
	assert_written(&out, protocol_write_share_result(&out, 3, &share),
		"{\"type\":\"result\",\"id\":3,\"share\":3,\"surface\":\"window\",\"width\":800,"
		"\"height\":600,\"restored\":true,\"remembered\":false}");
	share.multiple = true;
	assert_written(&out, protocol_write_share_result(&out, 3, &share),
		"{\"type\":\"result\",\"id\":3,\"share\":3,\"surface\":\"window\",\"width\":800,"
		"\"height\":600,\"restored\":true,\"remembered\":false,\"streams\":["
		"{\"share\":3,\"surface\":\"window\",\"width\":800,\"height\":600},"
		"{\"share\":4,\"surface\":\"unknown\",\"width\":0,\"height\":0}]}");
	struct packet_ready ready = {PACKET_CODEC_VP9, 1920, 1080, 3840, 2160, PACKET_CHROMA_420};
	assert_written(&out, protocol_write_open_result(&out, 4, &ready),
		"{\"type\":\"result\",\"id\":4,\"codec\":\"vp9\",\"width\":1920,\"height\":1080,"
		"\"fullWidth\":3840,\"fullHeight\":2160,\"chroma\":\"420\"}");
	ready.chroma = PACKET_CHROMA_444;
	assert_written(&out, protocol_write_open_result(&out, 4, &ready),
		"{\"type\":\"result\",\"id\":4,\"codec\":\"vp9\",\"width\":1920,\"height\":1080,"
		"\"fullWidth\":3840,\"fullHeight\":2160,\"chroma\":\"444\"}");
	struct protocol_stats_result stats = {12, 3456, 78, INT64_C(1) << 40, PACKET_CODEC_VP8};
	assert_written(&out, protocol_write_stats_result(&out, 5, &stats),
		"{\"type\":\"result\",\"id\":5,\"cpuMs\":12,\"rssKiB\":3456,\"frames\":78,"
		"\"bytes\":1099511627776,\"codec\":\"vp8\"}");
	struct grant_list *list = calloc(1, sizeof(*list));
	assert_non_null(list);
	assert_written(&out, protocol_write_grants_result(&out, 6, list),
		"{\"type\":\"result\",\"id\":6,\"grants\":[]}");
	assert_written(&out, protocol_write_grants(&out, list), "[]");
	grant_list_put(list, &(struct grant){.origin = "https://a.example",
				     .surface = PROTOCOL_SURFACE_MONITOR,
				     .since = INT64_C(4000000000),
				     .last_used = INT64_C(4000000001),
				     .token = "secret"});
	assert_written(&out, protocol_write_grants_result(&out, 6, list),
		"{\"type\":\"result\",\"id\":6,\"grants\":[{\"origin\":\"https://a.example\","
		"\"surface\":\"monitor\",\"since\":4000000000000,\"lastUsed\":4000000001000}]}");
	assert_written(&out, protocol_write_grants(&out, list),
		"[{\"origin\":\"https://a.example\",\"surface\":\"monitor\","
		"\"since\":4000000000000,\"lastUsed\":4000000001000}]");
	free(list);
	assert_written(&out, protocol_write_revoke_result(&out, 7, true),
		"{\"type\":\"result\",\"id\":7,\"revoked\":true}");
	assert_written(&out, protocol_write_stop_result(&out, PROTOCOL_ID_MAX),
		"{\"type\":\"result\",\"id\":2147483647}");
	bytes_finish(&out);
}

static void errors_are_written(void **state) {
	(void)state;
	struct bytes out = {0};
	assert_written(&out, protocol_write_error(&out, 5, ERROR_CANCELLED, NULL),
		"{\"type\":\"error\",\"id\":5,\"code\":\"cancelled\",\"message\":\"The request was "
		"cancelled.\",\"remedy\":\"Ask again.\"}");
	assert_written(&out, protocol_write_error(&out, 0, ERROR_CANCELLED, ""),
		"{\"type\":\"error\",\"id\":null,\"code\":\"cancelled\",\"message\":\"The request "
		"was cancelled.\",\"remedy\":\"Ask again.\"}");
	assert_written(&out, protocol_write_error(&out, 6, ERROR_CANCELLED, "a \"b\" \xff\n/\\"),
		"{\"type\":\"error\",\"id\":6,\"code\":\"cancelled\",\"message\":\"The request was "
		"cancelled.\",\"remedy\":\"Ask again.\",\"detail\":\"a \\\"b\\\" ?\?/\\\\\"}");
	assert_written(&out, protocol_write_ended(&out, 7, ERROR_SESSION_CLOSED, NULL),
		"{\"type\":\"ended\",\"share\":7,\"code\":\"session-closed\",\"message\":\"The "
		"desktop ended the share.\",\"remedy\":\"Share the screen again.\"}");
	bytes_finish(&out);
}

static void frames_are_written(void **state) {
	(void)state;
	struct bytes out = {0};
	struct packet_frame frame = {
		.sequence = UINT32_MAX,
		.part = 0,
		.parts = 2,
		.key = true,
		.codec = PACKET_CODEC_VP8,
		.width = 1920,
		.height = 1080,
		.pts_us = (INT64_C(1) << 53) - 1,
		.payload = (const uint8_t *)"foob",
		.payload_length = 4,
	};
	assert_written(&out, protocol_write_frame(&out, 1, &frame),
		"{\"type\":\"frame\",\"share\":1,\"seq\":4294967295,\"part\":0,\"parts\":2,"
		"\"key\":true,\"width\":1920,\"height\":1080,\"pts\":9007199254740991,"
		"\"codec\":\"vp8\",\"data\":\"Zm9vYg==\"}");
	frame.key = false;
	assert_written(&out, protocol_write_frame(&out, 1, &frame),
		"{\"type\":\"frame\",\"share\":1,\"seq\":4294967295,\"part\":0,\"parts\":2,"
		"\"key\":false,\"width\":1920,\"height\":1080,\"pts\":9007199254740991,"
		"\"data\":\"Zm9vYg==\"}");
	frame.key = true;
	frame.part = 1;
	assert_written(&out, protocol_write_frame(&out, 1, &frame),
		"{\"type\":\"frame\",\"share\":1,\"seq\":4294967295,\"part\":1,\"parts\":2,"
		"\"data\":\"Zm9vYg==\"}");
	bytes_finish(&out);
}

static void cursors_are_written(void **state) {
	(void)state;
	struct bytes out = {0};
	struct packet_cursor cursor = {.visible = true, .x = -16384, .y = 1080};
	assert_written(&out, protocol_write_cursor(&out, 7, &cursor),
		"{\"type\":\"cursor\",\"share\":7,\"visible\":true,\"x\":-16384,\"y\":1080}");
	cursor = (struct packet_cursor){
		.width = 1, .height = 1, .hot_x = 1, .rgba = (const uint8_t *)"foob"};
	assert_written(&out, protocol_write_cursor(&out, 7, &cursor),
		"{\"type\":\"cursor\",\"share\":7,\"visible\":false,\"x\":0,\"y\":0,\"width\":1,"
		"\"height\":1,\"hotX\":1,\"hotY\":0,\"data\":\"Zm9vYg==\"}");
	bytes_finish(&out);
}

/* The longest native message is a full fragment: far below the browsers' 1 MiB. */
static void a_full_fragment_fits(void **state) {
	(void)state;
	struct bytes out = {0};
	uint8_t *payload = calloc(1, PACKET_PAYLOAD_MAX);
	assert_non_null(payload);
	struct packet_frame frame = {
		.sequence = UINT32_MAX,
		.parts = PACKET_PARTS_MAX,
		.width = PACKET_SIDE_MAX,
		.height = PACKET_SIDE_MAX,
		.pts_us = (INT64_C(1) << 53) - 1,
		.payload = payload,
		.payload_length = PACKET_PAYLOAD_MAX,
	};
	assert_true(protocol_write_frame(&out, INT32_MAX, &frame));
	assert_true(out.length < 90000);
	free(payload);
	bytes_finish(&out);
}
int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_written),
		cmocka_unit_test(errors_are_written),
		cmocka_unit_test(frames_are_written),
		cmocka_unit_test(cursors_are_written),
		cmocka_unit_test(a_full_fragment_fits),
	};
	return cmocka_run_group_tests_name("protocol_write", tests, NULL, NULL);
}
