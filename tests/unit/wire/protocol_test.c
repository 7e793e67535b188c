/* Native messages: what is accepted, and what every refusal says. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "wire/grant_list.h"
#include "wire/protocol.h"
#include "wire/text.h"

static bool parse(
	const char *text, struct protocol_message *message, struct protocol_error *error) {
	/* A copy of the exact length: a read past the end is the sanitizer's to see. */
	size_t length = strlen(text);
	char *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	memcpy(copy, text, length);
	bool ok = protocol_parse(copy, length, message, error);
	free(copy);
	return ok;
}

static struct protocol_message accept(const char *text) {
	struct protocol_message message;
	struct protocol_error error;
	if (!parse(text, &message, &error)) {
		fail_msg(
			"%s was refused: %s %s", text, error_code_string(error.code), error.detail);
	}
	return message;
}

static void assert_refused(
	const char *text, enum error_code code, uint32_t id, const char *detail) {
	struct protocol_message message;
	struct protocol_error error;
	if (parse(text, &message, &error)) {
		fail_msg("%s was accepted", text);
	}
	if (error.code != code) {
		fail_msg("%s: %s instead of %s (%s)", text, error_code_string(error.code),
			error_code_string(code), error.detail);
	}
	assert_int_equal(error.id, id);
	if (detail != NULL) {
		assert_string_equal(error.detail, detail);
	}
}

static void every_type_is_read(void **state) {
	(void)state;
	struct protocol_message hello = accept("{\"type\":\"hello\",\"id\":1,\"protocol\":1000}");
	assert_int_equal(hello.type, PROTOCOL_HELLO);
	assert_int_equal(hello.id, 1);
	assert_int_equal(hello.hello_protocol, 1000);

	struct protocol_message share =
		accept("{\"cursor\":\"hidden\",\"sources\":[\"window\"],\"id\":2147483647,"
		       "\"type\":\"share\"}");
	assert_int_equal(share.type, PROTOCOL_SHARE);
	assert_int_equal(share.id, INT32_MAX);
	assert_false(share.wish.monitor);
	assert_true(share.wish.window);
	assert_int_equal(share.wish.cursor, PROTOCOL_CURSOR_HIDDEN);
	share = accept("{\"type\":\"share\",\"id\":3,\"sources\":[\"window\",\"monitor\"],"
		       "\"cursor\":\"embedded\"}");
	assert_true(share.wish.monitor && share.wish.window);
	assert_int_equal(share.wish.cursor, PROTOCOL_CURSOR_EMBEDDED);
	share = accept(
		"{\"type\":\"share\",\"id\":3,\"sources\":[\"window\"],\"cursor\":\"metadata\"}");
	assert_int_equal(share.wish.cursor, PROTOCOL_CURSOR_METADATA);
	assert_false(share.wish.remember);
	assert_false(share.wish.multiple);
	assert_string_equal(share.wish.origin, "");
	share = accept(
		"{\"type\":\"share\",\"id\":3,\"sources\":[\"window\"],\"cursor\":\"hidden\","
		"\"origin\":\"https://a.example\",\"remember\":true,\"multiple\":true}");
	assert_true(share.wish.remember);
	assert_true(share.wish.multiple);
	assert_string_equal(share.wish.origin, "https://a.example");

	struct protocol_message open =
		accept(" {\"type\":\"open\",\"id\":4,\"share\":9,\"codec\":\"vp9\",\"maxFps\":240,"
		       "\"maxKbps\":200000,\"credit\":16}\n");
	assert_int_equal(open.type, PROTOCOL_OPEN);
	assert_int_equal(open.share, 9);
	assert_int_equal(open.open.codec, PACKET_CODEC_VP9);
	assert_int_equal(open.open.max_fps, 240);
	assert_int_equal(open.open.max_kbps, 200000);
	assert_int_equal(open.open.credit, 16);
	assert_int_equal(open.open.max_width, 0);
	assert_int_equal(open.open.max_height, 0);
	assert_int_equal(open.open.fidelity, PACKET_FIDELITY_MOTION);
	assert_int_equal(open.open.cursor, PACKET_CURSOR_AS_IS);

	struct protocol_message credit = accept("{\"type\":\"credit\",\"share\":5,\"frames\":16}");
	assert_int_equal(credit.type, PROTOCOL_CREDIT);
	assert_int_equal(credit.id, 0);
	assert_int_equal(credit.share, 5);
	assert_int_equal(credit.credit, 16);
	assert_int_equal(accept("{\"type\":\"keyframe\",\"share\":6}").share, 6);
	assert_int_equal(accept("{\"type\":\"stats\",\"id\":1,\"share\":6}").share, 6);
	assert_int_equal(accept("{\"type\":\"cancel\",\"request\":7}").cancel_request, 7);
	assert_int_equal(accept("{\"type\":\"stop\",\"id\":1,\"share\":8}").share, 8);
	assert_int_equal(accept("{\"type\":\"grants\",\"id\":1}").type, PROTOCOL_GRANTS);
	assert_string_equal(
		accept("{\"type\":\"revoke\",\"id\":1,\"origin\":\"http://localhost:8080\"}")
			.revoke_origin,
		"http://localhost:8080");
}

