/*
 * What a ScreenCast portal's connection to PipeWire is good for beside its own node, and giving
 * that up. Whoever holds it can make one more stream, and the session manager links that to the
 * microphone, or to what the speakers play, without a question. So once our stream has its node,
 * this connection loses the factories that nodes are made with, and its own client object, through
 * which it could get them back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pw_core;

/* A portal shows the one factory of client nodes; PipeWire itself has some twenty. */
#define RIGHTS_FACTORIES_MAX 64u

/* Zero-initialise it. */
struct rights {
	uint32_t factories[RIGHTS_FACTORIES_MAX]; /* ids of globals */
	uint32_t count;
	bool given_up;
};

/* A global object showed; `type` is its interface. */
void rights_note(struct rights *rights, uint32_t id, const char *type);

/* Gives up what was noted, once. To be called as soon as the stream has its node. */
void rights_give_up(struct rights *rights, struct pw_core *core);
