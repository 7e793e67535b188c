#include "control/grants_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Others hold the lock while they write to the disk. */
#define LOCK_TRIES 50
#define LOCK_PAUSE_US 10000u

/* The file, locked, and what it holds. */
struct store {
	char *path;
	int lock;
	struct grant_list *list;
};

static int64_t now(void) {
	return g_get_real_time() / G_USEC_PER_SEC;
}

/* Says why the file is unusable: `what`, with errno. */
static bool unusable(char **detail, const char *what) {
	*detail = g_strdup_printf(
		"%s/portlight: %s: %s", g_get_user_state_dir(), what, g_strerror(errno));
	return false;
}

/* Makes sure that only the user can use the folder. With `create` false, *out is -1 if it is
 * absent. */
static bool open_folder(const char *path, bool create, int *out, char **detail) {
	if (create && g_mkdir_with_parents(path, 0700) != 0) {
		return unusable(detail, "can't be created");
	}
	cleanup_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		return (errno == ENOENT && !create) || unusable(detail, "can't be opened");
	}
	struct stat status;
	if (fstat(folder, &status) != 0) {
		return unusable(detail, "can't be examined");
	}
	if (status.st_uid != geteuid()) {
		errno = EPERM;
		return unusable(detail, "is not yours");
	}
	if ((status.st_mode & 0077) != 0 && fchmod(folder, 0700) != 0) {
		return unusable(detail, "is open to others");
	}
	*out = steal_fd(&folder);
	return true;
}

static bool take_lock(struct store *store, int folder, char **detail) {
	store->lock = openat(folder, "grants.lock",
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	for (int i = 0; store->lock >= 0 && i < LOCK_TRIES; i++) {
		if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
			return true;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			break;
		}
		g_usleep(LOCK_PAUSE_US);
	}
	return unusable(detail, "can't be locked");
}

/* Only the user can change the folder, so nobody else swaps the file after the check. */
static bool load(struct store *store, char **detail) {
	struct stat status;
	if (lstat(store->path, &status) != 0) {
		return errno == ENOENT || unusable(detail, "grants can't be examined");
	}
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
		errno = EPERM;
		return unusable(detail, "grants is not a file of yours");
	}
	if ((status.st_mode & 0077) != 0) {
		log_warning("the remembered grants were open to others");
		(void)g_chmod(store->path, 0600);
	}
	g_autofree char *text = NULL;
	gsize length = 0;
	g_autoptr(GError) error = NULL;
	bool fits = status.st_size <= GRANT_TEXT_MAX;
	if (fits && !g_file_get_contents(store->path, &text, &length, &error)) {
		*detail = g_strdup(error->message);
		return false;
	}
	if (fits && grant_list_is_newer(text)) {
		errno = EPROTONOSUPPORT;
		return unusable(detail, "grants is of a newer version of Portlight");
	}
	if (!fits || !grant_list_parse(store->list, text, length)) {
		log_warning("some of the remembered grants can't be read; they are left out");
	}
	return true;
}

static bool save(struct store *store, char **detail) {
	if (store->list->revocations == 0) {
		/* Not 1: a file that was deleted by hand must not come back with the same count. */
		store->list->revocations = (uint64_t)now();
	}
	struct bytes text = {0};
	g_autoptr(GError) error = NULL;
	errno = ENOMEM;
	bool ok = grant_list_write(store->list, &text) || unusable(detail, "can't be written");
	if (ok &&
		!g_file_set_contents_full(store->path, (const char *)text.data, (gssize)text.length,
			G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
			&error)) {
		*detail = g_strdup(error->message);
		ok = false;
	}
	bytes_finish(&text);
	return ok;
}

static void store_finish(struct store *store) {
	close_fd(&store->lock); /* which unlocks it */
	g_free(store->path);
	g_free(store->list);
}

/* False and why when the file is unusable; store_finish() is due in any case. With `create` false,
 * an absent folder stays absent. */
