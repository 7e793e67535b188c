/* Who started the host: browsers tell by its arguments. */
#pragma once

#include <stdbool.h>

/*
 * True when the arguments are those that a browser gives to the host of our extension:
 * Chromium: chrome-extension://ID/ [--parent-window=…]; Firefox: path of the host's manifest, id.
 */
bool caller_is_ours(int argc, char *const argv[]);
