#include "rooms/wire/wire.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static enum rooms_error parse(const char *text, struct wire_message *message) {
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64];
	bool good = wire_parse(text, strlen(text), message, &error, detail);
	assert_int_equal(good, error == ROOMS_ERROR_NONE);
	return error;
}

/* Parses and forgets. */
static enum rooms_error verdict(const char *text) {
	struct wire_message message;
	enum rooms_error error = parse(text, &message);
	wire_finish(&message);
	return error;
}

static void test_messages_of_a_session(void **state) {
	struct wire_message message;
	assert_int_equal(parse("{\"type\":\"hello\",\"version\":1}", &message), ROOMS_ERROR_NONE);
	assert_int_equal(message.type, WIRE_HELLO);
	assert_null(message.session);
	wire_finish(&message);
	assert_int_equal(parse("{\"type\":\"hello\",\"version\":1,\"resume\":{\"session\":\"s\","
			       "\"secret\":\"k\",\"received\":17}}",
				 &message),
		ROOMS_ERROR_NONE);
	assert_string_equal(message.session, "s");
	assert_string_equal(message.secret, "k");
	assert_int_equal(message.received, 17);
	wire_finish(&message);
	assert_int_equal(
		verdict("{\"type\":\"hello\",\"version\":2}"), ROOMS_ERROR_VERSION_MISMATCH);
	assert_int_equal(
		verdict("{\"type\":\"hello\",\"version\":1,\"resume\":{\"session\":\"s\"}}"),
		ROOMS_ERROR_BAD_FIELD);
	assert_int_equal(parse("{\"type\":\"ack\",\"ack\":3}", &message), ROOMS_ERROR_NONE);
	assert_true(message.has_ack && message.ack == 3);
	wire_finish(&message);
	assert_int_equal(verdict("{\"type\":\"ack\"}"), ROOMS_ERROR_BAD_FIELD);
	assert_int_equal(verdict("{\"type\":\"bye\"}"), ROOMS_ERROR_NONE);
}

static void test_requests(void **state) {
	struct wire_message message;
	assert_int_equal(parse("{\"type\":\"send\",\"seq\":4,\"ack\":2,\"id\":9,\"room\":\"r\","
			       "\"as\":5,\"to\":[7,8],\"body\":{\"x\":[1,null]}}",
				 &message),
		ROOMS_ERROR_NONE);
	assert_int_equal(message.type, WIRE_SEND);
	assert_int_equal(message.seq, 4);
	assert_int_equal(message.ack, 2);
	assert_int_equal(message.id, 9);
	assert_int_equal(message.as, 5);
	assert_int_equal(message.to_count, 2);
	assert_int_equal(message.to[1], 8);
	assert_non_null(message.body);
	wire_finish(&message);
	assert_int_equal(parse("{\"type\":\"join\",\"seq\":1,\"id\":1,\"room\":\"r\",\"nickname\":"
			       "\"Ann\",\"kind\":\"screen\",\"options\":{\"admit\":true,\"role\":"
			       "\"viewer\"}}",
				 &message),
		ROOMS_ERROR_NONE);
	assert_true(message.has_options && message.admit && !message.closes);
	assert_int_equal(message.others, WIRE_VIEWER);
	assert_int_equal(message.kind, WIRE_SCREEN);
	wire_finish(&message);
	assert_int_equal(parse("{\"type\":\"candidate\",\"seq\":1,\"id\":1,\"to\":\"b\",\"call\":"
			       "\"c\",\"candidate\":null}",
				 &message),
		ROOMS_ERROR_NONE);
	assert_null(message.candidate);
	wire_finish(&message);
}

/* What can be answered keeps its numbers. */
static void test_numbers_survive_an_error(void **state) {
	struct wire_message message;
	assert_int_equal(
		parse("{\"type\":\"login\",\"seq\":3,\"id\":8}", &message), ROOMS_ERROR_BAD_FIELD);
	assert_int_equal(message.seq, 3);
	assert_int_equal(message.id, 8);
	wire_finish(&message);
	assert_int_equal(parse("{\"type\":\"dance\",\"seq\":3,\"id\":8}", &message),
		ROOMS_ERROR_UNKNOWN_TYPE);
	assert_int_equal(message.seq, 3);
	assert_int_equal(message.id, 8);
	wire_finish(&message);
	assert_int_equal(parse("{\"type\":\"login\",\"id\":8,\"name\":\"a\"}", &message),
		ROOMS_ERROR_BAD_SEQUENCE);
	assert_int_equal(message.seq, 0);
	wire_finish(&message);
}

#define LOGIN "{\"type\":\"login\",\"seq\":1,\"id\":1,\"name\":"
#define BODY "{\"type\":\"send\",\"seq\":1,\"id\":1,\"room\":\"r\",\"body\":"

