/* Two clients of the lesson, and one of ours, on a real hub. */
#include "rooms/dialect_lesson.h"

#include "hub_rig.h"

static struct lesson lessons[8];

/* Says it in the lesson's words (with ' for "); gives the error, or NONE. */
static enum rooms_error say(struct rig *rig, int who, const char *text) {
	char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	struct wire_message message;
	enum rooms_error error = ROOMS_ERROR_NONE;
	if (lesson_read(&lessons[who], quoted, strlen(quoted), &message, &error)) {
		assert_int_equal(error, ROOMS_ERROR_NONE);
		hub_request(rig->hub, rig->peers[who].user, &message, rig->now);
	}
	wire_finish(&message);
	g_free(quoted);
	return error;
}

/* All it is sent, in the lesson's words, one after the other, with ' for ". */
static void heard(struct rig *rig, int who, const char *expected) {
	GString *all = g_string_new(NULL);
	char *got = NULL;
	while ((got = g_queue_pop_head(&rig->peers[who].inbox)) != NULL) {
		struct shared_text *text = shared_text_create(got, strlen(got));
		struct shared_text *theirs = lesson_write(&lessons[who], text);
		if (theirs != NULL) {
			g_string_append_printf(all, "{%s", theirs->bytes);
		}
		shared_text_drop(theirs);
		shared_text_drop(text);
		g_free(got);
	}
	g_strdelimit(all->str, "\"", '\'');
	assert_string_equal(all->str, expected);
	g_string_free(all, TRUE);
}

static void test_call(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	memset(lessons, 0, sizeof(lessons));
	assert_int_equal(say(&rig, 0, "{'type':'login','username':'ann'}"), ROOMS_ERROR_NONE);
	heard(&rig, 0, "{'type':'login','success':true}");
	(void)say(&rig, 1, "{'type':'login','username':'ann'}");
	heard(&rig, 1, "{'type':'login','success':false}");
	(void)say(&rig, 1, "{'type':'login','username':'bob'}");
	heard(&rig, 1, "{'type':'login','success':true}");
	/* The first message of a call names the peer, none after it does. */
	(void)say(&rig, 0,
		"{'type':'offer','offer':{'type':'offer','sdp':'o'},'otherUsername':'bob'}");
	heard(&rig, 0, "");
	heard(&rig, 1, "{'type':'offer','offer':{'type':'offer','sdp':'o'},'username':'ann'}");
	(void)say(&rig, 1, "{'type':'answer','answer':{'type':'answer','sdp':'a'}}");
	heard(&rig, 0, "{'type':'answer','answer':{'type':'answer','sdp':'a'}}");
	(void)say(&rig, 0, "{'type':'candidate','candidate':{'candidate':'c','sdpMLineIndex':0}}");
	heard(&rig, 1, "{'type':'candidate','candidate':{'candidate':'c','sdpMLineIndex':0}}");
	hub_away(rig.hub, rig.peers[0].user);
	heard(&rig, 1, "");
	hub_back(rig.hub, rig.peers[0].user);
	(void)say(&rig, 1, "{'type':'close'}");
	heard(&rig, 0, "{'type':'close'}");
	heard(&rig, 1, "");
	/* And another call, the other way round. */
	(void)say(&rig, 1,
		"{'type':'offer','offer':{'type':'offer','sdp':'p'},'otherUsername':'ann'}");
	heard(&rig, 0, "{'type':'offer','offer':{'type':'offer','sdp':'p'},'username':'bob'}");
	rig_gone(&rig, 0);
	heard(&rig, 1, "{'type':'close'}");
	rig_finish(&rig);
}

/* Where the lesson's own server ends. */
static void test_what_ends_the_seeds_server(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	memset(lessons, 0, sizeof(lessons));
	(void)say(&rig, 0, "{'type':'login','username':'ann'}");
	heard(&rig, 0, "{'type':'login','success':true}");
	static const char *const early[] = {"{'type':'close'}", "{'type':'answer','answer':{}}",
		"{'type':'candidate','candidate':null}", "{'type':'offer','offer':null}",
		"{'type':'close','otherUsername':7}"};
	for (size_t i = 0; i < G_N_ELEMENTS(early); i++) {
		assert_int_equal(say(&rig, 0, early[i]), ROOMS_ERROR_NONE);
		heard(&rig, 0, "");
	}
	(void)say(&rig, 0, "{'type':'offer','offer':{'sdp':'o'},'otherUsername':'nobody'}");
	heard(&rig, 0,
		"{'type':'error','code':'unknown-name','message':'Nobody of this name is here.',"
		"'remedy':'Check the name, or call later.'}");
	assert_int_equal(say(&rig, 0, "{'type':'dance'}"), ROOMS_ERROR_UNKNOWN_TYPE);
	assert_int_equal(say(&rig, 0, "{'username':'x'}"), ROOMS_ERROR_BAD_MESSAGE);
	assert_int_equal(say(&rig, 0, "[1]"), ROOMS_ERROR_BAD_MESSAGE);
	assert_int_equal(say(&rig, 0, "{'type':'login','username':'a','username':'b'}"),
		ROOMS_ERROR_BAD_JSON);
	(void)say(&rig, 0, "{'type':'login'}");
	heard(&rig, 0, "{'type':'login','success':false}");
	rig_finish(&rig);
}

/* Ours calls theirs, under a name of its own for the call; a third does not get between. */
static void test_with_one_of_ours(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	memset(lessons, 0, sizeof(lessons));
	(void)say(&rig, 0, "{'type':'login','username':'ann'}");
	heard(&rig, 0, "{'type':'login','success':true}");
	rig_ok(&rig, 1, "{'type':'login','name':'Bob'}", NULL);
	rig_ok(&rig, 1, "{'type':'offer','to':'ann','call':'x7','sdp':'o'}", NULL);
	heard(&rig, 0, "{'type':'offer','offer':{'type':'offer','sdp':'o'},'username':'Bob'}");
	(void)say(&rig, 0, "{'type':'answer','answer':{'type':'answer','sdp':'a'}}");
	rig_heard(&rig, 1, "{'type':'answer','from':'ann','call':'x7','sdp':'a'}");
	rig_ok(&rig, 1, "{'type':'candidate','to':'ann','call':'x7','candidate':null}", NULL);
	heard(&rig, 0, "");
	rig_ok(&rig, 1, "{'type':'close','to':'ann','call':'x7'}", NULL);
	heard(&rig, 0, "{'type':'close'}");
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_what_ends_the_seeds_server),
		cmocka_unit_test(test_with_one_of_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
