/*
 * An immutable text that several outboxes hold at once: a message to a room is written once. One
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct shared_text {
	uint32_t references;
	uint32_t length; /* without the terminator */
	char bytes[];    /* terminated */
};

/* With one reference. Aborts without memory, as GLib does. */
struct shared_text *shared_text_create(const char *bytes, size_t length);
struct shared_text *shared_text_hold(struct shared_text *text);
/* Takes NULL. */
void shared_text_drop(struct shared_text *text);
