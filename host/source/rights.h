/*
 * Gives up what a ScreenCast portal's PipeWire remote allows beyond reading its node. Whoever holds
 * the remote can create another stream, which the session manager links to the microphone or the
 * speakers' monitor without asking the user. So once our stream has its node, this client gives up
 * its permissions on the factories that create nodes, and on its own client object, through which
 * it could get them back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pw_core;

/* A portal's remote shows one factory, client-node; an unrestricted one shows about twenty. */
#define RIGHTS_FACTORIES_MAX 64u

/* Zero-initialise it. */
struct rights {
	uint32_t factories[RIGHTS_FACTORIES_MAX]; /* global ids */
	uint32_t count;
	bool given_up;
};

/* Call this for every global object; `type` is its interface. */
void rights_note(struct rights *rights, uint32_t id, const char *type);

/* Gives up the noted permissions, once. Call it as soon as the stream has its node. */
void rights_give_up(struct rights *rights, struct pw_core *core);
