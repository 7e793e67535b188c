/*
 * The WebRTC lesson's messages: `{type: login|offer|answer|candidate|close, username,
 * otherUsername, …}`, in place of ours. Its printed client names its peer in the first message of a
 * call at most, so the server remembers. No I/O; one for each client.
 *
 *   theirs                                        ours
 *   login {username}                              login {name}
 *   login {success}                               ok or error of that login
 *   offer {offer: {type, sdp}, otherUsername?}    offer {to, call, sdp}
 *   offer {offer: {type, sdp}, username}          offer {from, call, sdp}
 *   answer {answer: {type, sdp}}, candidate {candidate}, close {}: likewise
 *   error {code, message, remedy}                 any other error (its client does not look at it)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rooms/shared_text.h"
#include "rooms/wire.h"

/* Zeroed: nobody has logged in. */
struct lesson {
	uint64_t sequence; /* of our last request for it; its id too */
	uint64_t login;    /* the id of its last login */
	char peer[1025];   /* "": in no call */
	char call[65];
};

/*
 * Reads one of its messages into one of ours, as wire_parse does (wire_finish in either case).
 * False: `error` is to be told it (wire_error), or NONE: a message that means nothing now.
 */
bool lesson_read(struct lesson *lesson, const char *text, size_t length,
	struct wire_message *message, enum rooms_error *error);

/* What it is sent in place of one of ours: without the opening brace, as all texts; NULL: nothing.
 */
struct shared_text *lesson_write(struct lesson *lesson, const struct shared_text *text);
