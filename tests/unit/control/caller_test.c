/* Who may start the host: the argument lists of both browsers, and those of others. */
#include "unit.h"

#include "control/caller.h"

#define CHROMIUM_ID "dmefmpejkcdmdoopbohfmhdjieggcbbo"
#define CHROMIUM "chrome-extension://" CHROMIUM_ID "/"
#define FIREFOX "portlight@portlight"

static bool ours(char *first, char *second) {
	char *argv[] = {"portlight-host", first, second, NULL};
	struct extensions extensions;
	extensions_init(&extensions);
	bool ours = caller_is_ours(first == NULL ? 1 : second == NULL ? 2 : 3, argv, &extensions);
	extensions_finish(&extensions);
	return ours;
}

static void both_browsers_are_known(void **state) {
	(void)state;
	assert_true(ours(CHROMIUM, NULL));
	assert_true(ours(CHROMIUM, "--parent-window=0"));
	assert_true(
		ours("/home/a/.mozilla/native-messaging-hosts/org.portlight.host.json", FIREFOX));
}

static void without_arguments_a_portal_has_checked(void **state) {
	(void)state;
	assert_true(ours(NULL, NULL));
}

static void others_are_not(void **state) {
	(void)state;
	assert_false(ours("", NULL));
	assert_false(ours("chrome-extension://" CHROMIUM_ID, NULL));
	assert_false(ours(CHROMIUM "x", NULL));
	assert_false(ours("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", NULL));
	assert_false(ours("https://" CHROMIUM_ID "/", NULL));
	assert_false(ours("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", CHROMIUM));
	assert_false(ours("/manifest.json", "other@example.org"));
	assert_false(ours("/manifest.json", NULL));
	assert_false(ours("/manifest.json", CHROMIUM));
	assert_false(ours(FIREFOX, NULL));
	assert_false(ours("manifest.json", FIREFOX));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_browsers_are_known),
		cmocka_unit_test(without_arguments_a_portal_has_checked),
		cmocka_unit_test(others_are_not),
	};
	return cmocka_run_group_tests_name("caller", tests, NULL, NULL);
}
