/* Who started the host. */
#pragma once

#include <stdbool.h>

#include "control/extensions.h"

/* The arguments come from a browser with one of the extensions. Chromium: chrome-extension://ID/
 * [--parent-window=…]; Firefox: path of the host's manifest, id; none: Ubuntu's portal, which has
 * looked the extension up in the manifest itself. */
bool caller_is_ours(int argc, char *const argv[], const struct extensions *extensions);
