/*
 * Keeps memory that libvpx clears but hardly uses out of residence.
 *
 * An encoder begins by clearing its token buffer: 48 MiB for VP8 and 96 MiB for VP9 at 1920x1080,
 * of which it later touches some percent; VP9 clears 6 MiB of statistics for alternate references
 * as well, and VP8 greys a picture for post-processing, of which there is none. While lean clearing
 * is on, large blocks are cleared by giving their pages back to the kernel, which hands out zeroes
 * when they are touched again, and none is greyed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * For the calling thread. While it is on, memset(…, 0, …) over 64 KiB or more must only be used on
 * memory from malloc(): private and anonymous; memset(…, 128, …) over a mebibyte or more does
 * nothing. Does nothing in builds with a sanitizer.
 */
void lean_clear(bool on);

/* Gives the whole pages of memory from malloc() back to the kernel. What they held is lost. */
void lean_drop(void *at, size_t length);
