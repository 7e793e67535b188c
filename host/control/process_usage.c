#include "control/process_usage.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t process_cpu_ms(pid_t pid) {
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
		return 0;
	}
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

uint64_t process_rss_kib(pid_t pid) {
	char path[64];
	g_autofree char *text = NULL;
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	/* The first number is the size of the address space, the second what of it is resident. */
	const char *second =
		g_file_get_contents(path, &text, NULL, NULL) ? strchr(text, ' ') : NULL;
	uint64_t pages = second != NULL ? g_ascii_strtoull(second, NULL, 10) : 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}
