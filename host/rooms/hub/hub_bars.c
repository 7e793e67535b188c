/* Who was kicked from a room: their sessions and nicknames, for the room's life or until a
 * moderator admits them. */
#include <string.h>

#include "rooms/hub/hub_parts.h"

/* The oldest are forgotten. */
#define BARS_MAX 256u

struct bar {
	uint64_t user;
	char *nickname; /* folded; NULL where nothing of it is left */
};

static void bar_free(void *data) {
	struct bar *bar = data;
	g_free(bar->nickname);
	g_free(bar);
}

static void add(struct room *room, uint64_t user, const char *nickname) {
	if (room->bars == NULL) {
		room->bars = g_ptr_array_new_with_free_func(bar_free);
	}
	if (room->bars->len == BARS_MAX) {
		g_ptr_array_remove_index(room->bars, 0);
	}
	struct bar *bar = g_new0(struct bar, 1);
	bar->user = user;
	bar->nickname = name_fold(nickname);
	g_ptr_array_add(room->bars, bar);
}

void room_bar(struct room *room, const struct hub_user *user) {
	for (const struct connection *at = user->connections; at != NULL; at = at->next) {
		if (at->room == room) {
			add(room, user->number, at->nickname);
		}
	}
}

static bool concerns(const struct bar *bar, const struct hub_user *user, const char *folded) {
	return bar->user == user->number ||
	       (folded != NULL && bar->nickname != NULL && strcmp(bar->nickname, folded) == 0);
}

bool room_barred(const struct room *room, const struct hub_user *user, const char *nickname) {
	g_autofree char *folded = room->bars == NULL ? NULL : name_fold(nickname);
	for (guint i = 0; room->bars != NULL && i < room->bars->len; i++) {
		if (concerns(room->bars->pdata[i], user, folded)) {
			return true;
		}
	}
	return false;
}

void room_unbar(struct room *room, const struct hub_user *user, const char *nickname) {
	g_autofree char *folded = room->bars == NULL ? NULL : name_fold(nickname);
	for (guint i = room->bars == NULL ? 0 : room->bars->len; i > 0; i--) {
		if (concerns(room->bars->pdata[i - 1], user, folded)) {
			g_ptr_array_remove_index(room->bars, i - 1);
		}
	}
}