static void test_bad_messages(void **state) {
	static const struct {
		const char *text;
		enum rooms_error error;
	} bad[] = {
		{"", ROOMS_ERROR_BAD_JSON},
		{"{", ROOMS_ERROR_BAD_JSON},
		{"[]", ROOMS_ERROR_BAD_MESSAGE},
		{"null", ROOMS_ERROR_BAD_JSON},
		{"{}", ROOMS_ERROR_BAD_MESSAGE},
		{"{\"type\":7}", ROOMS_ERROR_BAD_MESSAGE},
		{LOGIN "\"a\"}}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\"} x", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\",}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "'a'}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\"/**/}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"\xff\"}", ROOMS_ERROR_BAD_UTF8},
		{LOGIN "\"\xed\xa0\x80\"}", ROOMS_ERROR_BAD_UTF8},
		{LOGIN "\"a\\u0000b\"}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\",\"name\":\"b\"}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\",\"n\\u0061me\":\"b\"}", ROOMS_ERROR_BAD_JSON},
		{BODY "{\"a\":1,\"a\":1}}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "\"a\",\"__proto__\":{}}", ROOMS_ERROR_BAD_FIELD},
		{BODY "[{\"__proto__\":1}]}", ROOMS_ERROR_BAD_FIELD},
		{BODY "{\"\\u005f_proto__\":1}}", ROOMS_ERROR_BAD_FIELD},
		{BODY "9007199254740992}", ROOMS_ERROR_BAD_NUMBER},
		{BODY "-9007199254740992}", ROOMS_ERROR_BAD_NUMBER},
		{BODY "1e999}", ROOMS_ERROR_BAD_NUMBER},
		{BODY "NaN}", ROOMS_ERROR_BAD_NUMBER},
		{BODY "-Infinity}", ROOMS_ERROR_BAD_NUMBER},
		{BODY "[[[[[[[[[1]]]]]]]]]}", ROOMS_ERROR_BAD_JSON},
		{LOGIN "7}", ROOMS_ERROR_BAD_FIELD},
		{LOGIN "null}", ROOMS_ERROR_BAD_FIELD},
		{LOGIN "\"a\",\"extra\":1}", ROOMS_ERROR_BAD_FIELD},
		{"{\"type\":\"login\",\"seq\":0,\"id\":1,\"name\":\"a\"}",
			ROOMS_ERROR_BAD_SEQUENCE},
		{"{\"type\":\"login\",\"seq\":1.0,\"id\":1,\"name\":\"a\"}",
			ROOMS_ERROR_BAD_SEQUENCE},
		{"{\"type\":\"login\",\"seq\":1,\"id\":-1,\"name\":\"a\"}", ROOMS_ERROR_BAD_FIELD},
		{"{\"type\":\"login\",\"seq\":1,\"ack\":-1,\"id\":1,\"name\":\"a\"}",
			ROOMS_ERROR_BAD_FIELD},
		{"{\"type\":\"send\",\"seq\":1,\"id\":1,\"room\":\"r\"}", ROOMS_ERROR_BAD_FIELD},
		{BODY "1,\"to\":[]}", ROOMS_ERROR_BAD_FIELD},
		{BODY "1,\"to\":[1,1]}", ROOMS_ERROR_BAD_FIELD},
		{BODY "1,\"to\":[4294967296]}", ROOMS_ERROR_BAD_FIELD},
		{BODY "1,\"as\":0}", ROOMS_ERROR_BAD_FIELD},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (verdict(bad[i].text) != bad[i].error) {
			fail_msg("%s: %s", bad[i].text, rooms_error_code(verdict(bad[i].text)));
		}
	}
	/* More than 64 bits are malformed to json-c from 0.18 on. */
	assert_int_equal(verdict(BODY "99999999999999999999999}"),
		json_c_version_num() < ((0 << 16) | (18 << 8)) ? ROOMS_ERROR_BAD_NUMBER
							       : ROOMS_ERROR_BAD_JSON);
}

static void test_sizes(void **state) {
	static char text[WIRE_MESSAGE_MAX + 2];
	int head = snprintf(text, sizeof(text), "%s\"", BODY);
	memset(text + head, 'x', 32766);
	strcpy(text + head + 32766, "\"}");
	assert_int_equal(verdict(text), ROOMS_ERROR_NONE);
	strcpy(text + head + 32766, "x\"}");
	assert_int_equal(verdict(text), ROOMS_ERROR_TOO_LARGE);
	memset(text, ' ', WIRE_MESSAGE_MAX + 1);
	memcpy(text, "{\"type\":\"bye\"}", 14);
	text[WIRE_MESSAGE_MAX] = '\0';
	assert_int_equal(verdict(text), ROOMS_ERROR_NONE);
	text[WIRE_MESSAGE_MAX] = ' ';
	assert_int_equal(verdict(text), ROOMS_ERROR_TOO_LARGE);
}

