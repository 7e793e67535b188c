/*
 * A share's hold on a screen cast. One that the person granted with several streams has a hold for
 * each; it is closed with the last of them. Verbs and callbacks are as in screencast.h.
 */
#pragma once

#include "control/screencast.h"

struct cast;

/* Starts to ask, as screencast_create(); this is the first hold, to which `granted` comes. */
struct cast *cast_create(struct portal *portal, const struct screencast_options *options,
	const struct screencast_listener *listener, void *data);

/* One more hold on what `cast` holds, with the same listener. Only once it is granted. */
struct cast *cast_join(struct cast *cast, void *data);

/* As screencast_open_remote(): `remote` comes to this hold. */
void cast_open_remote(struct cast *cast);

/* Lets go: no callback comes any more. The last hold closes the screen cast, so each is kept until
 * its stream has ended. NULL is fine. */
void cast_destroy(struct cast *cast);
