/*
 * Portlight inside a browser's Flatpak. The sandbox sees no program of the system's, but it has the
 * desktop's portal and, through it, PipeWire: all that the native host needs. So its programs go
 * into the application's own folder, with the libraries that a runtime may lack or have in another
 * version. Flatpak's runtimes have the C library, GLib and PipeWire.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "browsers/sandboxes.h"

/* Where a Flatpak has it; free with g_free(). */
char *bundle_folder(const struct sandboxed *flatpak);

/* The bundle's program for the manifest; free with g_free(). */
char *bundle_host(const char *folder);

/* Whether no link in the folder leads out of `within`. */
bool bundle_stays(const char *folder, const char *within);

/*
 * Puts `host` (an absolute path) and the capture helper beside it into `folder`, each file whole or
 * not at all. `dry_run`: only compares. *changed: the first file that differed or was missing, or
 * NULL; free with g_free(). False with an error; what was copied stays for the next try.
 */
bool bundle_write(
	const char *folder, const char *host, bool dry_run, char **changed, GError **error);

/* Removes what bundle_write() made, and the folder if nothing else is in it. False with an error.
 */
bool bundle_remove(const char *folder, GError **error);
