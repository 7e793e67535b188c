/* Whether a program is a portlight-host. */
#pragma once

/* The version that the program at `path` gives to --version. NULL when it is not a portlight-host,
 * can't be run, or has not answered within five seconds; then it is ended. Free with g_free(). */
char *host_program_version(const char *path);
