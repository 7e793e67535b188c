/* A hub whose users are lists of what they were sent, for its tests. */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "rooms/hub/hub.h"
#include "unit.h"

struct peer {
	struct hub_user *user;
	GQueue inbox; /* texts, oldest first */
	uint64_t requests;
	size_t takes; /* bytes that a message to it may have */
};

struct rig {
	struct hub *hub;
	struct tokens *tokens;
	struct peer peers[8];
	int64_t now;
};

static void rig_send(void *context, void *data, struct shared_text *text) {
	struct peer *peer = data;
	g_queue_push_tail(&peer->inbox, g_strdup(text->bytes));
}

static bool rig_busy(void *context, void *data, size_t bytes) {
	return bytes > ((struct peer *)data)->takes;
}

static inline void rig_init(struct rig *rig, bool open) {
	static const uint8_t key[] = "0123456789abcdef";
	*rig = (struct rig){.now = 1000};
	rig->tokens = tokens_create(key, 16);
	struct hub_settings settings = {.open = open, .tokens = rig->tokens};
	struct hub_output output = {rig, rig_send, rig_busy};
	rig->hub = hub_create(&settings, &output);
	for (int i = 0; i < 8; i++) {
		g_queue_init(&rig->peers[i].inbox);
		rig->peers[i].takes = SIZE_MAX;
		rig->peers[i].user = hub_enter(rig->hub, &rig->peers[i]);
	}
}

static inline void rig_finish(struct rig *rig) {
	hub_destroy(rig->hub);
	tokens_destroy(rig->tokens);
	for (int i = 0; i < 8; i++) {
		g_queue_clear_full(&rig->peers[i].inbox, g_free);
	}
}

static inline void rig_gone(struct rig *rig, int who) {
	hub_gone(rig->hub, rig->peers[who].user);
	rig->peers[who].user = NULL;
}

/* Sends `{"type":…}` (written with ' for "; seq is added, and id if it is asked). */
static inline void rig_say(struct rig *rig, int who, const char *request, bool asked) {
	struct peer *peer = &rig->peers[who];
	char *quoted = g_strdelimit(g_strdup(request), "'", '"');
	unsigned number = (unsigned)++peer->requests;
	char *text = asked ? g_strdup_printf("{\"seq\":%u,\"id\":%u,%s", number, number, quoted + 1)
			   : g_strdup_printf("{\"seq\":%u,%s", number, quoted + 1);
	struct wire_message message;
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64];
	if (!wire_parse(text, strlen(text), &message, &error, detail)) {
		fail_msg("%s: %s %s", text, rooms_error_code(error), detail);
	}
	/* Time passes, so that the room's byte limit is not reached. */
	rig->now += 10;
	hub_request(rig->hub, peer->user, &message, rig->now);
	wire_finish(&message);
	g_free(text);
	g_free(quoted);
}

/*
 * Asks, and gives the answer, which must be the last thing that its sender was sent or follow what
 * it caused to itself. The caller frees it.
 */
static inline char *rig_answer(struct rig *rig, int who, const char *request) {
	struct peer *peer = &rig->peers[who];
	rig_say(rig, who, request, true);
	char *answer = g_queue_pop_tail(&peer->inbox);
	assert_non_null(answer);
	char *head = g_strdup_printf("\"id\":%u", (unsigned)peer->requests);
	assert_non_null(strstr(answer, head));
	g_free(head);
	return answer;
}

/* The answer is `ok` and has each of the texts (with ' for "), up to NULL. */
__attribute__((sentinel)) static inline void rig_ok(
	struct rig *rig, int who, const char *request, ...) {
	char *answer = rig_answer(rig, who, request);
	if (strstr(answer, "\"type\":\"ok\"") == NULL) {
		fail_msg("%s: %s", request, answer);
	}
	va_list args;
	va_start(args, request);
	for (const char *part = va_arg(args, const char *); part != NULL;
		part = va_arg(args, const char *)) {
		char *quoted = g_strdelimit(g_strdup(part), "'", '"');
		if (strstr(answer, quoted) == NULL) {
			fail_msg("%s: %s lacks %s", request, answer, part);
		}
		g_free(quoted);
	}
	va_end(args);
	g_free(answer);
}

static inline void rig_refused(
	struct rig *rig, int who, const char *request, enum rooms_error error) {
	char *answer = rig_answer(rig, who, request);
	char *code = g_strdup_printf("\"code\":\"%s\"", rooms_error_code(error));
	if (strstr(answer, code) == NULL) {
		fail_msg("%s: %s lacks %s", request, answer, code);
	}
	g_free(code);
	g_free(answer);
}

/* The next event that `who` got is exactly this (with ' for "). */
static inline void rig_heard(struct rig *rig, int who, const char *event) {
	char *got = g_queue_pop_head(&rig->peers[who].inbox);
	char *quoted = g_strdelimit(g_strdup(event), "'", '"');
	char *rest = g_strdup_printf("%s", quoted + 1);
	if (got == NULL || strcmp(got, rest) != 0) {
		fail_msg("%d heard %s instead of %s", who, got != NULL ? got : "nothing", event);
	}
	g_free(rest);
	g_free(quoted);
	g_free(got);
}

/* Nobody has heard anything more. */
static inline void rig_silent(struct rig *rig) {
	for (int i = 0; i < 8; i++) {
		if (!g_queue_is_empty(&rig->peers[i].inbox)) {
			fail_msg("%d heard %s", i, (char *)g_queue_peek_head(&rig->peers[i].inbox));
		}
	}
}

static inline void rig_forget(struct rig *rig) {
	for (int i = 0; i < 8; i++) {
		g_queue_clear_full(&rig->peers[i].inbox, g_free);
	}
}

#define JOIN "{'type':'join','room':'r','nickname':'N','kind':'camera'"

static inline void join(struct rig *rig, int who) {
	rig_ok(rig, who, JOIN "}", NULL);
	rig_forget(rig);
}
