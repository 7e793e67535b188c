/*
 * The grants that the user lets a site keep: the portal's restore tokens, one for each origin, in
 * one file of the state folder ($XDG_STATE_HOME/portlight or ~/.local/state/portlight), which only
 * the user can read. Every call locks and reads the file, so several hosts and `portlight grants`
 * see each other's changes at once. It skips, with a warning, what it can't read of the file.
 *
 * The calls wait for the lock and the disk: the host makes them through grants.h.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"
#include "wire/grant_list.h"

/* What a share knows of its origin's grant between the request and the user's choice. */
struct grants_claim {
	char origin[ORIGIN_MAX + 1];
	char token[GRANT_TOKEN_MAX + 1]; /* "": the dialog has to ask */
	int64_t since;
	uint64_t revocations;
};

/*
 * Takes the origin's token out of the file, since it works only once. A grant of a surface that is
 * not asked for stays where it is, and so does every grant if `cancellable` (NULL: none) is
 * cancelled by then. False when the file is unusable: then nothing can be remembered.
 */
bool grants_file_claim(struct grants_claim *claim, const char *origin, bool monitor, bool window,
	GCancellable *cancellable);

/* Keeps the token that the portal gave for the claim. False when a grant was revoked in the
 * meantime, the token is invalid or the file is unusable. */
bool grants_file_keep(
	const struct grants_claim *claim, const char *token, enum protocol_surface surface);

/* ERROR_NONE, or ERROR_STATE_UNUSABLE and why in *detail (free with g_free()). An absent file is an
 * empty list. */
enum error_code grants_file_read(struct grant_list *list, char **detail);

/* Forgets the grant of an origin (NULL: all of them), also for shares that are still being asked
 * for. *revoked: how many there were. Errors as above. */
enum error_code grants_file_revoke(const char *origin, size_t *revoked, char **detail);
