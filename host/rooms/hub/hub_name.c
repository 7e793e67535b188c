#include <string.h>

#include "rooms/hub/hub_parts.h"

static const char *const reserved[] = {
	"server", "system", "portlight", "admin", "moderator", "owner", "all", "everyone"};

#define ZERO_WIDTH_NON_JOINER 0x200cu /* Persian needs it */
#define ZERO_WIDTH_JOINER 0x200du

/* Characters that show nothing, or only change how another looks. */
static bool is_invisible(gunichar character) {
	return character == ZERO_WIDTH_JOINER || character == ZERO_WIDTH_NON_JOINER ||
	       character == 0x034f || character == 0x115f || character == 0x1160 ||
	       character == 0x17b4 || character == 0x17b5 || character == 0x2800 ||
	       character == 0x3164 || character == 0xffa0 ||
	       (character >= 0x180b && character <= 0x180f) ||
	       (character >= 0xfe00 && character <= 0xfe0f) ||
	       (character >= 0xe0000 && character <= 0xe0fff);
}

/* In ASCII alone, as most names are: nothing to normalize. */
static char *fold_ascii(const char *name) {
	for (const char *at = name; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80) {
			return NULL;
		}
	}
	return *name == '\0' ? NULL : g_ascii_strdown(name, -1);
}

char *name_fold(const char *name) {
	char *folded = fold_ascii(name);
	if (folded != NULL) {
		return folded;
	}
	char *normal = g_utf8_normalize(name, -1, G_NORMALIZE_ALL);
	char *lower = g_utf8_casefold(normal != NULL ? normal : "", -1);
	char *again = g_utf8_normalize(lower, -1, G_NORMALIZE_ALL);
	GString *kept = g_string_new(NULL);
	for (const char *at = again; *at != '\0'; at = g_utf8_next_char(at)) {
		if (!is_invisible(g_utf8_get_char(at))) {
			g_string_append_unichar(kept, g_utf8_get_char(at));
		}
	}
	g_free(normal);
	g_free(lower);
	g_free(again);
	g_strstrip(kept->str);
	bool empty = *kept->str == '\0';
	char *result = g_string_free(kept, empty);
	return empty ? NULL : result;
}

static bool is_allowed(gunichar character) {
	switch (g_unichar_type(character)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_UNASSIGNED:
		return false;
	case G_UNICODE_FORMAT:
		return character == ZERO_WIDTH_JOINER || character == ZERO_WIDTH_NON_JOINER;
	case G_UNICODE_SPACE_SEPARATOR:
		return character == ' ' || character == 0x3000;
	default:
		return true;
	}
}

enum rooms_error hub_name_check(const char *name) {
	size_t bytes = strlen(name);
	/* A limit on what is normalized at all. */
	if (bytes > HUB_NAME_BYTES_MAX || g_utf8_strlen(name, -1) > HUB_NAME_CHARACTERS_MAX) {
		return ROOMS_ERROR_TOO_LONG;
	}
	char *key = name_fold(name);
	enum rooms_error error =
		key == NULL || *g_strchug(key) == '\0' ? ROOMS_ERROR_EMPTY : ROOMS_ERROR_NONE;
	for (const char *at = name; error == ROOMS_ERROR_NONE && *at != '\0';
		at = g_utf8_next_char(at)) {
		if (!is_allowed(g_utf8_get_char(at))) {
			error = ROOMS_ERROR_BAD_NAME;
		}
	}
	if (error == ROOMS_ERROR_NONE &&
		(g_unichar_isspace(g_utf8_get_char(name)) ||
			g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(name + bytes))))) {
		error = ROOMS_ERROR_BAD_NAME;
	}
	for (size_t i = 0; error == ROOMS_ERROR_NONE && i < G_N_ELEMENTS(reserved); i++) {
		if (strcmp(key, reserved[i]) == 0) {
			error = ROOMS_ERROR_RESERVED;
		}
	}
	g_free(key);
	return error;
}

enum rooms_error hub_room_name_check(const char *name) {
	if (*name == '\0') {
		return ROOMS_ERROR_EMPTY;
	}
	if (strlen(name) > TOKEN_ROOM_MAX) {
		return ROOMS_ERROR_TOO_LONG;
	}
	for (const char *at = name; *at != '\0'; at++) {
		if (!g_ascii_isalnum(*at) && strchr("-_.~", *at) == NULL) {
			return ROOMS_ERROR_BAD_NAME;
		}
	}
	return ROOMS_ERROR_NONE;
}
