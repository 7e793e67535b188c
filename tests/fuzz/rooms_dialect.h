/*
 * Two clients of a dialect at one hub. Each line of the input is a message, of the second client
 * where it begins with '>'. What a dialect makes of it keeps its session, and what the other one is
 * told is JSON again.
 */
#pragma once

#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "rooms/dialect/dialect.h"
#include "rooms/hub/hub.h"
#include "wire/json_text.h"

struct fuzz_client {
	const struct dialect *dialect;
	struct dialect_client state;
	struct hub_user *user;
	uint64_t said;
};

static void check(bool good) {
	if (!good) {
		abort();
	}
}

static void fuzz_send(void *context, void *peer, struct shared_text *ours) {
	struct fuzz_client *client = peer;
	struct shared_text *theirs = dialect_write(client->dialect, &client->state, ours);
	if (theirs == NULL) {
		return;
	}
	char *whole = g_strconcat("{", theirs->bytes, NULL);
	enum json_tokener_error error = json_tokener_success;
	struct json_object *root =
		json_text_parse(whole, strlen(whole), JSON_TOKENER_DEFAULT_DEPTH, &error);
	check(error == json_tokener_success);
	check(dialect_string(root, "type") != NULL);
	json_object_put(root);
	g_free(whole);
	shared_text_drop(theirs);
}

static bool fuzz_busy(void *context, void *peer, size_t bytes) {
	return false;
}

static void fuzz_request(struct hub *hub, struct fuzz_client *client, const char *ours) {
	uint64_t number = ++client->said;
	char *whole = g_strdup_printf(
		"{\"seq\":%" PRIu64 ",\"ack\":0,\"id\":%" PRIu64 ",%s", number, number, ours);
	struct wire_message message;
	enum rooms_error error = ROOMS_ERROR_NONE;
	char detail[64];
	if (wire_parse(whole, strlen(whole), &message, &error, detail)) {
		hub_request(hub, client->user, &message, 1000);
	} else {
		/* Otherwise the session would end. */
		check(message.seq == number && error != ROOMS_ERROR_NONE);
	}
	wire_finish(&message);
	g_free(whole);
}

static void fuzz_say(struct hub *hub, struct fuzz_client *client, const char *text, size_t length) {
	enum rooms_error error = ROOMS_ERROR_NONE;
	struct shared_text *ours =
		dialect_read(client->dialect, &client->state, text, length, &error);
	check((ours == NULL) == (error != ROOMS_ERROR_NONE));
	check(strlen(client->state.peer) <= DIALECT_NAME_MAX);
	/* Longer ones the server refuses itself. */
	if (ours != NULL && ours->length < WIRE_MESSAGE_MAX - 96u) {
		fuzz_request(hub, client, ours->bytes);
	}
	shared_text_drop(ours);
}

static int fuzz_dialect(const struct dialect *dialect, const uint8_t *data, size_t size) {
	const struct hub_settings settings = {.open = true};
	const struct hub_output output = {NULL, fuzz_send, fuzz_busy};
	struct hub *hub = hub_create(&settings, &output);
	struct fuzz_client clients[2] = {{.dialect = dialect}, {.dialect = dialect}};
	for (int i = 0; i < 2; i++) {
		clients[i].user = hub_enter(hub, &clients[i]);
		if (dialect->room != NULL) {
			fuzz_request(hub, &clients[i],
				"\"type\":\"join\",\"room\":\"sse\",\"nickname\":\"guest\","
				"\"kind\":\"data\"}");
		}
	}
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - data);
		bool second = length > 0 && data[0] == '>';
		fuzz_say(hub, &clients[second], (const char *)data + second, length - second);
		data += length + (end != NULL);
		size -= length + (end != NULL);
	}
	for (int i = 0; i < 2; i++) {
		hub_gone(hub, clients[i].user);
	}
	hub_destroy(hub);
	return 0;
}
