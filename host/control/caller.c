#include "control/caller.h"

bool caller_is_ours(int argc, char *const argv[], const struct extensions *extensions) {
	if (argc < 2) {
		return true;
	}
	if (extensions_have(extensions, BROWSER_CHROMIUM, argv[1])) {
		return true;
	}
	return argc >= 3 && argv[1][0] == '/' &&
	       extensions_have(extensions, BROWSER_FIREFOX, argv[2]);
}