#define OPEN_WITH(codec, fields)                                                                   \
	"{\"type\":\"open\",\"id\":3,\"share\":1,\"codec\":\"" codec                               \
	"\",\"maxFps\":30,\"maxKbps\":4000,\"credit\":1," fields "}"

static void what_is_optional_is_read(void **state) {
	(void)state;
	struct packet_open open =
		accept(OPEN_WITH("vp9", "\"maxWidth\":2,\"maxHeight\":16384,\"fidelity\":\"text\","
					"\"cursor\":\"send\",\"region\":{\"x\":0,\"y\":16384,"
					"\"width\":2,\"height\":16384}"))
			.open;
	assert_int_equal(open.max_width, 2);
	assert_int_equal(open.max_height, 16384);
	assert_int_equal(open.fidelity, PACKET_FIDELITY_TEXT);
	assert_int_equal(open.cursor, PACKET_CURSOR_SEND);
	const struct packet_region region = {0, 16384, 2, 16384};
	const struct packet_region whole = {0};
	assert_memory_equal(&open.region, &region, sizeof(region));
	assert_int_equal(
		accept(OPEN_WITH("auto", "\"fidelity\":\"motion\"")).open.codec, PACKET_CODEC_AUTO);
	open = accept(OPEN_WITH("vp8", "\"maxWidth\":0,\"maxHeight\":0,\"fidelity\":\"motion\","
				       "\"cursor\":\"blend\",\"region\":null"))
		       .open;
	assert_int_equal(open.max_width, 0);
	assert_int_equal(open.max_height, 0);
	assert_int_equal(open.fidelity, PACKET_FIDELITY_MOTION);
	assert_int_equal(open.cursor, PACKET_CURSOR_BLEND);
	assert_memory_equal(&open.region, &whole, sizeof(whole));

	struct protocol_message message =
		accept("{\"type\":\"configure\",\"share\":5,\"maxFps\":240,\"maxHeight\":0}");
	assert_int_equal(message.type, PROTOCOL_CONFIGURE);
	assert_int_equal(message.id, 0);
	assert_int_equal(message.share, 5);
	assert_int_equal(message.configure.max_fps, 240);
	assert_true(message.configure.max_kbps == PROTOCOL_KEEP);
	assert_true(message.configure.max_width == PROTOCOL_KEEP);
	assert_int_equal(message.configure.max_height, 0);
	assert_true(message.configure.region_keeps);
	message = accept("{\"type\":\"configure\",\"share\":5,\"region\":null}");
	assert_false(message.configure.region_keeps);
	assert_true(message.configure.max_fps == PROTOCOL_KEEP);
	assert_memory_equal(&message.configure.region, &whole, sizeof(whole));
	message = accept("{\"type\":\"configure\",\"share\":5,\"region\":{\"height\":16384,"
			 "\"width\":2,\"y\":16384,\"x\":0}}");
	assert_false(message.configure.region_keeps);
	assert_memory_equal(&message.configure.region, &region, sizeof(region));
	message = accept("{\"type\":\"configure\",\"share\":5,\"maxKbps\":100,\"maxWidth\":2}");
	assert_true(message.configure.max_fps == PROTOCOL_KEEP);
	assert_int_equal(message.configure.max_kbps, 100);
	assert_int_equal(message.configure.max_width, 2);
	assert_true(message.configure.max_height == PROTOCOL_KEEP);
}

