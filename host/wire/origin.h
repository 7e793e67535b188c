/* The origins of web pages that may share a screen, as browsers serialize them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORIGIN_MAX 300

/*
 * True for `https://HOST[:PORT]`, and for `http://` with a host that is this machine: localhost,
 * anything below it, 127.0.0.1 or [::1]. HOST is in ASCII and lower case. False for anything longer
 * than ORIGIN_MAX.
 */
bool origin_is_valid(const char *text, size_t length);
