/*
 * What the helper gives up. docs/SECURITY.md says what this protects against.
 */
#pragma once

#include <stdbool.h>

/*
 * Call before anything else: leaves the terminal, rules out new privileges, core dumps and
 * debuggers, limits memory and descriptors, and ties this process's life to its parent, which is at
 * the other end of `peer`. False when the parent is gone already or the kernel refused.
 */
bool sandbox_enter(int peer);

/*
 * Call after set-up, before reading anything from the peer: from here on all threads of the process
 * can only use what is open. They can't open files, sockets or connections, or start programs.
 * False when the kernel refused.
 */
bool sandbox_seal(void);
