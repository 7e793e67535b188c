/* Who may start the host: the argument lists of both browsers, and those of others. */
#include "unit.h"

#include "config.h"
#include "control/caller.h"

#define CHROMIUM "chrome-extension://" PORTLIGHT_CHROMIUM_ID "/"

static bool ours(char *first, char *second) {
	char *argv[] = {"portlight-host", first, second, NULL};
	return caller_is_ours(first == NULL ? 1 : second == NULL ? 2 : 3, argv);
}

static void both_browsers_are_known(void **state) {
	(void)state;
	assert_true(ours(CHROMIUM, NULL));
	assert_true(ours(CHROMIUM, "--parent-window=0"));
	assert_true(ours("/home/a/.mozilla/native-messaging-hosts/org.portlight.host.json",
		PORTLIGHT_FIREFOX_ID));
}

static void others_are_not(void **state) {
	(void)state;
	assert_false(ours(NULL, NULL));
	assert_false(ours("", NULL));
	assert_false(ours("chrome-extension://" PORTLIGHT_CHROMIUM_ID, NULL));
	assert_false(ours(CHROMIUM "x", NULL));
	assert_false(ours("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", NULL));
	assert_false(ours("https://" PORTLIGHT_CHROMIUM_ID "/", NULL));
	assert_false(ours("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", CHROMIUM));
	assert_false(ours("/manifest.json", "other@example.org"));
	assert_false(ours("/manifest.json", NULL));
	assert_false(ours("manifest.json", PORTLIGHT_FIREFOX_ID));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_browsers_are_known),
		cmocka_unit_test(others_are_not),
	};
	return cmocka_run_group_tests_name("caller", tests, NULL, NULL);
}
