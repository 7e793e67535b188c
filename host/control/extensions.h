/*
 * The extensions that the host answers: those that are built in (manifest/extensions), and those
 * that the system's and the user's file add. The files are optional text; each line has a browser
 * family and an id ("chromium ID" or "firefox ID"), and # begins a comment.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define EXTENSIONS_MAX 64u          /* of each family */
#define EXTENSIONS_FILE_MAX 16384u  /* bytes */
#define EXTENSIONS_PROBLEMS_MAX 10u /* for the built-in list and for each file */

enum browser_family { BROWSER_CHROMIUM, BROWSER_FIREFOX, BROWSER_FAMILIES };

struct extensions {
	/* As a browser names itself to the host, and a manifest the extension: Chromium's
	 * "chrome-extension://ID/", Firefox's id. Neither needs escapes in JSON. */
	GPtrArray *names[BROWSER_FAMILIES];
	GPtrArray *problems; /* what was left out and why, with the file and the line */
};

/* Reads all of it, or all but this user's file. Free with extensions_finish(). */
void extensions_read(struct extensions *extensions, bool user);
void extensions_finish(struct extensions *extensions);

/* The parts of extensions_read(): the built-in ones, and those of a file. */
void extensions_init(struct extensions *extensions);
void extensions_add_file(struct extensions *extensions, const char *path);

bool extensions_have(
	const struct extensions *extensions, enum browser_family family, const char *name);
