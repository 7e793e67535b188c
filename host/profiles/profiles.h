/*
 * The extension as a browser's own files tell of it: in which profiles it is, and in which folder
 * of the system, where packages put it. All of it is read, nothing is written, and what can't be
 * read is said to be unknown. Extensions that are loaded for one run alone leave little or nothing
 * here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "browsers/browsers.h"
#include "browsers/sandboxes.h"

/* Of one browser; the rest is left out. */
#define PROFILES_MAX 20u

enum profile_state {
	PROFILE_WITHOUT,    /* the extension is not in it */
	PROFILE_UNREADABLE, /* `why` says so */
	PROFILE_OFF,        /* the browser or the user switched it off */
	PROFILE_ON,
};

/* To which sites the extension was let in. */
enum profile_access { ACCESS_UNKNOWN, ACCESS_NONE, ACCESS_SOME, ACCESS_ALL };

struct profile {
	char *path; /* its folder */
	enum profile_state state;
	char *why;
	char *version; /* of the extension, and the rest too; NULL: unknown */
	char *place;   /* its file or folder */
	enum profile_access access;
	/* Firefox's: the browser never asked nor was asked for access to sites, as where the
	 * system's folder got the extension after the profile was made. */
	bool never_asked;
	/* Firefox's: it looks for the system's new extensions while it starts. */
	bool scans;
};

/* Those of all rows of the browser, of struct profile. `flatpak`: of the browser as this Flatpak;
 * NULL: without a sandbox. `root`: prefix of the system's folders; "" except in tests. Free with
 * g_ptr_array_unref(). */
GPtrArray *profiles_read(const struct browser *browser, const struct sandboxed *flatpak,
	const struct extensions *extensions, const char *root);

/* The extension in the system's folder of the browser: its folder or file, NULL: it isn't there.
 * *version is NULL where it is unknown. Free both with g_free(). */
char *profiles_system(const struct browser *browser, const struct extensions *extensions,
	const char *root, char **version);