static void text_that_is_no_message(void **state) {
	(void)state;
	assert_refused("\"\xff\"", ERROR_BAD_UTF8, 0, NULL);
	assert_refused("{\"type\":\"\xc3\"}", ERROR_BAD_UTF8, 0, NULL);
	const char *const texts[] = {"{", "", " ", "{]", "{} {}", "{\"type\":\"hello\"",
		"{'type':'hello'}", "{\"type\":\"hello\",}", "nul", "{/* */\"type\":\"hello\"}",
		"[1,]", "{\"id\":01}", "-", "{\"a\" 1}", "1", "null"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_refused(texts[i], ERROR_BAD_JSON, 0, NULL);
	}
	struct protocol_message message;
	struct protocol_error error;
	assert_false(protocol_parse("{\"a\0\":1}x\0", 10, &message, &error));
	assert_int_equal(error.code, ERROR_BAD_JSON);
	assert_false(protocol_parse("{}\0", 3, &message, &error));
	assert_int_equal(error.code, ERROR_BAD_JSON);
	const char *const values[] = {"[]", "\"hello\""};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_refused(values[i], ERROR_BAD_MESSAGE, 0, "not an object");
	}
}

static void nested(char *text, unsigned levels) {
	/* The object itself is a level. */
	char *at = text + sprintf(text, "{\"type\":\"hello\",\"id\":1,\"protocol\":");
	memset(at, '[', levels - 1);
	memset(at + levels - 1, ']', levels - 1);
	(void)strcpy(at + 2 * (levels - 1), "}");
}

static void nesting_is_bounded(void **state) {
	(void)state;
	char text[1000];
	nested(text, PROTOCOL_DEPTH_MAX);
	assert_refused(text, ERROR_BAD_FIELD, 1, "hello.protocol: must be 1 to 1000");
	nested(text, PROTOCOL_DEPTH_MAX + 1);
	assert_refused(text, ERROR_BAD_JSON, 0, NULL);
	nested(text, 200);
	assert_refused(text, ERROR_BAD_JSON, 0, NULL);
	static char brackets[1 << 20];
	memset(brackets, '[', sizeof(brackets));
	struct protocol_message message;
	struct protocol_error error;
	assert_false(protocol_parse(brackets, sizeof(brackets), &message, &error));
	assert_int_equal(error.code, ERROR_BAD_JSON);
}

static void the_type_has_to_be_known(void **state) {
	(void)state;
	assert_refused("{}", ERROR_BAD_MESSAGE, 0, "type: must be a string");
	assert_refused("{\"id\":7}", ERROR_BAD_MESSAGE, 7, "type: must be a string");
	assert_refused("{\"type\":1,\"id\":7}", ERROR_BAD_MESSAGE, 7, "type: must be a string");
	assert_refused("{\"type\":null}", ERROR_BAD_MESSAGE, 0, "type: must be a string");
	assert_refused("{\"type\":\"\",\"id\":7}", ERROR_UNKNOWN_TYPE, 7, "");
	assert_refused("{\"type\":\"Hello\"}", ERROR_UNKNOWN_TYPE, 0, "Hello");
	assert_refused("{\"type\":\"hello\\u0000\"}", ERROR_UNKNOWN_TYPE, 0, NULL);
	assert_refused("{\"type\":\"result\",\"id\":8}", ERROR_UNKNOWN_TYPE, 8, "result");
	/* A long name is cut. */
	assert_refused("{\"type\":\"01234567890123456789012345678901tail\"}", ERROR_UNKNOWN_TYPE, 0,
		"01234567890123456789012345678901");
}

