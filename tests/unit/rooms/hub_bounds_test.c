/* How much members may send, tell and keep in a room. */
#include "hub_rig.h"

/* Sends a text of so many characters; `to` is "" for everybody. */
static void send_text(struct rig *rig, const char *to, int length, enum rooms_error error) {
	char *text = g_strnfill((gsize)length, 'x');
	char *request = g_strdup_printf("{'type':'send','room':'r',%s'body':'%s'}", to, text);
	if (error == ROOMS_ERROR_NONE) {
		rig_ok(rig, 0, request, NULL);
	} else {
		rig_refused(rig, 0, request, error);
	}
	g_free(request);
	g_free(text);
}

static void test_send_is_all_or_nothing(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	for (int i = 0; i < 3; i++) {
		join(&rig, i);
	}
	rig_refused(&rig, 0, "{'type':'send','room':'r','to':[2,9],'body':1}",
		ROOMS_ERROR_UNKNOWN_CONNECTION);
	rig_refused(&rig, 0, "{'type':'send','room':'r','to':[1],'body':1}", ROOMS_ERROR_SELF);
	rig.peers[2].takes = 1000;
	send_text(&rig, "'to':[2,3],", 1000, ROOMS_ERROR_BUSY);
	rig_silent(&rig);
	send_text(&rig, "'to':[2,3],", 100, ROOMS_ERROR_NONE);
	rig_forget(&rig);
	/* One session may have several connections: it gets a message for each. */
	rig_ok(&rig, 2, "{'type':'join','room':'r','nickname':'N','kind':'data'}", NULL);
	rig_forget(&rig);
	send_text(&rig, "'to':[3,4],", 500, ROOMS_ERROR_BUSY);
	rig.peers[2].takes = SIZE_MAX;
	send_text(&rig, "'to':[3,4],", 500, ROOMS_ERROR_NONE);
	rig_forget(&rig);
	send_text(&rig, "'to':[3,4],", 20000, ROOMS_ERROR_TOO_LARGE);
	rig_silent(&rig);
	/* A connection of another room is not one of this. */
	rig_ok(&rig, 3, "{'type':'join','room':'q','nickname':'N','kind':'data'}", "'connection':5",
		NULL);
	rig_refused(&rig, 0, "{'type':'send','room':'r','to':[5],'body':1}",
		ROOMS_ERROR_UNKNOWN_CONNECTION);
	rig_refused(&rig, 0, "{'type':'kick','room':'r','connection':5}",
		ROOMS_ERROR_UNKNOWN_CONNECTION);
	rig_finish(&rig);
}

/* Nobody makes others too slow by telling everybody more than they can read. */
static void test_told_to_all_is_bounded(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	join(&rig, 0);
	join(&rig, 1);
	rig_forget(&rig);
	rig.now += 60000;
	send_text(&rig, "", HUB_ROOM_BYTES_AT_ONCE + 1, ROOMS_ERROR_TOO_LARGE);
	send_text(&rig, "", 12000, ROOMS_ERROR_NONE);
	send_text(&rig, "", 12000, ROOMS_ERROR_BUSY);
	/* It is the room's bound, whatever it is that all are told, and whoever tells it. */
	char *text = g_strnfill(2000, 'x');
	char *data = g_strdup_printf("'data':{'d':'%s'}}", text);
	char *publish = g_strconcat(
		"{'type':'publish','room':'r','stream':'s','audio':true,'video':true,", data, NULL);
	char *change = g_strconcat(
		"{'type':'change','room':'r','stream':'s','audio':true,'video':true,", data, NULL);
	char *come = g_strconcat(JOIN ",", data, NULL);
	rig_ok(&rig, 1, publish, NULL);
	rig_ok(&rig, 1, change, NULL);
	rig_refused(&rig, 1, change, ROOMS_ERROR_BUSY);
	rig_refused(&rig, 2, come, ROOMS_ERROR_BUSY);
	assert_int_equal(g_queue_get_length(&rig.peers[1].inbox), 1);
	assert_int_equal(g_queue_get_length(&rig.peers[0].inbox), 2);
	rig.now += 1000;
	rig_ok(&rig, 2, come, NULL);
	g_free(come);
	g_free(change);
	g_free(publish);
	g_free(data);
	g_free(text);
	rig_finish(&rig);
}

