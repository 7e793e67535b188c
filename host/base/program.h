/* Where Portlight's programs are. */
#pragma once

/* The path of one of our programs: beside the running one, or in ../libexec/portlight/ of it. NULL
 * when neither is there. Free with free(). */
char *program_find(const char *name);
