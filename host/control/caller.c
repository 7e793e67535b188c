#include "control/caller.h"

#include <string.h>

#include "config.h"

bool caller_is_ours(int argc, char *const argv[]) {
	if (argc < 2) {
		return false;
	}
	if (strcmp(argv[1], "chrome-extension://" PORTLIGHT_CHROMIUM_ID "/") == 0) {
		return true;
	}
	return argc >= 3 && argv[1][0] == '/' && strcmp(argv[2], PORTLIGHT_FIREFOX_ID) == 0;
}
