/* The origins of web pages that may share a screen, as browsers serialize them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORIGIN_MAX 300

/* `https://HOST[:PORT]`, or `http://` with this machine: localhost, anything below it, 127.0.0.1 or
 * [::1]. HOST is lower-case ASCII. Nothing longer than ORIGIN_MAX. */
bool origin_is_valid(const char *text, size_t length);
