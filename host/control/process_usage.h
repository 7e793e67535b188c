/* What a process uses, as the kernel tells of it; 0 where it does not. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Processor time of all its threads so far. */
uint64_t process_cpu_ms(pid_t pid);

/* What it has in memory now. */
uint64_t process_rss_kib(pid_t pid);
