/* What the kernel says that a process uses; 0 if it does not say. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

uint64_t process_cpu_ms(pid_t pid);
uint64_t process_rss_kib(pid_t pid);
