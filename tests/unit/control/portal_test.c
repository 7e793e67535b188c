/* What is made of what a portal says. */
#include "unit.h"

#include "control/portal.h"

static void a_source_is_what_it_can_be(void **unused) {
	(void)unused;
	enum { MONITOR = PORTAL_SOURCE_MONITOR, WINDOW = PORTAL_SOURCE_WINDOW };
	const struct {
		uint32_t said;
		uint32_t possible;
		uint32_t is;
	} rows[] = {
		{MONITOR, MONITOR, MONITOR},
		{WINDOW, MONITOR | WINDOW, WINDOW},
		/* not among what was asked for */
		{WINDOW, MONITOR, MONITOR},
		{MONITOR, WINDOW, WINDOW},
		{4, MONITOR | WINDOW, 0},
		/* no answer, or several */
		{0, WINDOW, WINDOW},
		{0, MONITOR | WINDOW, 0},
		{MONITOR | WINDOW, MONITOR | WINDOW, 0},
		{MONITOR | WINDOW, MONITOR, MONITOR},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t is = portal_settle_source(rows[i].said, rows[i].possible);
		if (is != rows[i].is) {
			fail_msg("row %zu: %u", i, is);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_what_it_can_be),
	};
	return cmocka_run_group_tests_name("portal", tests, NULL, NULL);
}
