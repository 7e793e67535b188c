/* What comes first in each of the user's commands. */
#pragma once

/* Sets the locale, the log and the last act of the process: at its exit, stdout that did not get
 * where it should is told, and makes EXIT_FILE of its status. */
void tool_begin(void);
