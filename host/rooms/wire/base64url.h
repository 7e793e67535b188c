/* Base64 for URLs, without padding (RFC 4648, 5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters for this many bytes, without the terminator. */
#define BASE64URL_LENGTH(bytes) ((4 * (bytes) + 2) / 3)

/* Writes the text and its terminator. */
void base64url_write(const uint8_t *bytes, size_t length, char *text);

/*
 * Reads `length` characters into at most `room` bytes; `count` says how many. False if it is not
 * what base64url_write makes: there is one text for the same bytes.
 */
bool base64url_read(const char *text, size_t length, uint8_t *bytes, size_t room, size_t *count);
