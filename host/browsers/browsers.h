/*
 * The browsers that can start the native host, where they look for its manifest, and what is in it.
 * The table is manifest/browsers.tsv; the templates are beside it. Returned paths and texts are
 * freed with g_free().
 */
#pragma once

#include <stdbool.h>

#include "control/extensions.h"

/* A browser may have several rows, next to each other. */
struct browser {
	const char *name;
	enum browser_family family;
	bool for_tool; /* install --system writes in its system folder; else packages do */
	const char *system_folder; /* NULL: none */
	const char *user_folder;   /* with $HOME or $XDG_CONFIG_HOME in front */
	const char *programs;      /* its commands, joined by commas; NULL: none are known */
};

/* The last one's name is NULL. */
extern const struct browser browsers_all[];

/* The first row with that name, or NULL. Static. */
const struct browser *browsers_find(const char *name);

/* The names, each once, with NULL at the end. Free the array with g_free(); they are static. */
const char **browsers_names(void);

/* The manifest's path for this user. */
char *browsers_user_path(const struct browser *browser);
/* The manifest's path for everybody, or NULL. */
char *browsers_system_path(const struct browser *browser);

/* Whether the browser has run here, so that the folder above its manifests' folder has more in it
 * than that one, or has a manifest of the host's name. Others' manifests are no sign of it. */
bool browsers_present(const struct browser *browser);
/* Whether one of the browser's commands is on the PATH. */
bool browsers_on_path(const struct browser *browser);

/* The manifest's text for the host at the absolute path `host`; NULL when that is not UTF-8. */
char *browsers_manifest(
	const struct browser *browser, const char *host, const struct extensions *extensions);

/* The host's path in the text of a manifest of our host's name, or NULL. */
char *browsers_manifest_host(const char *manifest);
/* An extension that a manifest's text does not let in, lent from `extensions`; NULL: none. */
const char *browsers_manifest_lacks(
	const struct browser *browser, const char *manifest, const struct extensions *extensions);
