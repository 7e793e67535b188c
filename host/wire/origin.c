#include "wire/origin.h"

#include <string.h>

#define DIGITS "0123456789"

/* The host's length at the start of HOST[:PORT]; 0: it has none. */
static size_t host_length(const char *text) {
	if (text[0] != '[') {
		return strspn(text, DIGITS "abcdefghijklmnopqrstuvwxyz.-_");
	}
	size_t inside = strspn(text + 1, DIGITS "abcdef:");
	return inside >= 2 && text[1 + inside] == ']' ? inside + 2 : 0;
}

static bool is_port(const char *text) {
	size_t digits = strspn(text, DIGITS);
	return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

static bool is_this_machine(const char *host) {
	static const char below[] = ".localhost";
	size_t length = strlen(host);
	return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
	       strcmp(host, "[::1]") == 0 ||
	       (length >= sizeof(below) && strcmp(host + length + 1 - sizeof(below), below) == 0);
}

bool origin_is_valid(const char *text, size_t length) {
	char origin[ORIGIN_MAX + 1] = "";
	if (length > ORIGIN_MAX || memchr(text, '\0', length) != NULL) {
		return false;
	}
	memcpy(origin, text, length);
	bool secure = strncmp(origin, "https://", 8) == 0;
	if (!secure && strncmp(origin, "http://", 7) != 0) {
		return false;
	}
	char *host = origin + (secure ? 8 : 7);
	char *end = host + host_length(host);
	if (end == host || (*end != '\0' && (*end != ':' || !is_port(end + 1)))) {
		return false;
	}
	*end = '\0';
	return secure || is_this_machine(host);
}
