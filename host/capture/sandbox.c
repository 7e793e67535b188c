#include "capture/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool sandbox_enter(int peer) {
	(void)peer;
	return true;
}

bool sandbox_seal(void) {
	return true;
}
