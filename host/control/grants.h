/*
 * The grants that the person lets a site keep: the portal's restore tokens, one for each origin, in
 * one file of the state folder ($XDG_STATE_HOME/portlight or ~/.local/state/portlight), for the
 * person alone. Every call reads the file anew under a lock, so several hosts and `portlight
 * grants` see each other's changes at once. What can't be read of the file is left out with a
 * warning.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"
#include "wire/grant_list.h"

/* What a share does with the grant of its origin, from asking to the person's choice. */
struct grants_claim {
	char origin[ORIGIN_MAX + 1];
	char token[GRANT_TOKEN_MAX + 1]; /* "": there is none to be used */
	int64_t since;
	uint64_t revocations;
};

/*
 * Takes the origin's token out of the file, for it may be used once. A grant of a surface that is
 * not asked for now stays where it is. False when the file can't be used: nothing is to be
 * remembered then.
 */
bool grants_claim(struct grants_claim *claim, const char *origin, bool monitor, bool window);

/* Keeps the token that the portal gave for the claim. False when it is not kept: a grant was
 * revoked meanwhile, the token is none that can be kept, or the file can't be used. */
bool grants_keep(
	const struct grants_claim *claim, const char *token, enum protocol_surface surface);

/* ERROR_NONE, or ERROR_STATE_UNUSABLE and why in *detail (free with g_free()). An absent file is an
 * empty list. */
enum error_code grants_read(struct grant_list *list, char **detail);

/* Forgets the grant of an origin (NULL: all of them), and holds for shares that are being asked for
 * as well. *revoked: how many there were. Errors as above. */
enum error_code grants_revoke(const char *origin, size_t *revoked, char **detail);
