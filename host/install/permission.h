/* The desktop's permission for a Snap or a Flatpak to have the native host started, which Ubuntu's
 * portal asks the user for once and keeps in the permission store. */
#pragma once

#include <stdbool.h>

#include "install/outcome.h"

/* Whether the text can be such a browser's id: snap.NAME, or a Flatpak's. */
bool permission_is_app(const char *app);

/* Allows these applications (ids, the last one NULL), or withdraws what was allowed or refused. */
void permission_set(char **apps, bool allow, struct outcomes *outcomes);