/* What is relayed is JSON again, whatever the parser lets through. */
static void test_relayed_numbers_are_json(void **state) {
	static const char *const numbers[][2] = {{"1.5", "1.5"}, {"-0.25", "-0.25"},
		{"1e3", "1000.0"}, {"9007199254740991", "9007199254740991"}, {"0", "0"},
		/* Not JSON, but json-c takes them. */
		{"01.5", "1.5"}, {"1.", "1.0"}, {"-01.5", "-1.5"}, {"00", "0"},
		{"1.e5", "100000.0"}};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), "%s%s}", BODY, numbers[i][0]);
		struct wire_message message;
		assert_int_equal(parse(text, &message), ROOMS_ERROR_NONE);
		struct wire_writer writer;
		wire_begin(&writer, "message");
		wire_raw(&writer, "body", message.body);
		struct shared_text *out = wire_end(&writer);
		(void)snprintf(
			text, sizeof(text), "\"type\":\"message\",\"body\":%s}", numbers[i][1]);
		assert_string_equal(out->bytes, text);
		shared_text_drop(out);
		wire_finish(&message);
	}
	static const char *const bad[] = {"-", ".5", "+1", "1e", "0x10", "1-2", "--1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), "%s%s}", BODY, bad[i]);
		assert_int_equal(verdict(text), ROOMS_ERROR_BAD_JSON);
	}
}

static void test_writer(void **state) {
	struct wire_writer writer;
	wire_begin(&writer, "ok");
	wire_string(&writer, "s", "a\"\\\n\x01\xc3\xa9/");
	wire_open(&writer, "list", '[');
	wire_integer(&writer, NULL, -1);
	wire_open(&writer, NULL, '{');
	wire_bool(&writer, "b", true);
	wire_close(&writer, '}');
	wire_close(&writer, ']');
	wire_json(&writer, "n", NULL);
	struct shared_text *text = wire_end(&writer);
	assert_string_equal(text->bytes,
		"\"type\":\"ok\",\"s\":\"a\\\"\\\\\\n\\u0001\xc3\xa9/\",\"list\":[-1,{\"b\":true}],"
		"\"n\":null}");
	assert_int_equal(text->length, strlen(text->bytes));
	shared_text_drop(text);
	text = wire_error(7, ROOMS_ERROR_BUSY, NULL, 500);
	assert_non_null(strstr(text->bytes, "\"id\":7,\"code\":\"busy\""));
	assert_non_null(strstr(text->bytes, "\"retryMs\":500}"));
	shared_text_drop(text);
	text = wire_bye(ROOMS_ERROR_TOO_SLOW, 0);
	assert_null(strstr(text->bytes, "retryMs"));
	shared_text_drop(text);
}

struct parts {
	char text[512];
	int count;
};

static bool gather(void *context, const char *text, size_t length) {
	struct parts *parts = context;
	size_t at = strlen(parts->text);
	(void)snprintf(parts->text + at, sizeof(parts->text) - at, "%.*s|", (int)length, text);
	return ++parts->count < 100;
}

static void test_split(void **state) {
	static const struct {
		const char *body;
		const char *parts; /* NULL: refused */
	} bodies[] = {
		{"{\"a\":1}", "{\"a\":1}|"},
		{" [{\"a\":[1,2]},{\"b\":\"],[\\\"\"}] ", "{\"a\":[1,2]}|{\"b\":\"],[\\\"\"}|"},
		{"[{\"a\":\"\\\\\"},{}]", "{\"a\":\"\\\\\"}|{}|"},
		{"[]", "|"}, /* an empty element, refused when parsed */
		{"", "|"},
		{"[{}", NULL},
		{"[{}]x", NULL},
		{"[\"", NULL},
		{"[\"\\", NULL},
		{"[", NULL},
	};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct parts parts = {{0}, 0};
		enum rooms_error error = ROOMS_ERROR_NONE;
		bool good =
			wire_split(bodies[i].body, strlen(bodies[i].body), gather, &parts, &error);
		assert_int_equal(good, bodies[i].parts != NULL);
		assert_string_equal(parts.text, good ? bodies[i].parts : "");
	}
	char many[256] = "[1";
	for (int i = 0; i < 64; i++) {
		strcat(many, ",1");
	}
	strcat(many, "]");
	struct parts parts = {{0}, 0};
	enum rooms_error error = ROOMS_ERROR_NONE;
	assert_false(wire_split(many, strlen(many), gather, &parts, &error));
	assert_int_equal(error, ROOMS_ERROR_TOO_LARGE);
}

static void test_every_error_has_words(void **state) {
	for (int i = 0; i < ROOMS_ERROR_COUNT; i++) {
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(rooms_error_code(i), rooms_error_code(j));
		}
		assert_true(i == ROOMS_ERROR_NONE || *rooms_error_message(i) != '\0');
		assert_true(i == ROOMS_ERROR_NONE || *rooms_error_remedy(i) != '\0');
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_a_session),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_numbers_survive_an_error),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_relayed_numbers_are_json),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_every_error_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
