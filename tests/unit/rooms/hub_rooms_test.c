#include "hub_rig.h"

static void token(struct rig *rig, const char *room, enum wire_role role, const char *nickname,
	uint8_t nonce, char text[TOKEN_TEXT_MAX]) {
	struct token_claims claims = {.role = role, .expires = rig->now + TOKEN_LIFETIME_MS};
	(void)snprintf(claims.room, sizeof(claims.room), "%s", room);
	(void)snprintf(claims.nickname, sizeof(claims.nickname), "%s", nickname);
	(void)snprintf(claims.data, sizeof(claims.data), "from the backend");
	claims.nonce[0] = nonce;
	assert_true(token_issue(rig->tokens, &claims, text));
}

static char *join_with(const char *room, const char *text) {
	return g_strdup_printf(
		"{'type':'join','room':'%s','nickname':'N','kind':'camera','token':'%s'}", room,
		text);
}

static void refused_with(
	struct rig *rig, int who, const char *room, const char *text, enum rooms_error error) {
	char *request = join_with(room, text);
	rig_refused(rig, who, request, error);
	g_free(request);
}

static void test_join_and_leave(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_ok(&rig, 0,
		"{'type':'join','room':'r','nickname':'Ann','kind':'camera','data':{'a':1}}",
		"'connection':1,'role':'moderator','owner':1,'locked':false,'admit':false,"
		"'members':[],'knocks':[]",
		NULL);
	rig_ok(&rig, 1, "{'type':'join','room':'r','nickname':'Bob','kind':'screen'}",
		"'connection':2,'role':'publisher','owner':1",
		"'members':[{'connection':1,'person':1,'nickname':'Ann','role':'moderator','kind':'"
		"camera',"
		"'away':false,'data':{'a':1},'streams':[]}]}",
		NULL);
	rig_heard(&rig, 0,
		"{'type':'joined','room':'r','member':{'connection':2,'person':2,'nickname':'Bob','"
		"role':"
		"'publisher','kind':'screen','away':false,'streams':[]}}");
	hub_away(rig.hub, rig.peers[1].user);
	rig_heard(&rig, 0, "{'type':'away','room':'r','connection':2}");
	hub_back(rig.hub, rig.peers[1].user);
	rig_heard(&rig, 0, "{'type':'back','room':'r','connection':2}");
	rig_refused(&rig, 2, "{'type':'leave','room':'r'}", ROOMS_ERROR_NOT_MEMBER);
	rig_refused(&rig, 1, "{'type':'leave','room':'r','as':1}", ROOMS_ERROR_NOT_MEMBER);
	rig_ok(&rig, 1, "{'type':'leave','room':'r'}", NULL);
	rig_heard(&rig, 0, "{'type':'left','room':'r','connection':2,'reason':'left'}");
	rig_silent(&rig);
	rig_ok(&rig, 0, "{'type':'leave','room':'r'}", NULL);
	assert_false(hub_room_exists(rig.hub, "r"));
	assert_int_equal(hub_counts(rig.hub)->rooms, 0);
	assert_int_equal(hub_counts(rig.hub)->connections, 0);
	static const char *const names[] = {"", "a b", "r/../x", "\xc3\xa9"};
	static const enum rooms_error errors[] = {ROOMS_ERROR_EMPTY, ROOMS_ERROR_BAD_NAME,
		ROOMS_ERROR_BAD_NAME, ROOMS_ERROR_BAD_NAME};
	for (int i = 0; i < 4; i++) {
		char *request = g_strdup_printf(
			"{'type':'join','room':'%s','nickname':'N','kind':'data'}", names[i]);
		rig_refused(&rig, 0, request, errors[i]);
		g_free(request);
	}
	rig_refused(&rig, 0, "{'type':'join','room':'r','nickname':'server','kind':'data'}",
		ROOMS_ERROR_RESERVED);
	assert_int_equal(hub_counts(rig.hub)->rooms, 0);
	rig_finish(&rig);
}

