/*
 * What the helper gives up. docs/SECURITY.md says against what this is a boundary.
 */
#pragma once

#include <stdbool.h>

/*
 * Before anything else: leaves the terminal; new privileges, core dumps and debuggers are ruled
 * out, memory and descriptors are limited, and the process dies with the one at the other end of
 * `peer`. False when that one is gone already, or the kernel refused.
 */
bool sandbox_enter(int peer);

/*
 * After set-up, before anything of a peer's is read: from here on this thread and every other of
 * the process can use what is open and nothing else. No socket, no connection, no program, no file
 * can be opened. False when the kernel refused.
 */
bool sandbox_seal(void);