/* json-c 0.18 takes them for control characters (json-c#875). No field needs them. */
static void characters_beyond_ascii_are_refused(void **state) {
	(void)state;
	const char *const names[] = {"\xc3\xa9", "\\\\\xc3\xa9", "\xf0\x9f\x98\x80",
		"0123456789012345678901234567890\xc3\xa9"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[100];
		struct protocol_message message;
		struct protocol_error error;
		(void)snprintf(text, sizeof(text), "{\"type\":\"%s\"}", names[i]);
		assert_false(parse(text, &message, &error));
		assert_true(error.code == ERROR_UNKNOWN_TYPE || error.code == ERROR_BAD_JSON);
		char clean[sizeof(error.detail)];
		(void)strcpy(clean, error.detail);
		text_clean(clean);
		assert_string_equal(error.detail, clean);
	}
}

static void an_id_is_read_only_within_its_bounds(void **state) {
	(void)state;
	const char *const ids[] = {"0", "-1", "2147483648", "9223372036854775807", "1.0", "1e3",
		"\"1\"", "null", "[1]"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char text[100];
		(void)snprintf(text, sizeof(text), "{\"type\":\"hello\",\"protocol\":1,\"id\":%s}",
			ids[i]);
		assert_refused(text, ERROR_BAD_FIELD, 0, "hello.id: must be 1 to 2147483647");
	}
	assert_refused(
		"{\"type\":\"hello\",\"protocol\":1}", ERROR_BAD_FIELD, 0, "hello.id: is missing");
	/* To json-c 0.18 this is not a number; before, it is the largest one. */
	struct protocol_message message;
	struct protocol_error error;
	assert_false(parse("{\"type\":\"hello\",\"protocol\":1,\"id\":99999999999999999999}",
		&message, &error));
	assert_true(error.code == ERROR_BAD_FIELD || error.code == ERROR_BAD_JSON);
}

struct field_case {
	const char *text;
	const char *detail;
};

#define OPEN(share, codec, fps, kbps, credit)                                                      \
	"{\"type\":\"open\",\"id\":3,\"share\":" share ",\"codec\":" codec ",\"maxFps\":" fps      \
	",\"maxKbps\":" kbps ",\"credit\":" credit "}"
#define SHARE(sources, cursor)                                                                     \
	"{\"type\":\"share\",\"id\":3,\"sources\":" sources ",\"cursor\":" cursor "}"
#define REGION_OF(x, y, width, height)                                                             \
	"\"region\":{\"x\":" x ",\"y\":" y ",\"width\":" width ",\"height\":" height "}"
#define REGION "region: must be null, or x and y of 0 to 16384 with width and height of 2 to 16384"
#define WISH(fields)                                                                               \
	"{\"type\":\"share\",\"id\":3,\"sources\":[\"window\"],\"cursor\":\"hidden\"," fields "}"
#define SOURCES "share.sources: must be a list of \"monitor\", \"window\" or both"