static bool store_init(struct store *store, bool create, char **detail) {
	*store = (struct store){.lock = -1, .list = g_new0(struct grant_list, 1)};
	g_autofree char *path = g_build_filename(g_get_user_state_dir(), "portlight", NULL);
	cleanup_fd int folder = -1;
	if (!open_folder(path, create, &folder, detail)) {
		return false;
	}
	store->path = g_build_filename(path, "grants", NULL);
	return folder < 0 || (take_lock(store, folder, detail) && load(store, detail));
}

static bool covers(enum protocol_surface surface, bool monitor, bool window) {
	return surface == PROTOCOL_SURFACE_MONITOR  ? monitor
	       : surface == PROTOCOL_SURFACE_WINDOW ? window
						    : monitor && window;
}

bool grants_file_claim(struct grants_claim *claim, const char *origin, bool monitor, bool window,
	GCancellable *cancellable) {
	*claim = (struct grants_claim){.since = now()};
	(void)g_strlcpy(claim->origin, origin, sizeof(claim->origin));
	g_autofree char *detail = NULL;
	struct store store;
	bool ok = store_init(&store, true, &detail);
	const struct grant *grant = ok ? grant_list_find(store.list, origin) : NULL;
	if (grant != NULL && covers(grant->surface, monitor, window) &&
		!g_cancellable_is_cancelled(cancellable)) {
		memcpy(claim->token, grant->token, sizeof(claim->token));
		claim->since = grant->since;
		(void)grant_list_remove(store.list, origin);
		ok = save(&store, &detail);
	} else if (ok && store.list->revocations == 0) {
		/* A new file gets its count now, so that the first of several claims that is kept
		 * does not look like a revocation to the others. */
		ok = save(&store, &detail);
	}
	claim->revocations = store.list->revocations;
	if (!ok) {
		claim->token[0] = '\0';
		log_warning("nothing is remembered: %s", detail);
	}
	store_finish(&store);
	return ok;
}

bool grants_file_keep(
	const struct grants_claim *claim, const char *token, enum protocol_surface surface) {
	if (!grant_token_is_valid(token)) {
		log_warning("the portal's restore token is invalid");
		return false;
	}
	g_autofree char *detail = NULL;
	struct store store;
	bool ok =
		store_init(&store, true, &detail) && store.list->revocations == claim->revocations;
	if (ok) {
		struct grant grant = {
			.surface = surface, .since = claim->since, .last_used = now()};
		(void)g_strlcpy(grant.origin, claim->origin, sizeof(grant.origin));
		(void)g_strlcpy(grant.token, token, sizeof(grant.token));
		grant_list_put(store.list, &grant);
		ok = save(&store, &detail);
	}
	if (detail != NULL) {
		log_warning("nothing is remembered: %s", detail);
	}
	store_finish(&store);
	return ok;
}

enum error_code grants_file_read(struct grant_list *list, char **detail) {
	*detail = NULL;
	struct store store;
	bool ok = store_init(&store, false, detail);
	if (ok) {
		*list = *store.list;
	}
	store_finish(&store);
	return ok ? ERROR_NONE : ERROR_STATE_UNUSABLE;
}

enum error_code grants_file_revoke(const char *origin, size_t *revoked, char **detail) {
	*detail = NULL;
	*revoked = 0;
	/* Creates the file too: a share that is still being asked for has to notice. */
	struct store store;
	bool ok = store_init(&store, true, detail);
	if (ok) {
		if (origin != NULL) {
			*revoked = grant_list_remove(store.list, origin);
		} else {
			*revoked = store.list->count;
			store.list->count = 0;
		}
		store.list->revocations = MAX(store.list->revocations, (uint64_t)now()) + 1;
		ok = save(&store, detail);
	}
	store_finish(&store);
	return ok ? ERROR_NONE : ERROR_STATE_UNUSABLE;
}