/* A camera and a screen of one session: events come once. */
static void test_several_connections(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	join(&rig, 0);
	join(&rig, 1);
	rig_ok(&rig, 1, "{'type':'join','room':'r','nickname':'N','kind':'screen'}",
		"'connection':3", NULL);
	rig_forget(&rig);
	rig_refused(&rig, 1, "{'type':'send','room':'r','body':1}", ROOMS_ERROR_WHICH_CONNECTION);
	rig_ok(&rig, 0, "{'type':'send','room':'r','body':'hi'}", NULL);
	rig_heard(&rig, 1, "{'type':'message','room':'r','from':1,'body':'hi'}");
	rig_ok(&rig, 0, "{'type':'send','room':'r','to':[3,2],'body':null}", NULL);
	rig_heard(&rig, 1, "{'type':'message','room':'r','from':1,'connection':3,'body':null}");
	rig_heard(&rig, 1, "{'type':'message','room':'r','from':1,'connection':2,'body':null}");
	rig_ok(&rig, 1, "{'type':'send','room':'r','as':3,'to':[2],'body':0}", NULL);
	rig_heard(&rig, 1, "{'type':'message','room':'r','from':3,'connection':2,'body':0}");
	rig_ok(&rig, 1, "{'type':'leave','room':'r','as':2}", NULL);
	rig_heard(&rig, 0, "{'type':'left','room':'r','connection':2,'reason':'left'}");
	rig_silent(&rig);
	for (unsigned i = 1; i < HUB_USER_ROOM_MAX; i++) {
		join(&rig, 1);
	}
	rig_refused(&rig, 1, JOIN "}", ROOMS_ERROR_TOO_MANY_CONNECTIONS);
	rig_finish(&rig);
}

static void test_streams(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	join(&rig, 0);
	join(&rig, 1);
	rig_ok(&rig, 1,
		"{'type':'publish','room':'r','stream':'s','audio':true,'video':true,'data':{'t':1}"
		"}",
		NULL);
	rig_heard(&rig, 0,
		"{'type':'published','room':'r','connection':2,'stream':{'stream':'s','audio':true,"
		"'video':true,'data':{'t':1}}}");
	rig_refused(&rig, 1, "{'type':'publish','room':'r','stream':'s','audio':true,'video':true}",
		ROOMS_ERROR_STREAM_EXISTS);
	rig_ok(&rig, 1, "{'type':'change','room':'r','stream':'s','audio':false,'video':true}",
		NULL);
	rig_heard(&rig, 0,
		"{'type':'changed','room':'r','connection':2,'stream':{'stream':'s','audio':false,"
		"'video':true,'data':{'t':1}}}");
	rig_refused(&rig, 0, "{'type':'change','room':'r','stream':'s','audio':false,'video':true}",
		ROOMS_ERROR_UNKNOWN_STREAM);
	rig_ok(&rig, 2, JOIN "}", "'streams':[{'stream':'s','audio':false,'video':true", NULL);
	rig_forget(&rig);
	rig_refused(&rig, 2, "{'type':'stop','room':'r','connection':2,'stream':'s'}",
		ROOMS_ERROR_FORBIDDEN);
	rig_refused(&rig, 0, "{'type':'stop','room':'r','connection':9,'stream':'s'}",
		ROOMS_ERROR_UNKNOWN_CONNECTION);
	rig_refused(&rig, 0, "{'type':'stop','room':'r','connection':2,'stream':'t'}",
		ROOMS_ERROR_UNKNOWN_STREAM);
	rig_ok(&rig, 0, "{'type':'stop','room':'r','connection':2,'stream':'s'}", NULL);
	static const char stopped[] =
		"{'type':'unpublished','room':'r','connection':2,'stream':'s',"
		"'reason':'stopped'}";
	rig_heard(&rig, 1, stopped);
	rig_heard(&rig, 2, stopped);
	rig_refused(&rig, 1, "{'type':'unpublish','room':'r','stream':'s'}",
		ROOMS_ERROR_UNKNOWN_STREAM);
	for (unsigned i = 0; i < HUB_STREAMS_MAX; i++) {
		char *request =
			g_strdup_printf("{'type':'publish','room':'r','stream':'%u','audio':"
					"false,'video':true}",
				i);
		rig_ok(&rig, 1, request, NULL);
		g_free(request);
	}
	rig_refused(&rig, 1, "{'type':'publish','room':'r','stream':'x','audio':true,'video':true}",
		ROOMS_ERROR_TOO_MANY_STREAMS);
	rig_ok(&rig, 1, "{'type':'unpublish','room':'r','stream':'2'}", NULL);
	rig_forget(&rig);
	rig_finish(&rig);
}

