#include "rooms/session/session.h"

#include <stdio.h>
#include <string.h>

#include "base/sanitizer.h"
#include "unit.h"

#define CARRIER(number) ((void *)(uintptr_t)(number))

static void fill(uint8_t random[2 * SESSION_KEY_BYTES], uint8_t with) {
	memset(random, with, 2 * SESSION_KEY_BYTES);
	random[0] = (uint8_t)(with + 1);
}

static struct session *open_one(struct sessions *sessions, uint8_t with) {
	uint8_t random[2 * SESSION_KEY_BYTES];
	fill(random, with);
	return session_open(sessions, CARRIER(1), NULL, random, 0);
}

static bool send_text(struct session *session, const char *bytes, size_t length) {
	struct shared_text *text = shared_text_create(bytes, length);
	bool good = session_send(session, text);
	shared_text_drop(text);
	return good;
}

static void test_numbers(void **state) {
	struct sessions *sessions = sessions_create(SESSION_GRACE_MS);
	struct session *session = open_one(sessions, 1);
	assert_int_equal(session_receive(session, 2, false, 0, 1), SESSION_BAD);
	assert_int_equal(session_receive(session, 0, false, 0, 1), SESSION_BAD);
	assert_int_equal(session_receive(session, 1, true, 0, 1), SESSION_NEW);
	assert_int_equal(session_receive(session, 1, true, 0, 1), SESSION_DUPLICATE);
	assert_int_equal(session_receive(session, 2, true, 1, 1), SESSION_BAD);
	assert_int_equal(session->received, 1);
	assert_true(send_text(session, "x", 1));
	char prefix[SESSION_PREFIX_MAX];
	assert_int_equal(session_prefix(session, 1, prefix), 17);
	assert_string_equal(prefix, "{\"seq\":1,\"ack\":1,");
	(void)session_prefix(session, 0, prefix);
	assert_string_equal(prefix, "{\"ack\":1,");
	assert_int_equal(session_receive(session, 2, true, 1, 2), SESSION_NEW);
	assert_int_equal(session->waiting, 0);
	/* It acknowledged what was never written: then it need not be. */
	uint64_t seq = 0;
	assert_null(session_next(session, &seq));
	assert_false(session_heard(session, true, 2, 2));
	sessions_destroy(sessions);
}

static void test_outbox_is_bounded(void **state) {
	static char bytes[SESSION_OUTBOX_MAX];
	struct sessions *sessions = sessions_create(SESSION_GRACE_MS);
	struct session *session = open_one(sessions, 1);
	for (int i = 0; i < 64; i++) {
		assert_true(send_text(session, bytes, 1024));
	}
	assert_int_equal(session->waiting, SESSION_OUTBOX_MAX);
	assert_true(session_heard(session, true, 1, 1));
	assert_true(send_text(session, bytes, 1024));
	assert_false(send_text(session, bytes, 1));
	assert_true(session->ended);
	assert_int_equal(session->waiting, 0);
	assert_false(send_text(session, bytes, 1));
	uint64_t seq = 0;
	assert_null(session_next(session, &seq));
	assert_false(session_resume(session, CARRIER(2), 1, 1));
	session_close(session);
	/* Any message fits where nothing waits, and leaves room for news. */
	session = open_one(sessions, 2);
	assert_false(session_busy(session, sizeof(bytes)));
	assert_true(send_text(session, bytes, sizeof(bytes)));
	assert_int_equal(session->waiting, SESSION_OUTBOX_BUSY);
	assert_true(session_busy(session, 1));
	assert_true(send_text(session, bytes, SESSION_OUTBOX_MAX - SESSION_OUTBOX_BUSY));
	assert_false(send_text(session, bytes, 1));
	session = open_one(sessions, 3);
	assert_true(send_text(session, bytes, sizeof(bytes)));
	assert_true(session_heard(session, true, 1, 1));
	assert_int_equal(session->waiting, 0);
	sessions_destroy(sessions);
}

static void test_resume_needs_the_secret(void **state) {
	struct sessions *sessions = sessions_create(SESSION_GRACE_MS);
	struct session *one = open_one(sessions, 1);
	struct session *two = open_one(sessions, 2);
	char id[SESSION_KEY_TEXT];
	char secret[SESSION_KEY_TEXT];
	char other[SESSION_KEY_TEXT];
	session_id(one, id);
	session_secret(one, secret);
	session_secret(two, other);
	assert_ptr_equal(session_find(sessions, id, secret), one);
	assert_null(session_find(sessions, id, other));
	assert_null(session_find(sessions, secret, secret));
	assert_null(session_find(sessions, id, ""));
	assert_null(session_find(sessions, "", ""));
	assert_null(session_find(sessions, "!", "\xff"));
	secret[21] ^= 1;
	assert_null(session_find(sessions, id, secret));
	sessions_destroy(sessions);
}