static void every_field_has_its_bounds(void **state) {
	(void)state;
	const struct field_case cases[] = {
		{"{\"type\":\"hello\",\"id\":3}", "hello.protocol: is missing"},
		{"{\"type\":\"hello\",\"id\":3,\"protocol\":0}",
			"hello.protocol: must be 1 to 1000"},
		{"{\"type\":\"hello\",\"id\":3,\"protocol\":1001}",
			"hello.protocol: must be 1 to 1000"},
		{"{\"type\":\"hello\",\"id\":3,\"protocol\":true}",
			"hello.protocol: must be 1 to 1000"},
		{"{\"type\":\"hello\",\"id\":3,\"protocol\":1,\"extra\":1}",
			"hello.extra: is not known"},
		{"{\"type\":\"hello\",\"id\":3,\"protocol\":1,\"\":1}", "hello.: is not known"},
		{SHARE("[]", "\"hidden\""), SOURCES},
		{SHARE("\"monitor\"", "\"hidden\""), SOURCES},
		{SHARE("[\"monitor\",\"monitor\"]", "\"hidden\""), SOURCES},
		{SHARE("[\"monitor\",\"tab\"]", "\"hidden\""), SOURCES},
		{SHARE("[\"monitor\",\"window\",\"monitor\"]", "\"hidden\""), SOURCES},
		{SHARE("[1]", "\"hidden\""), SOURCES},
		{SHARE("[null]", "\"hidden\""), SOURCES},
		{SHARE("{}", "\"hidden\""), SOURCES},
		{SHARE("[\"monitor\"]", "\"painted\""),
			"share.cursor: must be \"embedded\", \"hidden\" or \"metadata\""},
		{SHARE("[\"monitor\"]", "1"),
			"share.cursor: must be \"embedded\", \"hidden\" or \"metadata\""},
		{"{\"type\":\"share\",\"id\":3,\"sources\":[\"monitor\"]}",
			"share.cursor: is missing"},
		{"{\"type\":\"share\",\"id\":3,\"cursor\":\"hidden\"}",
			"share.sources: is missing"},
		{WISH("\"origin\":\"null\""), "share.origin: must be that of a secure page"},
		{WISH("\"origin\":\"http://a.example\""),
			"share.origin: must be that of a secure page"},
		{WISH("\"origin\":\"https://a.example\\n\""),
			"share.origin: must be that of a secure page"},
		{WISH("\"origin\":\"https://a.example\\u0000\""),
			"share.origin: must be that of a secure page"},
		{WISH("\"origin\":7"), "share.origin: must be that of a secure page"},
		{WISH("\"origin\":\"https://a.example\",\"remember\":1"),
			"share.remember: must be true or false"},
		{WISH("\"multiple\":\"yes\""), "share.multiple: must be true or false"},
		{WISH("\"remember\":true"), "share.remember: needs an origin"},
		{"{\"type\":\"revoke\",\"id\":3}", "revoke.origin: is missing"},
		{"{\"type\":\"revoke\",\"id\":3,\"origin\":\"*\"}",
			"revoke.origin: must be that of a secure page"},
		{"{\"type\":\"grants\",\"id\":3,\"origin\":\"*\"}", "grants.origin: is not known"},
		{OPEN("0", "\"vp8\"", "30", "4000", "4"), "open.share: must be 1 to 2147483647"},
		{OPEN("1", "\"h264\"", "30", "4000", "4"),
			"open.codec: must be \"vp8\", \"vp9\" or \"auto\""},
		{OPEN("1", "8", "30", "4000", "4"),
			"open.codec: must be \"vp8\", \"vp9\" or \"auto\""},
		{OPEN("1", "\"vp8\"", "0", "4000", "4"), "open.maxFps: must be 1 to 240"},
		{OPEN("1", "\"vp8\"", "241", "4000", "4"), "open.maxFps: must be 1 to 240"},
		{OPEN("1", "\"vp8\"", "29.97", "4000", "4"), "open.maxFps: must be 1 to 240"},
		{OPEN("1", "\"vp8\"", "30", "99", "4"), "open.maxKbps: must be 100 to 200000"},
		{OPEN("1", "\"vp8\"", "30", "200001", "4"), "open.maxKbps: must be 100 to 200000"},
		{OPEN("1", "\"vp8\"", "30", "4000", "-1"), "open.credit: must be 0 to 16"},
		{OPEN("1", "\"vp8\"", "30", "4000", "17"), "open.credit: must be 0 to 16"},
		{OPEN_WITH("vp8", "\"maxWidth\":1"), "open.maxWidth: must be 0, or 2 to 16384"},
		{OPEN_WITH("vp8", "\"maxWidth\":null"), "open.maxWidth: must be 0, or 2 to 16384"},
		{OPEN_WITH("vp8", "\"maxHeight\":16385"),
			"open.maxHeight: must be 0, or 2 to 16384"},
		{OPEN_WITH("vp8", "\"maxHeight\":-1"), "open.maxHeight: must be 0, or 2 to 16384"},
		{OPEN_WITH("vp8", "\"fidelity\":\"text\""),
			"open.fidelity: \"text\" needs the codec \"vp9\""},
		{OPEN_WITH("auto", "\"fidelity\":\"text\""),
			"open.fidelity: \"text\" needs the codec \"vp9\""},
		{OPEN_WITH("vp9", "\"fidelity\":\"444\""),
			"open.fidelity: must be \"motion\" or \"text\""},
		{OPEN_WITH("vp9", "\"fidelity\":null"),
			"open.fidelity: must be \"motion\" or \"text\""},
		{OPEN_WITH("vp8", "\"cursor\":\"hidden\""),
			"open.cursor: must be \"blend\" or \"send\""},
		{OPEN_WITH("vp8", "\"region\":[0,0,2,2]"), "open." REGION},
		{OPEN_WITH("vp8", "\"region\":{\"x\":0,\"y\":0,\"width\":2}"), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("-1", "0", "2", "2")), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("0", "16385", "2", "2")), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("0", "0", "1", "2")), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("0", "0", "2", "16385")), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("0", "0", "2", "2.5")), "open." REGION},
		{OPEN_WITH("vp8", REGION_OF("0", "0", "2", "2,\"unit\":1")), "open." REGION},
		{"{\"type\":\"stats\",\"id\":3}", "stats.share: is missing"},
		{"{\"type\":\"stop\",\"id\":3}", "stop.share: is missing"},
		{"{\"type\":\"stop\",\"id\":3,\"share\":\"1\"}",
			"stop.share: must be 1 to 2147483647"},
		/* What is no request has no id. */
		{"{\"type\":\"credit\",\"share\":1,\"frames\":1,\"id\":3}",
			"credit.id: is not known"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(cases[i].text, ERROR_BAD_FIELD, 3, cases[i].detail);
	}
	const struct field_case without_id[] = {
		{"{\"type\":\"credit\",\"share\":1,\"frames\":0}",
			"credit.frames: must be 1 to 16"},
		{"{\"type\":\"credit\",\"share\":1,\"frames\":17}",
			"credit.frames: must be 1 to 16"},
		{"{\"type\":\"credit\",\"frames\":1}", "credit.share: is missing"},
		{"{\"type\":\"configure\",\"share\":1}",
			"configure: must name something to change"},
		{"{\"type\":\"configure\",\"share\":1,\"region\":false}", "configure." REGION},
		{"{\"type\":\"configure\",\"maxFps\":1}", "configure.share: is missing"},
		{"{\"type\":\"configure\",\"share\":1,\"maxFps\":0}",
			"configure.maxFps: must be 1 to 240"},
		{"{\"type\":\"configure\",\"share\":1,\"maxFps\":30,\"maxKbps\":99}",
			"configure.maxKbps: must be 100 to 200000"},
		{"{\"type\":\"configure\",\"share\":1,\"maxWidth\":1}",
			"configure.maxWidth: must be 0, or 2 to 16384"},
		{"{\"type\":\"configure\",\"share\":1,\"maxHeight\":4294967295}",
			"configure.maxHeight: must be 0, or 2 to 16384"},
		{"{\"type\":\"configure\",\"share\":1,\"credit\":1,\"maxFps\":1}",
			"configure.credit: is not known"},
		{"{\"type\":\"keyframe\"}", "keyframe.share: is missing"},
		{"{\"type\":\"keyframe\",\"share\":1,\"now\":true}", "keyframe.now: is not known"},
		{"{\"type\":\"cancel\",\"request\":0}", "cancel.request: must be 1 to 2147483647"},
		{"{\"type\":\"cancel\"}", "cancel.request: is missing"},
	};
	for (size_t i = 0; i < sizeof(without_id) / sizeof(without_id[0]); i++) {
		assert_refused(without_id[i].text, ERROR_BAD_FIELD, 0, without_id[i].detail);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(what_is_optional_is_read),
		cmocka_unit_test(text_that_is_no_message),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(the_type_has_to_be_known),
		cmocka_unit_test(characters_beyond_ascii_are_refused),
		cmocka_unit_test(an_id_is_read_only_within_its_bounds),
		cmocka_unit_test(every_field_has_its_bounds),
	};
	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