/* So that what a newcomer is told of them stays bounded, the members' data is. */
static void test_data_is_bounded(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	char *text = g_strnfill(2000, 'x');
	char *data = g_strdup_printf("{'d':'%s'}", text);
	unsigned kept = 0;
	const char *full = rooms_error_code(ROOMS_ERROR_ROOM_FULL);
	for (unsigned i = 0; i < 8 * HUB_USER_ROOM_MAX; i++) {
		char *joins = g_strdup_printf(JOIN ",'data':%s}", data);
		rig_ok(&rig, (int)(i / HUB_USER_ROOM_MAX), joins, NULL);
		g_free(joins);
		kept++;
		rig.now += 1000;
	}
	unsigned streams = 0;
	for (bool more = true; more; rig.now += 1000) {
		char *publishes = g_strdup_printf("{'type':'publish','room':'r','as':%u,'stream':'%"
						  "u','audio':true,'video':true,"
						  "'data':%s}",
			1 + streams / HUB_STREAMS_MAX, streams, data);
		char *answer = rig_answer(
			&rig, (int)(streams / HUB_STREAMS_MAX / HUB_USER_ROOM_MAX), publishes);
		more = strstr(answer, full) == NULL;
		streams += more;
		g_free(answer);
		g_free(publishes);
	}
	assert_int_equal(kept + streams, HUB_ROOM_DATA_MAX / strlen(data));
	char *joins = g_strdup_printf(JOIN ",'data':%s}", data);
	rig_ok(&rig, 7, "{'type':'leave','room':'r','as':64}", NULL);
	rig_ok(&rig, 7, joins, NULL);
	rig_gone(&rig, 7);
	rig_refused(&rig, 6, joins, ROOMS_ERROR_TOO_MANY_CONNECTIONS);
	g_free(joins);
	g_free(data);
	g_free(text);
	rig_finish(&rig);
}

/* The 1,001st is refused, and a room's end frees all. */
static void test_room_is_bounded(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	static struct peer crowd[HUB_ROOM_MAX / HUB_USER_ROOM_MAX];
	for (size_t i = 0; i < G_N_ELEMENTS(crowd); i++) {
		g_queue_init(&crowd[i].inbox);
		crowd[i].user = hub_enter(rig.hub, &crowd[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(crowd); i++) {
		for (unsigned j = 0; j < HUB_USER_ROOM_MAX; j++) {
			struct wire_message message;
			enum rooms_error error = ROOMS_ERROR_NONE;
			char detail[64];
			static const char text[] =
				"{\"type\":\"join\",\"seq\":1,\"id\":1,\"room\":\"r\",\"nickname\":"
				"\"N\",\"kind\":\"data\"}";
			assert_true(wire_parse(text, strlen(text), &message, &error, detail));
			rig.now += 10;
			hub_request(rig.hub, crowd[i].user, &message, rig.now);
			wire_finish(&message);
		}
	}
	assert_int_equal(hub_counts(rig.hub)->connections, HUB_ROOM_MAX);
	rig_refused(&rig, 0, JOIN "}", ROOMS_ERROR_ROOM_FULL);
	assert_true(hub_room_close(rig.hub, "r"));
	assert_int_equal(hub_counts(rig.hub)->connections, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(crowd); i++) {
		g_queue_clear_full(&crowd[i].inbox, g_free);
	}
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send_is_all_or_nothing),
		cmocka_unit_test(test_told_to_all_is_bounded),
		cmocka_unit_test(test_data_is_bounded),
		cmocka_unit_test(test_room_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
