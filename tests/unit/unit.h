/* What every test program in C includes: cmocka with the headers that it wants before it. */
#pragma once

#include <stdlib.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* TEST='test_a*' runs those tests alone. */
__attribute__((constructor)) static void unit_filter(void) {
	const char *pattern = getenv("TEST");
	if (pattern != NULL) {
		cmocka_set_test_filter(pattern);
	}
}
