#include "control/cast.h"

#include <glib.h>
#include <unistd.h>

/* What the holds of one screen cast have in common. */
struct common {
	struct screencast *screencast;
	const struct screencast_listener *listener;
	GQueue holds;   /* struct cast */
	GQueue waiting; /* those of them that asked for a remote, first come first served */
	bool telling;   /* the end is being told: it outlives its last hold for so long */
};

struct cast {
	struct common *common;
	void *data;
	bool ended;
};

static void common_release(struct common *common) {
	if (common->holds.length == 0 && !common->telling) {
		screencast_destroy(common->screencast);
		g_queue_clear(&common->waiting);
		g_free(common);
	}
}

static struct cast *first_hold(const struct common *common) {
	return g_queue_peek_head((GQueue *)&common->holds);
}

static bool handle_restore(void *data, const char **token) {
	struct common *common = data;
	return common->listener->restore(first_hold(common)->data, token);
}

static void handle_granted(void *data, const struct screencast_stream *streams, size_t count) {
	struct common *common = data;
	common->listener->granted(first_hold(common)->data, streams, count);
}

/* All remotes are alike, so it does not matter whose question this one answers. */
static void handle_remote(void *data, int fd) {
	struct common *common = data;
	struct cast *cast = g_queue_pop_head(&common->waiting);
	if (cast != NULL) {
		common->listener->remote(cast->data, fd);
	} else {
		(void)close(fd);
	}
}

static struct cast *next_untold(const struct common *common) {
	for (GList *link = common->holds.head; link != NULL; link = link->next) {
		struct cast *cast = link->data;
		if (!cast->ended) {
			return cast;
		}
	}
	return NULL;
}

static void handle_ended(void *data, enum error_code code, const char *detail) {
	struct common *common = data;
	common->telling = true;
	/* Any hold may be gone after each call. */
	for (struct cast *cast; (cast = next_untold(common)) != NULL;) {
		cast->ended = true;
		common->listener->ended(cast->data, code, detail);
	}
	common->telling = false;
	common_release(common);
}

static const struct screencast_listener listener_of_all = {
	.restore = handle_restore,
	.granted = handle_granted,
	.remote = handle_remote,
	.ended = handle_ended,
};

static struct cast *add_hold(struct common *common, void *data) {
	struct cast *cast = g_new0(struct cast, 1);
	cast->common = common;
	cast->data = data;
	g_queue_push_tail(&common->holds, cast);
	return cast;
}

struct cast *cast_create(struct portal *portal, const struct screencast_options *options,
	const struct screencast_listener *listener, void *data) {
	struct common *common = g_new0(struct common, 1);
	common->listener = listener;
	g_queue_init(&common->holds);
	g_queue_init(&common->waiting);
	struct cast *cast = add_hold(common, data);
	common->screencast = screencast_create(portal, options, &listener_of_all, common);
	return cast;
}

struct cast *cast_join(struct cast *cast, void *data) {
	return add_hold(cast->common, data);
}

void cast_open_remote(struct cast *cast) {
	g_queue_push_tail(&cast->common->waiting, cast);
	screencast_open_remote(cast->common->screencast);
}

void cast_destroy(struct cast *cast) {
	if (cast == NULL) {
		return;
	}
	struct common *common = cast->common;
	g_queue_remove(&common->holds, cast);
	g_queue_remove(&common->waiting, cast);
	g_free(cast);
	common_release(common);
}
