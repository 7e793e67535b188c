#include "source/rights.h"

#include <string.h>

#include "base/log.h"
#include "source/pw_api.h"

void rights_note(struct rights *rights, uint32_t id, const char *type) {
	if (strcmp(type, PW_TYPE_INTERFACE_Factory) == 0 && rights->count < RIGHTS_FACTORIES_MAX) {
		rights->factories[rights->count++] = id;
	}
}

void rights_give_up(struct rights *rights, struct pw_core *core) {
	if (rights->given_up) {
		return;
	}
	rights->given_up = true;
	struct pw_client *client = pw_core_get_client(core);
	uint32_t ourselves = pw_proxy_get_bound_id((struct pw_proxy *)client);
	struct pw_permission none[RIGHTS_FACTORIES_MAX + 1];
	uint32_t count = 0;
	for (uint32_t i = 0; i < rights->count; i++) {
		none[count++] = PW_PERMISSION_INIT(rights->factories[i], 0);
	}
	/* Last, since giving up takes this permission. */
	none[count++] = PW_PERMISSION_INIT(ourselves, 0);
	log_debug("giving up permissions on %u factories and client %u", rights->count, ourselves);
	pw_client_update_permissions(client, count, none);
}
