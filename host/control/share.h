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
	unsigned timeout_ms;       /* from the user's choice to `open` */
	unsigned ready_timeout_ms; /* from `open` to the first picture */
	GQueue shares;             /* struct share: all of them */
	uint32_t last_number;      /* of a share; 0: none yet */
	/* A share ended and is gone. Also called from within share_handle() and share_stop(). */
	void (*released)(void *data);
	void *data;
};

/* `request` is a `share` message. Adds a share to the context, and one for each further stream. */
void share_create(struct share_context *context, const struct protocol_message *request);

/* Kills and closes what is left, without telling the page. NULL is fine. */
void share_destroy(struct share *share);

/* The message is about this share, which the page knows and whose end it does not know yet, or it
 * is the `cancel` of one of its requests. */
bool share_concerns(const struct share *share, const struct protocol_message *message);

/* A message that concerns the share. */
void share_handle(struct share *share, const struct protocol_message *message);

/* Ends the share as the page's `stop` does, with `code`. */
void share_stop(struct share *share, enum error_code code);

/* How many of its requests with this id (0: any) have no answer yet. */
unsigned share_count_pending(const struct share *share, uint32_t id);

/* The port is relieved: the helper goes on. */
void share_relieved(struct share *share);
