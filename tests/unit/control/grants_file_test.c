#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/grants_file.h"

static char *folder; /* where the file is */

static void the_file_is_for_its_owner_alone(void **state) {
	(void)state;
	static const mode_t modes[] = {0600, 0644, 0666};
	(void)umask(0);
	g_autofree char *file = g_build_filename(folder, "grants", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		assert_true(g_file_set_contents(file, "rubbish", -1, NULL));
		assert_int_equal(chmod(file, modes[i]), 0);
		struct grants_claim claim;
		assert_true(
			grants_file_claim(&claim, "https://meet.example.org", true, true, NULL));
		assert_true(grants_file_keep(&claim, "token", PROTOCOL_SURFACE_MONITOR));
		struct stat status;
		assert_int_equal(stat(file, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
	}
}

static void a_claim_that_is_cancelled_takes_nothing(void **state) {
	(void)state;
	struct grants_claim claim;
	assert_true(grants_file_claim(&claim, "https://a.example", true, true, NULL));
	assert_true(grants_file_keep(&claim, "token", PROTOCOL_SURFACE_MONITOR));
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_cancellable_cancel(cancellable);
	assert_true(grants_file_claim(&claim, "https://a.example", true, true, cancellable));
	assert_string_equal(claim.token, "");
	assert_true(grants_file_claim(&claim, "https://a.example", true, true, NULL));
	assert_string_equal(claim.token, "token");
	assert_true(grants_file_claim(&claim, "https://a.example", true, true, NULL));
	assert_string_equal(claim.token, "");
}

int main(void) {
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "grants-XXXXXX", NULL);
	char *root = g_mkdtemp(template);
	/* Before GLib reads and keeps it. */
	(void)g_setenv("XDG_STATE_HOME", root, TRUE);
	folder = g_build_filename(root, "portlight", NULL);
	(void)g_mkdir(folder, 0700);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_for_its_owner_alone),
		cmocka_unit_test(a_claim_that_is_cancelled_takes_nothing),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_autofree char *remove = g_strdup_printf("rm -r '%s'", root);
	g_free(folder);
	return system(remove) != 0 ? 1 : failed;
}
