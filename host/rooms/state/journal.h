/* The log: a JSON object per line on stderr. No names, rooms, secrets or addresses. */
#pragma once

#include <stdint.h>

/*
 * `{"time":"…","level":"info","event":EVENT,…}`; pairs of key and value follow, up to a NULL key:
 * all strings.
 */
void journal(const char *level, const char *event, ...) __attribute__((sentinel));
#define journal_info(...) journal("info", __VA_ARGS__, (const char *)NULL)
#define journal_warning(...) journal("warning", __VA_ARGS__, (const char *)NULL)
