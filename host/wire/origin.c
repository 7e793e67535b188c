#include "wire/origin.h"

#include <string.h>

static bool begins_with(const char **text, size_t *length, const char *start) {
	size_t count = strlen(start);
	if (*length < count || memcmp(*text, start, count) != 0) {
		return false;
	}
	*text += count;
	*length -= count;
	return true;
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c) {
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

/* Takes the port off the end of `HOST[:PORT]`; false when it is not 1 to 5 digits. */
static bool cut_port(const char *text, size_t *length) {
	size_t digits = 0;
	while (digits < *length && is_digit(text[*length - 1 - digits])) {
		digits++;
	}
	if (digits == *length || text[*length - 1 - digits] != ':') {
		return *length > 0 && text[*length - 1] != ':';
	}
	*length -= digits + 1;
	return digits >= 1 && digits <= 5;
}

static bool is_address6(const char *text, size_t length) {
	if (length < 4 || text[0] != '[' || text[length - 1] != ']') {
		return false;
	}
	for (size_t i = 1; i < length - 1; i++) {
		if (!is_digit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f') && text[i] != ':') {
			return false;
		}
	}
	return true;
}

static bool is_name(const char *text, size_t length) {
	for (size_t i = 0; i < length; i++) {
		if (!is_host_char(text[i])) {
			return false;
		}
	}
	return length > 0;
}

static bool host_is(const char *text, size_t length, const char *wanted) {
	return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

static bool is_this_machine(const char *host, size_t length) {
	static const char below[] = ".localhost";
	size_t below_length = sizeof(below) - 1;
	return host_is(host, length, "localhost") || host_is(host, length, "127.0.0.1") ||
	       host_is(host, length, "[::1]") ||
	       (length > below_length &&
		       memcmp(host + length - below_length, below, below_length) == 0);
}

bool origin_is_valid(const char *text, size_t length) {
	if (length > ORIGIN_MAX) {
		return false;
	}
	bool secure = begins_with(&text, &length, "https://");
	if (!secure && !begins_with(&text, &length, "http://")) {
		return false;
	}
	if (!cut_port(text, &length) || (!is_name(text, length) && !is_address6(text, length))) {
		return false;
	}
	return secure || is_this_machine(text, length);
}
