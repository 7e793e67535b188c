#include "wire/grant_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "portlight-grants "
#define VERSION 1

static bool read_number(const char *text, int64_t *out) {
	size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
	if (digits == 0 || digits > 15 || text[digits] != '\0') {
		return false;
	}
	*out = strtoll(text, NULL, 10);
	return true;
}

static bool read_surface(const char *text, enum protocol_surface *out) {
	for (int surface = 0; text != NULL && surface < PROTOCOL_SURFACE_COUNT; surface++) {
		if (strcmp(text, protocol_surface_name((enum protocol_surface)surface)) == 0) {
			*out = (enum protocol_surface)surface;
			return true;
		}
	}
	return false;
}

bool grant_token_is_valid(const char *token) {
	size_t length = 0;
	for (; token[length] != '\0'; length++) {
		if (token[length] <= ' ' || token[length] > '~' || length >= GRANT_TOKEN_MAX) {
			return false;
		}
	}
	return length > 0;
}

static bool read_grant(char *line, struct grant *grant) {
	const char *origin = strsep(&line, "\t");
	const char *surface = strsep(&line, "\t");
	const char *since = strsep(&line, "\t");
	const char *last_used = strsep(&line, "\t");
	const char *token = line;
	*grant = (struct grant){0};
	if (!origin_is_valid(origin, strlen(origin)) || !read_surface(surface, &grant->surface) ||
		!read_number(since, &grant->since) || !read_number(last_used, &grant->last_used) ||
		token == NULL || !grant_token_is_valid(token)) {
		return false;
	}
	memcpy(grant->origin, origin, strlen(origin) + 1);
	memcpy(grant->token, token, strlen(token) + 1);
	return true;
}

/* What follows the name and the version on the first line; NULL: they are not there. */
static const char *read_version(const char *text, long long *version) {
	if (strncmp(text, NAME, strlen(NAME)) != 0) {
		return NULL;
	}
	char *end = NULL;
	*version = strtoll(text + strlen(NAME), &end, 10);
	return end;
}

bool grant_list_is_newer(const char *text) {
	long long version = 0;
	return read_version(text, &version) != NULL && version > VERSION;
}

bool grant_list_parse(struct grant_list *list, char *text, size_t length) {
	*list = (struct grant_list){0};
	for (char *nul = text; (nul = memchr(nul, '\0', length - (size_t)(nul - text))) != NULL;) {
		*nul = '\1'; /* which is valid nowhere */
	}
	char *rest = text;
	long long version = 0;
	int64_t revocations = 0;
	const char *head = read_version(strsep(&rest, "\n"), &version);
	if (head == NULL || version != VERSION || *head != ' ' ||
		!read_number(head + 1, &revocations)) {
		return false;
	}
	list->revocations = (uint64_t)revocations;
	bool whole = true;
	while (rest != NULL && *rest != '\0') {
		struct grant grant;
		if (read_grant(strsep(&rest, "\n"), &grant) &&
			grant_list_find(list, grant.origin) == NULL && list->count < GRANTS_MAX) {
			list->grants[list->count++] = grant;
		} else {
			whole = false;
		}
	}
	return whole;
}

bool grant_list_write(const struct grant_list *list, struct bytes *out) {
	char line[1024];
	int length =
		snprintf(line, sizeof(line), NAME "%d %" PRIu64 "\n", VERSION, list->revocations);
	bool ok = bytes_append(out, line, (size_t)length);
	for (size_t i = 0; ok && i < list->count; i++) {
		const struct grant *grant = &list->grants[i];
		length = snprintf(line, sizeof(line), "%s\t%s\t%" PRId64 "\t%" PRId64 "\t%s\n",
			grant->origin, protocol_surface_name(grant->surface), grant->since,
			grant->last_used, grant->token);
		ok = bytes_append(out, line, (size_t)length);
	}
	return ok;
}

/* The origin's place in the list, or its count. */
static size_t place_of(const struct grant_list *list, const char *origin) {
	size_t place = 0;
	while (place < list->count && strcmp(list->grants[place].origin, origin) != 0) {
		place++;
	}
	return place;
}

const struct grant *grant_list_find(const struct grant_list *list, const char *origin) {
	size_t place = place_of(list, origin);
	return place < list->count ? &list->grants[place] : NULL;
}

void grant_list_put(struct grant_list *list, const struct grant *grant) {
	size_t place = place_of(list, grant->origin);
	if (place == GRANTS_MAX) {
		place = 0;
		for (size_t i = 1; i < list->count; i++) {
			if (list->grants[i].last_used < list->grants[place].last_used) {
				place = i;
			}
		}
	}
	list->grants[place] = *grant;
	if (place == list->count) {
		list->count++;
	}
}

bool grant_list_remove(struct grant_list *list, const char *origin) {
	size_t place = place_of(list, origin);
	if (place == list->count) {
		return false;
	}
	list->count--;
	memmove(&list->grants[place], &list->grants[place + 1],
		(list->count - place) * sizeof(list->grants[0]));
	return true;
}
