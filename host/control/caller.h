/* Who started the host. */
#pragma once

#include <stdbool.h>

/* The arguments come from a browser with our extension. Chromium: chrome-extension://ID/
 * [--parent-window=…]; Firefox: path of the host's manifest, id. */
bool caller_is_ours(int argc, char *const argv[]);
