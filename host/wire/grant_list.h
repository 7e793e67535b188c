/*
 * The remembered grants: text <-> structs, no I/O. The first line has the format's version and the
 * count of revocations, the others one grant each: origin, surface, since, last used and the
 * portal's restore token, separated by tabs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/origin.h"
#include "wire/protocol.h"

#define GRANTS_MAX 256u
#define GRANT_TOKEN_MAX 256u
/* No text of GRANTS_MAX grants is longer. */
#define GRANT_TEXT_MAX (GRANTS_MAX * 1024u)

struct grant {
	char origin[ORIGIN_MAX + 1];
	enum protocol_surface surface;
	int64_t since; /* seconds since 1970, as is last_used */
	int64_t last_used;
	char token[GRANT_TOKEN_MAX + 1];
};

/* Zero-initialised it is empty. Some 150 KB: not for the stack. */
struct grant_list {
	uint64_t revocations; /* goes up with each; 0 only when there was no text */
	size_t count;
	struct grant grants[GRANTS_MAX];
};

/* Printable ASCII without spaces, within the bound. */
bool grant_token_is_valid(const char *token);

/* A later version of Portlight wrote the text: it must not be overwritten. */
bool grant_list_is_newer(const char *text);

/* Reads what is valid of `text`, which has a terminator and is cut into pieces. False when
 * something was skipped. */
bool grant_list_parse(struct grant_list *list, char *text, size_t length);

/* Appends the text. False when memory ran out. */
bool grant_list_write(const struct grant_list *list, struct bytes *out);

/* Lent until the list changes; NULL: not found. */
const struct grant *grant_list_find(const struct grant_list *list, const char *origin);

/* Replaces the origin's grant. A full list drops the one that was unused for longest. */
void grant_list_put(struct grant_list *list, const struct grant *grant);

/* False when there was none. */
bool grant_list_remove(struct grant_list *list, const char *origin);