static void test_moderation(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	for (int i = 0; i < 3; i++) {
		join(&rig, i);
	}
	rig_refused(&rig, 1, "{'type':'kick','room':'r','connection':3}", ROOMS_ERROR_FORBIDDEN);
	rig_refused(&rig, 1, "{'type':'lock','room':'r','locked':true}", ROOMS_ERROR_FORBIDDEN);
	rig_refused(&rig, 1, "{'type':'mute','room':'r','connection':3}", ROOMS_ERROR_FORBIDDEN);
	rig_refused(&rig, 1, "{'type':'admit','room':'r','knock':1,'allowed':true}",
		ROOMS_ERROR_FORBIDDEN);
	rig_refused(&rig, 3, "{'type':'kick','room':'r','connection':3}", ROOMS_ERROR_NOT_MEMBER);
	rig_refused(&rig, 0, "{'type':'kick','room':'r','connection':1}", ROOMS_ERROR_SELF);
	rig_ok(&rig, 0, "{'type':'mute','room':'r','connection':2}", NULL);
	rig_heard(&rig, 1, "{'type':'muted','room':'r','connection':2,'by':1}");
	rig_ok(&rig, 2, JOIN "}", "'connection':4", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 0, "{'type':'kick','room':'r','connection':3}", NULL);
	rig_heard(&rig, 1, "{'type':'left','room':'r','connection':4,'reason':'kicked'}");
	rig_heard(&rig, 1, "{'type':'left','room':'r','connection':3,'reason':'kicked'}");
	rig_heard(&rig, 2, "{'type':'ended','room':'r','connection':4,'reason':'kicked'}");
	rig_heard(&rig, 2, "{'type':'ended','room':'r','connection':3,'reason':'kicked'}");
	rig_heard(&rig, 0, "{'type':'left','room':'r','connection':4,'reason':'kicked'}");
	rig_heard(&rig, 0, "{'type':'left','room':'r','connection':3,'reason':'kicked'}");
	rig_ok(&rig, 0, "{'type':'lock','room':'r','locked':true}", NULL);
	rig_heard(&rig, 1, "{'type':'locked','room':'r','locked':true}");
	rig_refused(&rig, 2, JOIN "}", ROOMS_ERROR_ROOM_LOCKED);
	rig_ok(&rig, 1, JOIN "}", NULL);
	rig_finish(&rig);
}

#define AS(name) "{'type':'join','room':'r','kind':'camera','nickname':'" name "'"
#define KNOCK(name) "{'type':'knock','room':'r','kind':'camera','nickname':'" name "'}"

static void test_kicked_stays_out(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_ok(&rig, 0, AS("Ada") "}", NULL);
	rig_ok(&rig, 1, AS("Eve") "}", "'connection':2", NULL);
	rig_ok(&rig, 1, AS("Eve, screen") "}", "'connection':3", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 0, "{'type':'kick','room':'r','connection':3}", NULL);
	rig_forget(&rig);
	/* Neither under another name, nor in another session under one of theirs. */
	rig_refused(&rig, 1, AS("Mallory") "}", ROOMS_ERROR_SENT_AWAY);
	rig_refused(&rig, 2, AS("E\u200dve") "}", ROOMS_ERROR_SENT_AWAY);
	rig_refused(&rig, 2, AS("Eve, screen") "}", ROOMS_ERROR_SENT_AWAY);
	rig_ok(&rig, 2, AS("Bob") "}", NULL);
	/* Who is in already may. */
	rig_ok(&rig, 2, AS("Eve") "}", NULL);
	/* Somebody who comes after them is somebody else. */
	rig_gone(&rig, 1);
	rig.peers[1].user = hub_enter(rig.hub, &rig.peers[1]);
	rig.peers[1].requests = 0;
	rig_forget(&rig);
	rig_ok(&rig, 1, AS("Mallory") "}", NULL);
	/* For the room's life. */
	for (int who = 0; who < 3; who++) {
		rig_gone(&rig, who);
	}
	rig_ok(&rig, 3, AS("Eve") "}", NULL);
	rig_finish(&rig);
}

