#include "hub_rig.h"

static void login(struct rig *rig, int who, const char *name) {
	char *request = g_strdup_printf("{'type':'login','name':'%s'}", name);
	rig_ok(rig, who, request, NULL);
	g_free(request);
}

static void test_login(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_ok(&rig, 0, "{'type':'login','name':'Ann'}", "'name':'Ann'", NULL);
	static const struct {
		const char *name;
		enum rooms_error error;
	} names[] = {
		{"Ann", ROOMS_ERROR_TAKEN},
		{"ann", ROOMS_ERROR_TAKEN},
		{"\xef\xbc\xa1nn", ROOMS_ERROR_TAKEN},         /* full width */
		{"A\xe2\x80\x8dnn", ROOMS_ERROR_TAKEN},        /* a joiner within */
		{"A\xf3\xa0\x81\x81nn", ROOMS_ERROR_BAD_NAME}, /* a tag */
		{"", ROOMS_ERROR_EMPTY},
		{"  ", ROOMS_ERROR_EMPTY},
		{"\xe2\x80\x8d", ROOMS_ERROR_EMPTY},
		{"\xe3\x85\xa4", ROOMS_ERROR_EMPTY}, /* Hangul filler */
		{"server", ROOMS_ERROR_RESERVED},
		{"SyStem", ROOMS_ERROR_RESERVED},
		{" Bob", ROOMS_ERROR_BAD_NAME},
		{"Bob ", ROOMS_ERROR_BAD_NAME},
		{"Bob\xe3\x80\x80", ROOMS_ERROR_BAD_NAME},
		{"B\\u0007ob", ROOMS_ERROR_BAD_NAME},
		{"B\xe2\x80\xaeob", ROOMS_ERROR_BAD_NAME}, /* right-to-left override */
		{"123456789012345678901234567890123", ROOMS_ERROR_TOO_LONG},
		{"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		 "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		 "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		 "\xf0\x9f\x98\x80!",
			ROOMS_ERROR_TOO_LONG},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *request = g_strdup_printf("{'type':'login','name':'%s'}", names[i].name);
		rig_refused(&rig, 1, request, names[i].error);
		g_free(request);
	}
	rig_ok(&rig, 1, "{'type':'login','name':'Zo\xc3\xab O\xe2\x80\x99Neil'}", NULL);
	rig_refused(&rig, 1, "{'type':'login','name':'Bob'}", ROOMS_ERROR_LOGGED_IN);
	/* The same letter, composed differently. */
	rig_refused(&rig, 2, "{'type':'login','name':'zoe\xcc\x88 o\xe2\x80\x99neil'}",
		ROOMS_ERROR_TAKEN);
	rig_ok(&rig, 0, "{'type':'logout'}", NULL);
	rig_refused(&rig, 0, "{'type':'logout'}", ROOMS_ERROR_LOGIN_REQUIRED);
	rig_ok(&rig, 2, "{'type':'login','name':'ann'}", NULL);
	rig_gone(&rig, 2);
	login(&rig, 0, "ANN");
	rig_silent(&rig);
	assert_int_equal(hub_counts(rig.hub)->named, 2);
	rig_finish(&rig);
}

static void test_call(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_refused(&rig, 0, "{'type':'offer','to':'Bob','call':'c','sdp':'o'}",
		ROOMS_ERROR_LOGIN_REQUIRED);
	login(&rig, 0, "Ann");
	rig_refused(&rig, 0, "{'type':'offer','to':'Bob','call':'c','sdp':'o'}",
		ROOMS_ERROR_UNKNOWN_NAME);
	rig_refused(&rig, 0, "{'type':'offer','to':'ann','call':'c','sdp':'o'}", ROOMS_ERROR_SELF);
	login(&rig, 1, "Bob");
	rig_refused(
		&rig, 0, "{'type':'answer','to':'Bob','call':'c','sdp':'o'}", ROOMS_ERROR_NO_CALL);
	rig_refused(&rig, 0, "{'type':'close','to':'Bob','call':'c'}", ROOMS_ERROR_NO_CALL);
	rig_ok(&rig, 0, "{'type':'offer','to':'bob','call':'c','sdp':'v=0\\r\\n'}", NULL);
	rig_heard(&rig, 1, "{'type':'offer','from':'Ann','call':'c','sdp':'v=0\\r\\n'}");
	rig_refused(
		&rig, 1, "{'type':'answer','to':'Ann','call':'d','sdp':'a'}", ROOMS_ERROR_NO_CALL);
	rig_ok(&rig, 1, "{'type':'answer','to':'Ann','call':'c','sdp':'a'}", NULL);
	rig_heard(&rig, 0, "{'type':'answer','from':'Bob','call':'c','sdp':'a'}");
	/* Without an id only a failure is answered. */
	rig_say(&rig, 1, "{'type':'candidate','to':'Ann','call':'c','candidate':null}", false);
	rig_heard(&rig, 0, "{'type':'candidate','from':'Bob','call':'c','candidate':null}");
	rig_silent(&rig);
	rig_say(&rig, 1, "{'type':'candidate','to':'Ann','call':'d','candidate':null}", false);
	char *refusal = g_queue_pop_tail(&rig.peers[1].inbox);
	assert_non_null(strstr(refusal, "\"code\":\"no-call\""));
	assert_null(strstr(refusal, "\"id\""));
	g_free(refusal);
	rig_ok(&rig, 1,
		"{'type':'candidate','to':'Ann','call':'c','candidate':{'candidate':'x/y'}}", NULL);
	rig_heard(&rig, 0,
		"{'type':'candidate','from':'Bob','call':'c','candidate':{'candidate':'x/y'}}");
	rig_ok(&rig, 0, "{'type':'candidate','to':'Bob','call':'c','candidate':null}", NULL);
	rig_heard(&rig, 1, "{'type':'candidate','from':'Ann','call':'c','candidate':null}");
	/* Renegotiated from the other side: still one call. */
	rig_ok(&rig, 1, "{'type':'offer','to':'Ann','call':'c','sdp':'o2'}", NULL);
	rig_heard(&rig, 0, "{'type':'offer','from':'Bob','call':'c','sdp':'o2'}");
	assert_int_equal(hub_counts(rig.hub)->calls, 1);
	rig_ok(&rig, 0, "{'type':'close','to':'Bob','call':'c','reason':'declined'}", NULL);
	rig_heard(&rig, 1, "{'type':'close','from':'Ann','call':'c','reason':'declined'}");
	assert_int_equal(hub_counts(rig.hub)->calls, 0);
	rig_refused(&rig, 1, "{'type':'close','to':'Ann','call':'c'}", ROOMS_ERROR_NO_CALL);
	/* A third cannot speak in a call of two. */
	rig_ok(&rig, 0, "{'type':'offer','to':'Bob','call':'c','sdp':'o'}", NULL);
	login(&rig, 2, "Eve");
	rig_refused(&rig, 2, "{'type':'close','to':'Ann','call':'c'}", ROOMS_ERROR_NO_CALL);
	rig_refused(&rig, 2, "{'type':'candidate','to':'Bob','call':'c','candidate':null}",
		ROOMS_ERROR_NO_CALL);
	rig_forget(&rig);
	rig_finish(&rig);
}

