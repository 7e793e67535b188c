/*
 * The source that matters: one node behind a PipeWire remote, as the portal hands it out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "source/source.h"

struct loop;

/*
 * Takes `fd`, a connected PipeWire remote, over. `cursor_wanted`: events and source_cursor() tell
 * of a cursor that comes as metadata. `loop` outlives the source; `events` is lent. NULL when
 * memory ran out; `fd` is closed then.
 */
struct source *stream_create(struct loop *loop, int fd, uint32_t node_id, uint32_t max_fps,
	bool cursor_wanted, const struct source_events *events, void *data);
