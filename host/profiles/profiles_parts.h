/* The parts of profiles.h, one for each family of browsers. Folders are those of a browser's row:
 * the one above that of its manifests. */
#pragma once

#include "browsers/json.h"
#include "profiles/profiles.h"

/* Adds the profiles below `folder` to `profiles`. */
void profiles_add_chromium(
	GPtrArray *profiles, const char *folder, const struct extensions *extensions);
void profiles_add_firefox(GPtrArray *profiles, const char *folder,
	const struct extensions *extensions, const char *root);

/* As profiles_system(). */
char *profiles_system_chromium(
	const struct extensions *extensions, const char *root, char **version);
char *profiles_system_firefox(
	const struct extensions *extensions, const char *root, char **version);

/* Appends a profile at `path`, which is taken; without the extension at first. NULL when there are
 * PROFILES_MAX. */
struct profile *profiles_append(GPtrArray *profiles, char *path);

/* A JSON object from a file; NULL, with why (free with g_free()), or with NULL where there is no
 * such file. Free with json_object_put(). */
struct json_object *profiles_json(const char *path, char **why);

/* What a list of match patterns allows: of `objects` the strings; NULL is an empty list. */
enum profile_access profiles_access(struct json_object *patterns);

/* The version in the manifest.json of an extension's folder; NULL: none. Free with g_free(). */
char *profiles_manifest_version(const char *folder);
