/* One share: carries out what share_state.h decides, with a screencast and a helper, and answers
 * the extension. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/grants.h"
#include "control/port.h"
#include "control/portal.h"
#include "wire/protocol.h"

struct share;

/* What all shares have in common; outlives them. */
struct share_context {
	struct portal *portal;
	struct grants *grants;
	struct port *port;
	unsigned timeout_ms;       /* from the person's choice to `open` */
	unsigned ready_timeout_ms; /* from `open` to the first picture */
	/* One more share: keeps it with the others. Returns its number. */
	uint32_t (*added)(void *data, struct share *share);
	/* Nothing of the share is left: destroy it. Also called from within share_handle() and
	 * share_stop(). */
	void (*released)(void *data, struct share *share);
	void *data;
};

/* `request` is a `share` message. `added` gets the share, and one for each further stream. */
void share_create(const struct share_context *context, const struct protocol_message *request);

/* Kills and closes what is left, without telling the page. NULL is fine. */
void share_destroy(struct share *share);

/* A message about this share, or a `cancel` of one of its requests. */
void share_handle(struct share *share, const struct protocol_message *message);

/* Ends the share as the page's `stop` does, with `code`. */
void share_stop(struct share *share, enum error_code code);

/* The page knows the share, and not yet its end. */
bool share_is_known(const struct share *share);
uint32_t share_number(const struct share *share);

/* Its requests that have no answer yet. */
unsigned share_pending_count(const struct share *share);
bool share_has_pending(const struct share *share, uint32_t id);
/* Of those, a `share` or `open`: what `cancel` can name. */
bool share_can_cancel(const struct share *share, uint32_t id);

/* The port is relieved: the helper goes on. */
void share_relieved(struct share *share);