static void test_kicked_knocks_again(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_ok(&rig, 0, AS("Ada") ",'options':{'admit':true}}", NULL);
	rig_ok(&rig, 1, KNOCK("Eve"), "'knock':1", NULL);
	rig_heard(
		&rig, 0, "{'type':'knock','room':'r','knock':1,'nickname':'Eve','kind':'camera'}");
	rig_ok(&rig, 0, "{'type':'admit','room':'r','knock':1,'allowed':true}", NULL);
	rig_ok(&rig, 0, "{'type':'kick','room':'r','connection':2}", NULL);
	rig_forget(&rig);
	rig_refused(&rig, 1, AS("Eve") "}", ROOMS_ERROR_KNOCK_FIRST);
	rig_ok(&rig, 1, KNOCK("Mallory"), "'knock':2", NULL);
	rig_heard(&rig, 0,
		"{'type':'knock','room':'r','knock':2,'nickname':'Mallory','kind':'camera',"
		"'sentAway':true}");
	rig_ok(&rig, 2, KNOCK("EVE"), "'knock':3", NULL);
	rig_heard(&rig, 0,
		"{'type':'knock','room':'r','knock':3,'nickname':'EVE','kind':'camera','sentAway':"
		"true}");
	rig_ok(&rig, 0, "{'type':'admit','room':'r','knock':3,'allowed':false}", NULL);
	/* Admitted, they are as anybody. */
	rig_ok(&rig, 0, "{'type':'admit','room':'r','knock':2,'allowed':true}", NULL);
	rig_ok(&rig, 1, "{'type':'leave','room':'r'}", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 1, KNOCK("Mallory"), "'knock':4", NULL);
	rig_heard(&rig, 0,
		"{'type':'knock','room':'r','knock':4,'nickname':'Mallory','kind':'camera'}");
	rig_finish(&rig);
}

static void test_kicked_with_a_token(void **state) {
	struct rig rig;
	rig_init(&rig, false);
	const struct hub_room_options options = {.admit = false};
	assert_int_equal(hub_room_create(rig.hub, "r", &options), ROOMS_ERROR_NONE);
	char text[TOKEN_TEXT_MAX];
	static const struct {
		int who;
		enum wire_role role;
		const char *nickname;
		enum rooms_error error;
	} arrivals[] = {
		{0, WIRE_MODERATOR, "Ada", ROOMS_ERROR_NONE},
		{1, WIRE_VIEWER, "Eve", ROOMS_ERROR_NONE},
		/* The backend gave a new one to whoever asked; a moderator's is meant. */
		{1, WIRE_VIEWER, "Mallory", ROOMS_ERROR_SENT_AWAY},
		{2, WIRE_PUBLISHER, "eve", ROOMS_ERROR_SENT_AWAY},
		{2, WIRE_PUBLISHER, "Bob", ROOMS_ERROR_NONE},
		{1, WIRE_MODERATOR, "Eve", ROOMS_ERROR_NONE},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(arrivals); i++) {
		token(&rig, "r", arrivals[i].role, arrivals[i].nickname, (uint8_t)i, text);
		if (arrivals[i].error != ROOMS_ERROR_NONE) {
			refused_with(&rig, arrivals[i].who, "r", text, arrivals[i].error);
			continue;
		}
		g_autofree char *request = join_with("r", text);
		rig_ok(&rig, arrivals[i].who, request, NULL);
		if (i == 1) {
			rig_ok(&rig, 0, "{'type':'kick','room':'r','connection':2}", NULL);
		}
		rig_forget(&rig);
	}
	rig_finish(&rig);
}