static void test_grace(void **state) {
	struct sessions *sessions = sessions_create(1000);
	struct session *first = open_one(sessions, 1);
	struct session *second = open_one(sessions, 2);
	struct session *third = open_one(sessions, 3);
	assert_int_equal(sessions_next_expiry(sessions), -1);
	session_break(second, 100);
	session_break(first, 200);
	session_break(third, 300);
	session_break(third, 900); /* no effect */
	/* What was under way when the carrier broke does not prolong the grace. */
	assert_int_equal(session_receive(first, 1, false, 0, 950), SESSION_NEW);
	assert_int_equal(sessions_waiting(sessions), 3);
	assert_int_equal(sessions_next_expiry(sessions), 1100);
	assert_null(sessions_expired(sessions, 1099));
	assert_true(session_resume(first, CARRIER(2), 0, 1000));
	assert_ptr_equal(sessions_expired(sessions, 1100), second);
	session_close(second);
	assert_null(sessions_expired(sessions, 1299));
	assert_ptr_equal(sessions_expired(sessions, 1300), third);
	session_close(third);
	assert_int_equal(sessions_waiting(sessions), 0);
	assert_int_equal(sessions_count(sessions), 1);
	session_break(first, 5000);
	sessions_destroy(sessions);
}

static void test_resume_cannot_lie(void **state) {
	struct sessions *sessions = sessions_create(1000);
	struct session *session = open_one(sessions, 1);
	for (int i = 0; i < 3; i++) {
		assert_true(send_text(session, "abc", 3));
	}
	assert_true(session_heard(session, true, 2, 1));
	session_break(session, 1);
	assert_false(session_resume(session, CARRIER(2), 1, 2)); /* dropped already */
	assert_false(session_resume(session, CARRIER(2), 4, 2)); /* never sent */
	assert_null(session->carrier);
	assert_true(session_resume(session, CARRIER(2), 2, 2));
	/* A second carrier takes over from a live one. */
	assert_true(session_resume(session, CARRIER(3), 3, 3));
	assert_ptr_equal(session->carrier, CARRIER(3));
	assert_int_equal(session->waiting, 0);
	sessions_destroy(sessions);
}

/*
 * Random interleavings of a client and a server over carriers that break at any moment: each
 * message is a number; the other side must see 1, 2, 3, … The client's side is modelled here as
 * docs/ROOMS.md asks it to be.
 */
#define PIPE_MAX 64u

struct wire_item {
	uint64_t seq; /* 0: only an acknowledgement */
	uint64_t ack;
	uint32_t content;
};

struct pipe {
	struct wire_item items[PIPE_MAX];
	unsigned first;
	unsigned count;
};

struct model {
	struct sessions *sessions;
	struct session *session;
	struct pipe up;   /* to the server */
	struct pipe down; /* to the client */
	uint64_t random;
	int64_t now;
	bool quiet; /* nothing new is sent */
	/* The client. */
	uint64_t sent;     /* numbered, and so are their contents */
	uint64_t acked;    /* by the server */
	uint64_t written;  /* to this carrier */
	uint64_t received; /* in order, contents checked */
	/* The server's user. */
	uint64_t handled;
	uint64_t produced;
	uint64_t broken;
	uint64_t duplicates;
};

static uint64_t draw(struct model *model, uint64_t below) {
	model->random ^= model->random << 13;
	model->random ^= model->random >> 7;
	model->random ^= model->random << 17;
	return model->random % below;
}

static void put(struct pipe *pipe, struct wire_item item) {
	pipe->items[(pipe->first + pipe->count++) % PIPE_MAX] = item;
}

static struct wire_item take(struct pipe *pipe) {
	struct wire_item item = pipe->items[pipe->first];
	pipe->first = (pipe->first + 1) % PIPE_MAX;
	pipe->count--;
	return item;
}

static void client_writes(struct model *model) {
	bool more = !model->quiet && model->sent - model->acked < 200;
	if (more && draw(model, 2) == 0) {
		model->sent++;
	}
	if (model->session->carrier == NULL || model->up.count == PIPE_MAX) {
		return;
	}
	struct wire_item item = {.ack = model->received};
	if (model->written < model->sent) {
		item.seq = ++model->written;
		item.content = (uint32_t)item.seq;
	}
	put(&model->up, item);
}

