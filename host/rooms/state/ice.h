/*
 * The ICE servers that clients are told: STUN as configured, TURN with credentials that end, in the
 * way of coturn's use-auth-secret: the user is `EXPIRY:NAME`, the password its HMAC-SHA-1 in
 * base64.
 */
#pragma once

#include <stdint.h>

#include "rooms/settings/settings.h"
#include "rooms/wire/wire.h"

/* Writes the array of RTCIceServer as `key`, for the session of this name; `now` is wall-clock time
 * in milliseconds. */
void ice_write(const struct settings *settings, struct wire_writer *writer, const char *key,
	const char *name, int64_t now);

/* When a session that got credentials at `now` needs new ones; INT64_MAX: never. */
int64_t ice_renew_at(const struct settings *settings, int64_t now);