static void test_owner_passes(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	join(&rig, 0);
	join(&rig, 1);
	join(&rig, 2);
	rig_gone(&rig, 0);
	rig_heard(&rig, 1, "{'type':'left','room':'r','connection':1,'reason':'gone'}");
	rig_heard(&rig, 1, "{'type':'owner','room':'r','connection':2}");
	rig_heard(&rig, 2, "{'type':'left','room':'r','connection':1,'reason':'gone'}");
	rig_heard(&rig, 2, "{'type':'owner','room':'r','connection':2}");
	rig_ok(&rig, 1, "{'type':'lock','room':'r','locked':true}", NULL);
	rig_forget(&rig);
	/* One that closes with its owner. */
	rig_ok(&rig, 3,
		"{'type':'join','room':'q','nickname':'N','kind':'data','options':{'closes':"
		"true,'role':'viewer'}}",
		NULL);
	rig_ok(&rig, 4, "{'type':'join','room':'q','nickname':'N','kind':'data'}",
		"'role':'viewer'", NULL);
	rig_refused(&rig, 4, "{'type':'publish','room':'q','stream':'s','audio':true,'video':true}",
		ROOMS_ERROR_FORBIDDEN);
	rig_ok(&rig, 3, "{'type':'join','room':'q','nickname':'N','kind':'screen'}",
		"'role':'moderator'", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 3, "{'type':'leave','room':'q','as':4}", NULL);
	rig_heard(&rig, 4, "{'type':'left','room':'q','connection':4,'reason':'left'}");
	rig_heard(&rig, 4, "{'type':'owner','room':'q','connection':6}");
	rig_heard(&rig, 3, "{'type':'owner','room':'q','connection':6}");
	rig_gone(&rig, 3);
	rig_heard(&rig, 4, "{'type':'left','room':'q','connection':6,'reason':'gone'}");
	rig_heard(&rig, 4, "{'type':'ended','room':'q','connection':5,'reason':'owner-left'}");
	rig_silent(&rig);
	assert_false(hub_room_exists(rig.hub, "q"));
	rig_finish(&rig);
}

static void test_knock(void **state) {
	struct rig rig;
	rig_init(&rig, true);
	rig_ok(&rig, 0, JOIN ",'options':{'admit':true,'closes':true,'role':'viewer'}}", NULL);
	rig_refused(&rig, 1, JOIN "}", ROOMS_ERROR_KNOCK_FIRST);
	rig_ok(&rig, 1, "{'type':'knock','room':'r','nickname':'Bob','kind':'data'}", "'knock':1",
		NULL);
	rig_heard(&rig, 0, "{'type':'knock','room':'r','knock':1,'nickname':'Bob','kind':'data'}");
	rig_refused(&rig, 1, "{'type':'knock','room':'r','nickname':'Bob','kind':'data'}",
		ROOMS_ERROR_KNOCKING);
	rig_ok(&rig, 2, "{'type':'knock','room':'r','nickname':'Cy','kind':'data','data':{'k':1}}",
		NULL);
	rig_ok(&rig, 3, "{'type':'knock','room':'r','nickname':'Di','kind':'data'}", NULL);
	rig_ok(&rig, 4, "{'type':'knock','room':'r','nickname':'Ed','kind':'data'}", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 0, "{'type':'admit','room':'r','knock':1,'allowed':true,'role':'moderator'}",
		NULL);
	rig_heard(&rig, 1,
		"{'type':'admitted','knock':1,'room':'r','connection':2,'role':'moderator','owner':"
		"1,"
		"'locked':false,'admit':true,'members':[{'connection':1,'person':1,'nickname':'N','"
		"role':"
		"'moderator','kind':'camera','away':false,'streams':[]}],'knocks':[{'room':'r',"
		"'knock':2,'nickname':'Cy',"
		"'kind':'data','data':{'k':1}},{'room':'r','knock':3,'nickname':'Di','kind':'data'}"
		",{"
		"'room':'r','knock':4,'nickname':'Ed','kind':'data'}]}");
	rig_forget(&rig);
	rig_refused(&rig, 0, "{'type':'admit','room':'r','knock':1,'allowed':true}",
		ROOMS_ERROR_UNKNOWN_KNOCK);
	rig_ok(&rig, 1, "{'type':'admit','room':'r','knock':2,'allowed':false}", NULL);
	rig_heard(&rig, 2, "{'type':'refused','room':'r','knock':2}");
	rig_heard(&rig, 0, "{'type':'knock-gone','room':'r','knock':2}");
	rig_ok(&rig, 3, "{'type':'leave','room':'r'}", NULL);
	rig_heard(&rig, 0, "{'type':'knock-gone','room':'r','knock':3}");
	rig_heard(&rig, 1, "{'type':'knock-gone','room':'r','knock':3}");
	rig_gone(&rig, 4);
	rig_heard(&rig, 0, "{'type':'knock-gone','room':'r','knock':4}");
	rig_heard(&rig, 1, "{'type':'knock-gone','room':'r','knock':4}");
	rig_silent(&rig);
	rig_ok(&rig, 5, "{'type':'knock','room':'r','nickname':'Flo','kind':'data'}", NULL);
	rig_forget(&rig);
	rig_ok(&rig, 0, "{'type':'leave','room':'r'}", NULL);
	rig_heard(&rig, 5, "{'type':'refused','room':'r','knock':5}");
	assert_int_equal(hub_counts(rig.hub)->knocks, 0);
	join(&rig, 0);
	rig_refused(&rig, 5, "{'type':'knock','room':'r','nickname':'Flo','kind':'data'}",
		ROOMS_ERROR_NO_KNOCK);
	rig_finish(&rig);
}

