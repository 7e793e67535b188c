#include "source/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/pw_api.h"

struct asking {
	struct loop *loop;
	struct pw_core *core;
	struct probe *probe;
	int sequence; /* of the answer that comes last */
};

static void fail(struct asking *asking, int error) {
	asking->probe->error = error;
	loop_quit(asking->loop);
}

static void on_info(void *data, const struct pw_core_info *info) {
	struct asking *asking = data;
	snprintf(asking->probe->version, sizeof(asking->probe->version), "%s", info->version);
}

static void on_done(void *data, uint32_t id, int sequence) {
	struct asking *asking = data;
	if (id == PW_ID_CORE && sequence == asking->sequence) {
		loop_quit(asking->loop);
	}
}

static void on_error(void *data, uint32_t id, int sequence, int result, const char *message) {
	(void)sequence;
	(void)message;
	if (id == PW_ID_CORE) {
		fail(data, -result);
	}
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.info = on_info,
	.done = on_done,
	.error = on_error,
};

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
	uint32_t version, const struct spa_dict *properties) {
	(void)id;
	(void)permissions;
	(void)version;
	/* Run in parts, WirePlumber 0.4 and 0.5 give the one that links streams the other names. */
	static const char *const managers[] = {"WirePlumber", "WirePlumber Policy",
		"WirePlumber (policy)", "pipewire-media-session"};
	struct asking *asking = data;
	const char *name = properties != NULL ? spa_dict_lookup(properties, PW_KEY_APP_NAME) : NULL;
	for (size_t i = 0; name != NULL && i < SPA_N_ELEMENTS(managers); i++) {
		if (strcmp(type, PW_TYPE_INTERFACE_Client) == 0 && strcmp(name, managers[i]) == 0) {
			snprintf(asking->probe->manager, sizeof(asking->probe->manager), "%s",
				managers[i]);
		}
	}
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = on_global,
};

static void on_timer(void *data, uint64_t expirations) {
	(void)expirations;
	fail(data, ETIMEDOUT);
}

void probe_pipewire(struct loop *loop, int64_t timeout_us, struct probe *probe) {
	*probe = (struct probe){0};
	struct asking asking = {.loop = loop, .probe = probe};
	asking.core = pw_context_connect(loop->context, NULL, 0);
	if (asking.core == NULL) {
		probe->error = errno;
		return;
	}
	struct spa_hook core_listener = {0};
	struct spa_hook registry_listener = {0};
	pw_core_add_listener(asking.core, &core_listener, &core_events, &asking);
	struct pw_registry *registry = pw_core_get_registry(asking.core, PW_VERSION_REGISTRY, 0);
	struct spa_source *timer = loop_add_timer(loop, on_timer, &asking);
	if (registry != NULL && timer != NULL) {
		pw_registry_add_listener(registry, &registry_listener, &registry_events, &asking);
		asking.sequence = pw_core_sync(asking.core, PW_ID_CORE, 0);
		loop_set_timer(loop, timer, timeout_us);
		loop_run(loop);
	} else {
		probe->error = ENOMEM;
	}
	loop_remove(loop, timer);
	if (registry != NULL) {
		pw_proxy_destroy((struct pw_proxy *)registry);
	}
	pw_core_disconnect(asking.core);
}
