#include "wire/grant_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME "portlight-grants "
#define FIRST_LINE NAME "1 "
#define FIELD_COUNT 5

/* A piece of the text, without a terminator. */
struct piece {
	const char *text;
	size_t length;
};

/* Takes what is before the next `separator`, and that, off *rest; all of it when there is none. */
static struct piece cut(struct piece *rest, char separator) {
	const char *end = rest->length > 0 ? memchr(rest->text, separator, rest->length) : NULL;
	size_t length = end != NULL ? (size_t)(end - rest->text) : rest->length;
	struct piece first = {rest->text, length};
	size_t taken = length + (end != NULL);
	if (taken > 0) { /* An empty list may have no text at all. */
		rest->text += taken;
	}
	rest->length -= taken;
	return first;
}

static bool read_number(struct piece piece, int64_t *out) {
	int64_t number = 0;
	if (piece.length == 0 || piece.length > 15) {
		return false;
	}
	for (size_t i = 0; i < piece.length; i++) {
		if (piece.text[i] < '0' || piece.text[i] > '9') {
			return false;
		}
		number = number * 10 + (piece.text[i] - '0');
	}
	*out = number;
	return true;
}

static bool read_surface(struct piece piece, enum protocol_surface *out) {
	for (int surface = 0; surface < PROTOCOL_SURFACE_COUNT; surface++) {
		const char *name = protocol_surface_name((enum protocol_surface)surface);
		if (piece.length == strlen(name) && memcmp(piece.text, name, piece.length) == 0) {
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

static bool read_grant(struct piece line, struct grant *grant) {
	struct piece fields[FIELD_COUNT];
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		fields[i] = cut(&line, '\t');
	}
	struct piece origin = fields[0];
	struct piece token = fields[4];
	*grant = (struct grant){0};
	if (line.length > 0 || !origin_is_valid(origin.text, origin.length) ||
		token.length > GRANT_TOKEN_MAX || !read_surface(fields[1], &grant->surface) ||
		!read_number(fields[2], &grant->since) ||
		!read_number(fields[3], &grant->last_used)) {
		return false;
	}
	memcpy(grant->origin, origin.text, origin.length);
	memcpy(grant->token, token.text, token.length);
	return strlen(grant->token) == token.length && grant_token_is_valid(grant->token);
}

bool grant_list_is_newer(const void *text, size_t length) {
	const char *bytes = text;
	size_t name = strlen(NAME);
	if (length <= name || memcmp(bytes, NAME, name) != 0) {
		return false;
	}
	uint32_t version = 0;
	for (size_t i = name; i < length && bytes[i] >= '0' && bytes[i] <= '9' && version < 1000;
		i++) {
		version = version * 10 + (uint32_t)(bytes[i] - '0');
	}
	return version > 1;
}

bool grant_list_parse(struct grant_list *list, const void *text, size_t length) {
	*list = (struct grant_list){0};
	struct piece rest = {text, length};
	struct piece head = cut(&rest, '\n');
	size_t name = strlen(FIRST_LINE);
	int64_t revocations = 0;
	if (head.length < name || memcmp(head.text, FIRST_LINE, name) != 0 ||
		!read_number((struct piece){head.text + name, head.length - name}, &revocations)) {
		return false;
	}
	list->revocations = (uint64_t)revocations;
	bool whole = true;
	while (rest.length > 0) {
		struct grant grant;
		if (read_grant(cut(&rest, '\n'), &grant) &&
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
	int length = snprintf(line, sizeof(line), FIRST_LINE "%" PRIu64 "\n", list->revocations);
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