static void test_peer_vanishes(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	login(&rig, 0, "Ann");
	login(&rig, 1, "Bob");
	login(&rig, 2, "Cy");
	rig_ok(&rig, 0, "{'type':'offer','to':'Bob','call':'c','sdp':'o'}", NULL);
	rig_ok(&rig, 2, "{'type':'offer','to':'Bob','call':'d','sdp':'o'}", NULL);
	rig_forget(&rig);
	hub_away(rig.hub, rig.peers[1].user);
	hub_away(rig.hub, rig.peers[1].user); /* said once */
	rig_heard(&rig, 0, "{'type':'away','from':'Bob','call':'c'}");
	rig_heard(&rig, 2, "{'type':'away','from':'Bob','call':'d'}");
	hub_back(rig.hub, rig.peers[1].user);
	rig_heard(&rig, 0, "{'type':'back','from':'Bob','call':'c'}");
	rig_heard(&rig, 2, "{'type':'back','from':'Bob','call':'d'}");
	rig_ok(&rig, 0, "{'type':'logout'}", NULL);
	rig_heard(&rig, 1, "{'type':'close','from':'Ann','call':'c','reason':'logout'}");
	rig_gone(&rig, 1);
	rig_heard(&rig, 2, "{'type':'close','from':'Bob','call':'d','reason':'gone'}");
	rig_silent(&rig);
	rig_refused(&rig, 2, "{'type':'offer','to':'Bob','call':'d','sdp':'o'}",
		ROOMS_ERROR_UNKNOWN_NAME);
	rig_finish(&rig);
}

static void test_bounds(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	login(&rig, 0, "Ann");
	login(&rig, 1, "Bob");
	for (int i = 0; i < (int)HUB_CALLS_MAX; i++) {
		char *request =
			g_strdup_printf("{'type':'offer','to':'Bob','call':'%d','sdp':'o'}", i);
		rig_ok(&rig, 0, request, NULL);
		g_free(request);
	}
	rig_refused(&rig, 0, "{'type':'offer','to':'Bob','call':'x','sdp':'o'}",
		ROOMS_ERROR_TOO_MANY_CALLS);
	rig_forget(&rig);
	rig.peers[1].takes = 40;
	rig_refused(&rig, 0, "{'type':'offer','to':'Bob','call':'0','sdp':'o'}", ROOMS_ERROR_BUSY);
	rig_silent(&rig);
	rig_ok(&rig, 0, "{'type':'close','to':'Bob','call':'0'}", NULL);
	rig_heard(&rig, 1, "{'type':'close','from':'Ann','call':'0','reason':'closed'}");
	/* Refused as busy, an offer begins no call. */
	rig_refused(&rig, 0, "{'type':'offer','to':'Bob','call':'n','sdp':'o'}", ROOMS_ERROR_BUSY);
	assert_int_equal(hub_counts(rig.hub)->calls, HUB_CALLS_MAX - 1);
	hub_drain(rig.hub);
	rig_refused(&rig, 2, "{'type':'login','name':'Cy'}", ROOMS_ERROR_DRAINING);
	rig_refused(&rig, 2, "{'type':'join','room':'r','nickname':'Cy','kind':'data'}",
		ROOMS_ERROR_DRAINING);
	assert_int_equal(hub_counts(rig.hub)->errors[ROOMS_ERROR_BUSY], 2);
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_peer_vanishes),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
