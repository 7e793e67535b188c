#include "control/grants.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define FILE_NAME "grants"
#define NEW_NAME "grants.new"
#define LOCK_NAME "grants.lock"
/* Whoever holds the lock does so for a write to the disk. */
#define LOCK_TRIES 50
#define LOCK_PAUSE_US 10000u

/* The file, locked, with what it holds. */
struct store {
	int folder; /* -1: there is none yet */
	int lock;
	struct grant_list list;
};

/* Says why the file can't be used; `what` with errno. */
static bool unusable(char **detail, const char *what) {
	g_free(*detail);
	*detail = g_strdup_printf(
		"%s/portlight: %s: %s", g_get_user_state_dir(), what, g_strerror(errno));
	return false;
}

/* The folder, as the person's alone. With `create` false, an absent one is -1 and no error. */
static bool open_folder(bool create, int *out, char **detail) {
	g_autofree char *path = g_build_filename(g_get_user_state_dir(), "portlight", NULL);
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

/* What waits for the lock holds up the whole host, so it waits half a second at most. */
static bool take_lock(struct store *store, char **detail) {
	store->lock = openat(store->folder, LOCK_NAME,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (store->lock < 0) {
		return unusable(detail, "can't be locked");
	}
	for (int i = 0; i < LOCK_TRIES; i++) {
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

static bool read_all(int fd, struct bytes *text) {
	char chunk[8192];
	ssize_t count = 0;
	while ((count = read(fd, chunk, sizeof(chunk))) != 0) {
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return false;
		}
		if (text->length + (size_t)count > GRANT_TEXT_MAX) {
			errno = EFBIG;
			return false;
		}
		if (!bytes_append(text, chunk, (size_t)count)) {
			errno = ENOMEM;
			return false;
		}
	}
	return true;
}

static bool load(struct store *store, char **detail) {
	cleanup_fd int fd =
		openat(store->folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return errno == ENOENT || unusable(detail, "grants can't be opened");
	}
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
		errno = EPERM;
		return unusable(detail, "grants is not a file of yours");
	}
	if ((status.st_mode & 0077) != 0) {
		log_warning("the remembered grants were open to others");
		(void)fchmod(fd, 0600);
	}
	struct bytes text = {0};
	bool ok = read_all(fd, &text);
	if (!ok && errno != EFBIG) {
		(void)unusable(detail, "grants can't be read");
	} else if (ok && grant_list_is_newer(text.data, text.length)) {
		errno = EPROTONOSUPPORT;
		ok = unusable(detail, "grants is of a newer version of Portlight");
	} else if (!ok || !grant_list_parse(&store->list, text.data, text.length)) {
		log_warning("some of the remembered grants can't be read; they are left out");
		ok = true;
	}
	bytes_finish(&text);
	return ok;
}

static bool write_all(int fd, const struct bytes *text) {
	size_t done = 0;
	while (done < text->length) {
		ssize_t count = write(fd, text->data + done, text->length - done);
		if (count < 0 && errno != EINTR) {
			return false;
		}
		done += count > 0 ? (size_t)count : 0;
	}
	return fsync(fd) == 0;
}

/* Writes a new file and puts it in the old one's place, so that a crash leaves one of the two. */
static bool save(struct store *store, char **detail) {
	if (store->list.revocations == 0) {
		/* Not 1: a file that was deleted by hand must not come back with the same count. */
		store->list.revocations = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
	}
	cleanup_fd int fd = openat(store->folder, NEW_NAME,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0) {
		return unusable(detail, "grants.new can't be created");
	}
	/* One that a crash left behind keeps the mode that it has. */
	if (fchmod(fd, 0600) != 0) {
		return unusable(detail, "grants.new is open to others");
	}
	struct bytes text = {0};
	errno = ENOMEM;
	bool ok = grant_list_write(&store->list, &text) && write_all(fd, &text) &&
		  renameat(store->folder, NEW_NAME, store->folder, FILE_NAME) == 0 &&
		  fsync(store->folder) == 0;
	bytes_finish(&text);
	return ok || unusable(detail, "grants can't be written");
}

static void store_close(struct store *store) {
	if (store != NULL) {
		if (store->lock >= 0) {
			(void)close(store->lock); /* which unlocks it */
		}
		if (store->folder >= 0) {
			(void)close(store->folder);
		}
		g_free(store);
	}
}

/* NULL and why when the file can't be used. With `create` false, an absent folder stays so. */
static struct store *store_open(bool create, char **detail) {
	struct store *store = g_new0(struct store, 1);
	store->folder = -1;
	store->lock = -1;
	if (!open_folder(create, &store->folder, detail) ||
		(store->folder >= 0 && (!take_lock(store, detail) || !load(store, detail)))) {
		store_close(store);
		return NULL;
	}
	return store;
}

static int64_t now(void) {
	return g_get_real_time() / G_USEC_PER_SEC;
}

static bool covers(enum protocol_surface surface, bool monitor, bool window) {
	return surface == PROTOCOL_SURFACE_MONITOR  ? monitor
	       : surface == PROTOCOL_SURFACE_WINDOW ? window
						    : monitor && window;
}

bool grants_claim(struct grants_claim *claim, const char *origin, bool monitor, bool window) {
	*claim = (struct grants_claim){0};
	(void)g_strlcpy(claim->origin, origin, sizeof(claim->origin));
	claim->since = now();
	g_autofree char *detail = NULL;
	struct store *store = store_open(true, &detail);
	bool ok = store != NULL;
	const struct grant *grant = ok ? grant_list_find(&store->list, origin) : NULL;
	if (grant != NULL && covers(grant->surface, monitor, window)) {
		const struct grant taken = *grant;
		(void)grant_list_remove(&store->list, origin);
		ok = save(store, &detail);
		if (ok) {
			memcpy(claim->token, taken.token, sizeof(claim->token));
			claim->since = taken.since;
		}
	}
	if (ok) {
		claim->revocations = store->list.revocations;
	} else {
		log_warning("nothing is remembered: %s", detail);
	}
	store_close(store);
	return ok;
}

bool grants_keep(
	const struct grants_claim *claim, const char *token, enum protocol_surface surface) {
	if (!grant_token_is_valid(token)) {
		log_warning("the portal's restore token is none that can be kept");
		return false;
	}
	struct grant grant = {
		.surface = surface,
		.since = claim->since,
		.last_used = now(),
	};
	(void)g_strlcpy(grant.origin, claim->origin, sizeof(grant.origin));
	(void)g_strlcpy(grant.token, token, sizeof(grant.token));
	g_autofree char *detail = NULL;
	struct store *store = store_open(true, &detail);
	bool ok = store != NULL && store->list.revocations == claim->revocations;
	if (ok) {
		grant_list_put(&store->list, &grant);
		ok = save(store, &detail);
	}
	if (detail != NULL) {
		log_warning("nothing is remembered: %s", detail);
	}
	store_close(store);
	return ok;
}

enum error_code grants_read(struct grant_list *list, char **detail) {
	*detail = NULL;
	struct store *store = store_open(false, detail);
	if (store == NULL) {
		return ERROR_STATE_UNUSABLE;
	}
	*list = store->list;
	store_close(store);
	return ERROR_NONE;
}

enum error_code grants_revoke(const char *origin, size_t *revoked, char **detail) {
	*detail = NULL;
	*revoked = 0;
	/* Also where nothing is kept yet: a share that is being asked for has to notice. */
	struct store *store = store_open(true, detail);
	if (store == NULL) {
		return ERROR_STATE_UNUSABLE;
	}
	if (origin == NULL) {
		*revoked = store->list.count;
		store->list.count = 0;
	} else if (grant_list_remove(&store->list, origin)) {
		*revoked = 1;
	}
	store->list.revocations = MAX(store->list.revocations, (uint64_t)now()) + 1;
	bool ok = save(store, detail);
	store_close(store);
	return ok ? ERROR_NONE : ERROR_STATE_UNUSABLE;
}
