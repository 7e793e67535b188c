/*
 * Random users do random things. Each keeps a picture of its rooms from nothing but what it was
 * sent; at every moment that picture is what the hub holds, so nobody hears too little, too much or
 * twice.
 */
#include <json-c/json.h>

#include "base/sanitizer.h"
#include "hub_rig.h"

#define USERS 8
#define ROOMS 3
#define STREAM_NAMES 6
#define MEMBERS_MAX 64

struct seen_member {
	uint32_t id; /* 0: free */
	bool mine;
	char role; /* its first letter, as of the kind */
	char kind;
	bool away;
	uint8_t streams; /* a bit each */
	uint8_t sounds;
};

struct view {
	struct seen_member members[MEMBERS_MAX];
	bool locked;
	uint32_t owner;
};

struct world {
	struct rig rig;
	struct view views[USERS][ROOMS];
	uint64_t random;
	uint64_t events;
};

static uint32_t draw(struct world *world, uint32_t below) {
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (uint32_t)(world->random % below);
}

static const char *text_of(struct json_object *object, const char *key) {
	struct json_object *value = NULL;
	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static uint32_t number_of(struct json_object *object, const char *key) {
	struct json_object *value = NULL;
	return json_object_object_get_ex(object, key, &value)
		       ? (uint32_t)json_object_get_int64(value)
		       : 0;
}

static bool flag_of(struct json_object *object, const char *key) {
	return strcmp(text_of(object, key), "true") == 0;
}

static struct seen_member *find(struct view *view, uint32_t id) {
	for (int i = 0; i < MEMBERS_MAX; i++) {
		if (view->members[i].id == id) {
			return &view->members[i];
		}
	}
	return NULL;
}

static struct seen_member *known(struct view *view, uint32_t id) {
	struct seen_member *member = id != 0 ? find(view, id) : NULL;
	if (member == NULL) {
		fail_msg("a connection nobody told of: %u", id);
	}
	return member;
}

static struct seen_member *add(struct view *view, uint32_t id) {
	assert_null(find(view, id)); /* told twice */
	struct seen_member *member = find(view, 0);
	assert_non_null(member);
	*member = (struct seen_member){.id = id};
	return member;
}

static void set_stream(struct seen_member *member, struct json_object *stream) {
	uint8_t bit = (uint8_t)(1u << (text_of(stream, "stream")[0] - '0'));
	member->streams |= bit;
	member->sounds =
		(uint8_t)(flag_of(stream, "audio") ? member->sounds | bit : member->sounds & ~bit);
}

static void drop_stream(struct seen_member *member, const char *stream) {
	uint8_t bit = (uint8_t)(1u << (stream[0] - '0'));
	assert_true(member->streams & bit);
	member->streams &= (uint8_t)~bit;
	member->sounds &= (uint8_t)~bit;
}

static void add_member(struct view *view, struct json_object *object) {
	struct seen_member *member = add(view, number_of(object, "connection"));
	member->role = text_of(object, "role")[0];
	member->kind = text_of(object, "kind")[0];
	member->away = flag_of(object, "away");
	struct json_object *streams = json_object_object_get(object, "streams");
	for (size_t i = 0; i < json_object_array_length(streams); i++) {
		set_stream(member, json_object_array_get_idx(streams, i));
	}
}

static bool is_in(const struct view *view) {
	for (int i = 0; i < MEMBERS_MAX; i++) {
		if (view->members[i].mine) {
			return true;
		}
	}
	return false;
}

/* The `ok` of join, or `admitted`. */
static void enter(struct view *view, struct json_object *told, char kind) {
	if (!is_in(view)) {
		*view = (struct view){0};
		struct json_object *members = json_object_object_get(told, "members");
		for (size_t i = 0; i < json_object_array_length(members); i++) {
			add_member(view, json_object_array_get_idx(members, i));
		}
	}
	struct seen_member *self = add(view, number_of(told, "connection"));
	self->mine = true;
	self->role = text_of(told, "role")[0];
	self->kind = kind;
	view->locked = flag_of(told, "locked");
	view->owner = number_of(told, "owner");
}

static void leave(struct view *view, uint32_t id) {
	struct seen_member *member = known(view, id);
	assert_true(member->mine);
	*member = (struct seen_member){0};
	if (!is_in(view)) {
		*view = (struct view){0};
	}
}

/* An event of a room in which the user is. */
static void apply(struct view *view, const char *type, struct json_object *event) {
	uint32_t id = number_of(event, "connection");
	if (strcmp(type, "joined") == 0) {
		add_member(view, json_object_object_get(event, "member"));
	} else if (strcmp(type, "left") == 0) {
		assert_false(known(view, id)->mine);
		*known(view, id) = (struct seen_member){0};
		view->owner = view->owner == id ? 0 : view->owner;
	} else if (strcmp(type, "away") == 0 || strcmp(type, "back") == 0) {
		assert_int_equal(known(view, id)->away, *type == 'b');
		known(view, id)->away = *type == 'a';
	} else if (strcmp(type, "published") == 0 || strcmp(type, "changed") == 0) {
		set_stream(known(view, id), json_object_object_get(event, "stream"));
	} else if (strcmp(type, "unpublished") == 0) {
		drop_stream(known(view, id), text_of(event, "stream"));
	} else if (strcmp(type, "locked") == 0) {
		view->locked = flag_of(event, "locked");
	} else if (strcmp(type, "owner") == 0) {
		view->owner = id;
		known(view, id)->role = 'm';
	} else if (strcmp(type, "ended") == 0) {
		leave(view, id);
	} else if (strcmp(type, "message") == 0) {
		(void)known(view, number_of(event, "from"));
		assert_true(id == 0 || known(view, id)->mine);
	} else if (strcmp(type, "muted") == 0) {
		assert_true(known(view, id)->mine);
		assert_int_equal(known(view, number_of(event, "by"))->role, 'm');
	} else if (strcmp(type, "knock") == 0 || strcmp(type, "knock-gone") == 0) {
		bool moderates = false;
		for (int i = 0; i < MEMBERS_MAX; i++) {
			moderates |= view->members[i].mine && view->members[i].role == 'm';
		}
		assert_true(moderates);
	} else {
		fail_msg("an event of type %s", type);
	}
}

/* Handles what the user was sent until its inbox is empty. */
static void read_inbox(struct world *world, int who) {
	char *text = NULL;
	while ((text = g_queue_pop_head(&world->rig.peers[who].inbox)) != NULL) {
		char *whole = g_strconcat("{", text, NULL);
		struct json_object *event = json_tokener_parse(whole);
		assert_non_null(event);
		const char *type = text_of(event, "type");
		struct view *view = &world->views[who][text_of(event, "room")[0] - 'a'];
		world->events++;
		if (strcmp(type, "admitted") == 0) {
			enter(view, event, 'd');
		} else if (strcmp(type, "refused") != 0) {
			assert_true(is_in(view));
			apply(view, type, event);
		}
		json_object_put(event);
		g_free(whole);
		g_free(text);
	}
}

static bool granted(struct world *world, int who, const char *request, struct json_object **ok) {
	char *answer = rig_answer(&world->rig, who, request);
	char *whole = g_strconcat("{", answer, NULL);
	*ok = json_tokener_parse(whole);
	g_free(whole);
	g_free(answer);
	return strcmp(text_of(*ok, "type"), "ok") == 0;
}

/* One of one's own, or at random; 0 at times. */
static uint32_t some_connection(struct world *world, const struct view *view, bool mine) {
	for (int tries = 0; tries < 40; tries++) {
		const struct seen_member *member = &view->members[draw(world, MEMBERS_MAX)];
		if (member->id != 0 && (!mine || member->mine)) {
			return member->id;
		}
	}
	return mine ? 1 : 1 + draw(world, 50);
}

static void come(struct world *world, int who, char room) {
	static const char kinds[] = "csd";
	static const char *const names[] = {"camera", "screen", "data"};
	uint32_t kind = draw(world, 3);
	struct json_object *ok = NULL;
	char request[256];
	(void)snprintf(request, sizeof(request),
		"{'type':'join','room':'%c','nickname':'N','kind':'%s','options':{'admit':%s,'"
		"closes':"
		"%s,'role':'%s'}}",
		room, names[kind], room == 'c' ? "true" : "false", room == 'b' ? "true" : "false",
		draw(world, 3) == 0 ? "viewer" : "publisher");
	if (granted(world, who, request, &ok)) {
		enter(&world->views[who][room - 'a'], ok, kinds[kind]);
	} else if (strcmp(text_of(ok, "code"), "knock-first") == 0) {
		json_object_put(ok);
		(void)snprintf(request, sizeof(request),
			"{'type':'knock','room':'%c','nickname':'N','kind':'data'}", room);
		(void)granted(world, who, request, &ok);
	}
	json_object_put(ok);
}

static void stream_verb(struct world *world, int who, char room) {
	static const char *const verbs[] = {"publish", "change", "unpublish"};
	struct view *view = &world->views[who][room - 'a'];
	uint32_t as = some_connection(world, view, true);
	uint32_t verb = draw(world, 3);
	uint32_t stream = draw(world, STREAM_NAMES);
	bool audio = draw(world, 2) == 0;
	char request[256];
	(void)snprintf(request, sizeof(request),
		"{'type':'%s','room':'%c','as':%u,'stream':'%u'%s}", verbs[verb], room, as, stream,
		verb == 2 ? ""
		: audio   ? ",'audio':true,'video':true"
			  : ",'audio':false,'video':true");
	struct json_object *ok = NULL;
	if (granted(world, who, request, &ok)) {
		char name[2] = {(char)('0' + stream), '\0'};
		if (verb == 2) {
			drop_stream(known(view, as), name);
		} else {
			uint8_t bit = (uint8_t)(1u << stream);
			known(view, as)->streams |= bit;
			known(view, as)->sounds = (uint8_t)(audio ? known(view, as)->sounds | bit
								  : known(view, as)->sounds & ~bit);
		}
	}
	json_object_put(ok);
}

static void moderate(struct world *world, int who, char room) {
	struct view *view = &world->views[who][room - 'a'];
	uint32_t as = some_connection(world, view, true);
	uint32_t target = some_connection(world, view, false);
	uint32_t stream = draw(world, STREAM_NAMES);
	bool locked = draw(world, 3) == 0;
	uint32_t verb = draw(world, 6);
	char request[256];
	char tail[128];
	static const char *const names[] = {"kick", "mute", "stop", "lock", "admit", "send"};
	(void)snprintf(tail, sizeof(tail),
		verb < 2    ? "'connection':%u"
		: verb == 2 ? "'connection':%u,'stream':'%u'"
			    : "'to':[%u],'body':%u",
		target, stream);
	if (verb == 3) {
		(void)snprintf(tail, sizeof(tail), "'locked':%s", locked ? "true" : "false");
	} else if (verb == 4) {
		(void)snprintf(tail, sizeof(tail), "'knock':%u,'allowed':%s",
			world->rig.hub != NULL ? 1 + draw(world, 60) : 0,
			draw(world, 3) == 0 ? "false" : "true");
	}
	(void)snprintf(request, sizeof(request), "{'type':'%s','room':'%c','as':%u,%s}",
		names[verb], room, as, tail);
	struct json_object *ok = NULL;
	if (granted(world, who, request, &ok) && verb != 5) {
		assert_int_equal(known(view, as)->role, 'm');
		if (verb == 2) {
			char name[2] = {(char)('0' + stream), '\0'};
			drop_stream(known(view, target), name);
		} else if (verb == 3) {
			view->locked = locked;
		}
	}
	json_object_put(ok);
}

static void go(struct world *world, int who, char room) {
	struct view *view = &world->views[who][room - 'a'];
	uint32_t as = some_connection(world, view, true);
	char request[128];
	(void)snprintf(request, sizeof(request), "{'type':'leave','room':'%c','as':%u}", room, as);
	if (draw(world, 3) == 0) {
		(void)snprintf(request, sizeof(request), "{'type':'leave','room':'%c'}", room);
		for (int i = 0; i < MEMBERS_MAX; i++) {
			as = view->members[i].mine ? view->members[i].id : as;
		}
	}
	/* Events that leaving causes come before its answer. */
	bool was_in = is_in(view);
	struct json_object *ok = NULL;
	if (granted(world, who, request, &ok) && was_in) {
		struct seen_member *self = known(view, as);
		assert_true(self->mine);
		view->owner = view->owner == as ? 0 : view->owner;
		leave(view, as);
	}
	json_object_put(ok);
}

static void presence(struct world *world, int who) {
	struct peer *peer = &world->rig.peers[who];
	if (draw(world, 3) > 0) {
		hub_away(world->rig.hub, peer->user);
		hub_back(world->rig.hub, peer->user);
		return;
	}
	hub_gone(world->rig.hub, peer->user);
	assert_true(g_queue_is_empty(&peer->inbox)); /* nothing more for one who is gone */
	memset(world->views[who], 0, sizeof(world->views[who]));
	peer->user = hub_enter(world->rig.hub, peer);
}

static int by_id(const void *a, const void *b) {
	uint32_t left = ((const struct seen_member *)a)->id;
	uint32_t right = ((const struct seen_member *)b)->id;
	return (left > right) - (left < right);
}

static void compare(struct world *world, int who, char room) {
	struct view *view = &world->views[who][room - 'a'];
	struct wire_writer writer;
	wire_begin_object(&writer);
	char name[2] = {room, '\0'};
	bool exists = hub_room_write(world->rig.hub, name, &writer, "room");
	struct shared_text *text = wire_end(&writer);
	struct json_object *root = json_tokener_parse(text->bytes);
	struct json_object *actual = json_object_object_get(root, "room");
	if (is_in(view)) {
		assert_true(exists);
		struct view truth = {
			.locked = flag_of(actual, "locked"), .owner = number_of(actual, "owner")};
		struct json_object *members = json_object_object_get(actual, "members");
		for (size_t i = 0; i < json_object_array_length(members); i++) {
			add_member(&truth, json_object_array_get_idx(members, i));
		}
		for (int i = 0; i < MEMBERS_MAX; i++) {
			struct seen_member *member =
				truth.members[i].id != 0 ? known(view, truth.members[i].id) : NULL;
			truth.members[i].mine = member != NULL && member->mine;
		}
		qsort(truth.members, MEMBERS_MAX, sizeof(truth.members[0]), by_id);
		qsort(view->members, MEMBERS_MAX, sizeof(view->members[0]), by_id);
		for (int i = 0; i < MEMBERS_MAX; i++) {
			assert_memory_equal(
				&truth.members[i], &view->members[i], sizeof(truth.members[i]));
		}
		assert_int_equal(truth.locked, view->locked);
		assert_int_equal(truth.owner, view->owner);
	}
	json_object_put(root);
	shared_text_drop(text);
}

static void step(struct world *world) {
	int who = (int)draw(world, USERS);
	char room = (char)('a' + draw(world, ROOMS));
	uint32_t what = draw(world, 100);
	if (what < 25) {
		come(world, who, room);
	} else if (what < 55) {
		stream_verb(world, who, room);
	} else if (what < 80) {
		moderate(world, who, room);
	} else if (what < 95) {
		go(world, who, room);
	} else {
		presence(world, who);
	}
	for (int i = 0; i < USERS; i++) {
		read_inbox(world, i);
	}
}

static void test_views(void **state) {
	const int steps = WITH_ADDRESS_SANITIZER ? 2500 : 30000;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct world *world = g_new0(struct world, 1);
		world->random = seed * 0x9e3779b97f4a7c15u;
		rig_init(&world->rig, true);
		for (int i = 0; i < steps; i++) {
			step(world);
			compare(world, (int)draw(world, USERS), (char)('a' + draw(world, ROOMS)));
		}
		assert_true(world->events > (uint64_t)steps / 2);
		rig_finish(&world->rig);
		g_free(world);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_views)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
