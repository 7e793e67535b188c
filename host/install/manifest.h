/* One native host manifest on the disk: whose it is, and how it comes and goes. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A manifest is ours if it is a file that names our host, and the program it names is called
 * portlight-host or is the one that the user named. All else under its name is somebody else's:
 * links, folders, what can't be read, what is no manifest.
 */
struct manifest {
	bool there;
	bool ours;
	char *text; /* NULL: not ours */
	char *host; /* the program it names; NULL: none */
	char *why;  /* for what is there and not ours: "is a link", … */
};

/* `host`: a program's path that is ours under any name, or NULL. Free with manifest_finish(). */
void manifest_read(struct manifest *manifest, const char *path, const char *host);
void manifest_finish(struct manifest *manifest);

/* Replaces it, also a link, and makes the folders above: for everybody or for this user alone.
 * False with an error that names the file; then the new folders are gone again. */
bool manifest_write(const char *path, const char *text, bool everybody, GError **error);

/* Removes it, and the folders above that are empty then and at most `levels` up: a browser leaves
 * none empty, so install made them. False with an error. */
bool manifest_remove(const char *path, unsigned levels, GError **error);