static void server_reads(struct model *model) {
	if (model->up.count == 0) {
		return;
	}
	struct wire_item item = take(&model->up);
	if (item.seq == 0) {
		assert_true(session_heard(model->session, true, item.ack, model->now));
		return;
	}
	switch (session_receive(model->session, item.seq, true, item.ack, model->now)) {
	case SESSION_NEW:
		assert_int_equal(item.content, model->handled + 1);
		model->handled++;
		break;
	case SESSION_DUPLICATE:
		assert_true(item.content <= model->handled);
		model->duplicates++;
		break;
	default:
		fail();
	}
}

static void server_writes(struct model *model) {
	if (!model->quiet && model->session->waiting < SESSION_OUTBOX_MAX / 2 &&
		draw(model, 2) == 0) {
		uint32_t content = (uint32_t)++model->produced;
		assert_true(send_text(model->session, (const char *)&content, sizeof(content)));
	}
	uint64_t seq = 0;
	const struct shared_text *text = session_next(model->session, &seq);
	if (model->session->carrier == NULL || model->down.count == PIPE_MAX || text == NULL) {
		return;
	}
	struct wire_item item = {.seq = seq, .ack = model->session->received};
	memcpy(&item.content, text->bytes, sizeof(item.content));
	put(&model->down, item);
	session_wrote(model->session);
}

static void client_reads(struct model *model) {
	if (model->down.count == 0) {
		return;
	}
	struct wire_item item = take(&model->down);
	model->acked = item.ack > model->acked ? item.ack : model->acked;
	/* The server never repeats to a client that said what it has. */
	assert_int_equal(item.seq, model->received + 1);
	assert_int_equal(item.content, model->received + 1);
	model->received++;
}

/* Both directions lose what is under way, or deliver a part of it first; or a second carrier comes.
 */
static void carrier_breaks(struct model *model) {
	if (model->session->carrier != NULL && draw(model, 4) != 0) {
		session_break(model->session, model->now);
	}
	while (model->up.count > 0 && draw(model, 8) != 0) {
		server_reads(model); /* arrived before the break was seen */
	}
	model->up.count = 0;
	model->down.count = 0;
	model->broken++;
}

static void carrier_comes(struct model *model) {
	char id[SESSION_KEY_TEXT];
	char secret[SESSION_KEY_TEXT];
	session_id(model->session, id);
	session_secret(model->session, secret);
	assert_ptr_equal(session_find(model->sessions, id, secret), model->session);
	assert_true(session_resume(
		model->session, CARRIER(model->broken + 1), model->received, model->now));
	model->acked = model->session->received; /* welcome's `received` */
	/* At times the client forgets what it heard, and repeats from before. */
	uint64_t back = draw(model, 4) == 0 ? draw(model, 5) : 0;
	model->written = model->acked > back ? model->acked - back : 0;
}

static void step(struct model *model) {
	model->now += (int64_t)draw(model, 3);
	uint64_t what = draw(model, 100);
	if (what < 1) {
		carrier_breaks(model);
		if (draw(model, 3) == 0 || model->session->carrier != NULL) {
			carrier_comes(model);
		}
	} else if (model->session->carrier == NULL && what < 20) {
		carrier_comes(model);
	} else if (what < 40) {
		client_writes(model);
	} else if (what < 60) {
		server_writes(model);
	} else if (what < 80) {
		server_reads(model);
	} else {
		client_reads(model);
	}
}

#define STEPS (WITH_ADDRESS_SANITIZER ? 100000 : 1000000)

static void test_random_interleavings(void **state) {
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct model model = {.random = seed * 0x9e3779b97f4a7c15u};
		model.sessions = sessions_create(SESSION_GRACE_MS);
		model.session = open_one(model.sessions, (uint8_t)seed);
		for (int i = 0; i < STEPS; i++) {
			step(&model);
		}
		if (model.session->carrier == NULL) {
			model.up.count = 0;
			model.down.count = 0;
			carrier_comes(&model);
		}
		model.quiet = true;
		while (model.handled < model.sent || model.received < model.produced) {
			client_writes(&model);
			server_reads(&model);
			server_writes(&model);
			client_reads(&model);
		}
		assert_true(model.broken > STEPS / 200);
		assert_true(model.duplicates > 0);
		assert_true(model.handled > STEPS / 20 && model.received > STEPS / 20);
		assert_false(model.session->ended);
		sessions_destroy(model.sessions);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_outbox_is_bounded),
		cmocka_unit_test(test_resume_needs_the_secret),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_resume_cannot_lie),
		cmocka_unit_test(test_random_interleavings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