static void test_tokens(void **state) {
	struct rig rig;
	rig_init(&rig, false);
	char text[TOKEN_TEXT_MAX];
	rig_refused(&rig, 0, JOIN "}", ROOMS_ERROR_UNKNOWN_ROOM);
	token(&rig, "r", WIRE_PUBLISHER, "Ann", 1, text);
	refused_with(&rig, 0, "r", text, ROOMS_ERROR_UNKNOWN_ROOM);
	const struct hub_room_options options = {.admit = false};
	assert_int_equal(hub_room_create(rig.hub, "r", &options), ROOMS_ERROR_NONE);
	assert_int_equal(hub_room_create(rig.hub, "r", &options), ROOMS_ERROR_ROOM_EXISTS);
	assert_int_equal(hub_room_create(rig.hub, "a b", &options), ROOMS_ERROR_BAD_NAME);
	assert_int_equal(hub_room_create(rig.hub, "s", &options), ROOMS_ERROR_NONE);
	rig_refused(&rig, 0, JOIN "}", ROOMS_ERROR_TOKEN_REQUIRED);
	refused_with(&rig, 0, "s", text, ROOMS_ERROR_TOKEN_ROOM);
	refused_with(&rig, 0, "r", "x", ROOMS_ERROR_BAD_TOKEN);
	char *request = join_with("r", text);
	/* The failures above did not use it up. The backend's nickname wins. */
	rig_ok(&rig, 0, request, "'role':'publisher','owner':0", NULL);
	rig_refused(&rig, 1, request, ROOMS_ERROR_TOKEN_USED);
	g_free(request);
	token(&rig, "r", WIRE_MODERATOR, "", 2, text);
	request = join_with("r", text);
	rig_ok(&rig, 1, request,
		"'nickname':'Ann','role':'publisher','kind':'camera','away':false,'serverData':'"
		"from "
		"the backend'",
		NULL);
	g_free(request);
	rig_forget(&rig);
	rig_ok(&rig, 1, "{'type':'lock','room':'r','locked':true}", NULL);
	token(&rig, "r", WIRE_PUBLISHER, "", 3, text);
	refused_with(&rig, 2, "r", text, ROOMS_ERROR_ROOM_LOCKED);
	token(&rig, "r", WIRE_PUBLISHER, "", 4, text);
	rig.now += TOKEN_LIFETIME_MS;
	refused_with(&rig, 2, "r", text, ROOMS_ERROR_TOKEN_EXPIRED);
	rig_forget(&rig);
	assert_false(hub_connection_close(rig.hub, "s", 1));
	assert_true(hub_connection_close(rig.hub, "r", 1));
	rig_heard(&rig, 0, "{'type':'ended','room':'r','connection':1,'reason':'closed'}");
	rig_heard(&rig, 1, "{'type':'left','room':'r','connection':1,'reason':'kicked'}");
	rig_gone(&rig, 1);
	assert_true(hub_room_exists(rig.hub, "r")); /* stays without members */
	assert_true(hub_room_close(rig.hub, "r"));
	assert_false(hub_room_close(rig.hub, "r"));
	rig_silent(&rig);
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join_and_leave),
		cmocka_unit_test(test_several_connections),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_moderation),
		cmocka_unit_test(test_kicked_stays_out),
		cmocka_unit_test(test_kicked_knocks_again),
		cmocka_unit_test(test_kicked_with_a_token),
		cmocka_unit_test(test_owner_passes),
		cmocka_unit_test(test_knock),
		cmocka_unit_test(test_tokens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
