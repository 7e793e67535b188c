/*
 * Keeps memory that libvpx clears but hardly uses out of residence.
 *
 * An encoder begins by clearing its token buffer: 48 MiB for VP8 and 96 MiB for VP9 at 1920x1080,
 * of which it later touches some percent. While lean clearing is on, large blocks are cleared by
 * giving their pages back to the kernel, which hands out zeroes when they are touched again.
 */
#pragma once

#include <stdbool.h>

/*
 * For the calling thread. While it is on, memset(…, 0, …) over a mebibyte or more must only be used
 * on memory from malloc(): private and anonymous. Does nothing in builds with a sanitizer.
 */
void lean_clear(bool on);
