#include "rooms/net/net_frames.h"

#include <glib.h>
#include <string.h>

#include "unit.h"

/* A masked frame. Its mask is none that hides anything. */
static GByteArray *frame(unsigned first, size_t length) {
	GByteArray *bytes = g_byte_array_new();
	guint8 head[14] = {(guint8)first};
	guint size = 2;
	if (length < 126) {
		head[1] = (guint8)(0x80 | length);
	} else if (length < 65536) {
		head[1] = 0x80 | 126;
		head[2] = (guint8)(length >> 8);
		head[3] = (guint8)length;
		size = 4;
	} else {
		head[1] = 0x80 | 127;
		for (guint i = 0; i < 8; i++) {
			head[2 + i] = (guint8)(length >> (8 * (7 - i)));
		}
		size = 10;
	}
	g_byte_array_append(bytes, head, size + 4);
	g_byte_array_set_size(bytes, size + 4 + (guint)length);
	memset(bytes->data + size + 4, 0x81, length); /* as another frame's first byte */
	return bytes;
}

static void append(GByteArray *to, GByteArray *bytes) {
	g_byte_array_append(to, bytes->data, bytes->len);
	g_byte_array_unref(bytes);
}

/* Hands them on in pieces; gives how many bytes were good, all in all. */
static size_t follow(const GByteArray *bytes, size_t piece, const struct net_fault **fault) {
	struct net_frames frames = {0};
	size_t good = 0;
	*fault = NULL;
	for (size_t at = 0; at < bytes->len && *fault == NULL; at += piece) {
		size_t length = MIN(piece, bytes->len - at);
		size_t took = net_frames_follow(&frames, bytes->data + at, length, fault);
		assert_true(took == length || *fault != NULL);
		good = at + took;
	}
	return good;
}

static void test_right(void **state) {
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	for (size_t length = 0; length < 300; length++) {
		append(bytes, frame(0x81, length));
	}
	append(bytes, frame(0x01, 65535));
	append(bytes, frame(0x89, 125));
	append(bytes, frame(0x00, 65536));
	append(bytes, frame(0x8a, 0));
	append(bytes, frame(0x80, 0));
	GByteArray *close = frame(0x88, 2);
	memcpy(close->data + 6, (const guint8[]){0x03, 0xe8}, 2);
	append(bytes, close);
	append(bytes, frame(0x88, 0));
	for (size_t piece = 1; piece <= bytes->len; piece = piece < 20 ? piece + 1 : piece * 3) {
		const struct net_fault *fault = NULL;
		assert_int_equal(follow(bytes, piece, &fault), bytes->len);
		assert_null(fault);
	}
}

static void test_wrong(void **state) {
	static const struct {
		unsigned first, second;
		enum net_drop why;
		unsigned code;
	} wrong[] = {
		{0x81, 0x05, NET_DROP_UNMASKED, 1002},
		{0x89, 0x00, NET_DROP_UNMASKED, 1002},
		{0xc1, 0x85, NET_DROP_FRAME, 1002},
		{0x91, 0x85, NET_DROP_FRAME, 1002},
		{0x83, 0x85, NET_DROP_FRAME, 1002},
		{0x8b, 0x85, NET_DROP_FRAME, 1002},
		{0x80, 0x85, NET_DROP_FRAME, 1002},
		{0x09, 0x85, NET_DROP_FRAME, 1002},
		{0x89, 0xfe, NET_DROP_FRAME, 1002},
		{0x88, 0x81, NET_DROP_FRAME, 1002},
		/* Code 0x8181 of the payload, with a mask of 0. */
		{0x88, 0x82, NET_DROP_CLOSE_CODE, 1002},
		/* 0x8181… bytes. */
		{0x81, 0xff, NET_DROP_MESSAGE_SIZE, 1009},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GByteArray) bytes = frame(0x81, 200);
		guint good = bytes->len;
		g_byte_array_append(bytes,
			(const guint8[]){(guint8)wrong[i].first, (guint8)wrong[i].second}, 2);
		g_byte_array_append(
			bytes, (const guint8[4]){0}, wrong[i].why == NET_DROP_CLOSE_CODE ? 4 : 0);
		for (int more = 0; more < 20; more++) {
			g_byte_array_append(bytes, (const guint8[]){0x81}, 1);
		}
		for (size_t piece = 1; piece < bytes->len + 1; piece++) {
			const struct net_fault *fault = NULL;
			(void)follow(bytes, piece, &fault);
			assert_non_null(fault);
			assert_int_equal(fault->why, wrong[i].why);
			assert_int_equal(fault->code, wrong[i].code);
		}
		const struct net_fault *fault = NULL;
		assert_int_equal(follow(bytes, bytes->len, &fault), good);
	}
}

static void test_flood(void **state) {
	struct net_frames frames = {0};
	const struct net_fault *fault = NULL;
	g_autoptr(GByteArray) ping = frame(0x89, 3);
	for (int beat = 0; beat < 3; beat++) {
		frames.controls = 0;
		for (unsigned i = 0; i < NET_CONTROLS_MAX; i++) {
			(void)net_frames_follow(&frames, ping->data, ping->len, &fault);
			assert_null(fault);
		}
	}
	assert_int_equal(net_frames_follow(&frames, ping->data, ping->len, &fault), 0);
	assert_int_equal(fault->why, NET_DROP_CONTROLS);
	assert_int_equal(fault->code, 1008);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
