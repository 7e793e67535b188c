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

/* The first one to be kept writes the file. */
static void claims_without_a_file_are_all_kept(void **state) {
	(void)state;
	g_autofree char *file = g_build_filename(folder, "grants", NULL);
	(void)g_unlink(file);
	struct grants_claim claims[2];
	assert_true(grants_file_claim(&claims[0], "https://a.example", true, true, NULL));
	assert_true(grants_file_claim(&claims[1], "https://b.example", true, true, NULL));
	assert_true(grants_file_keep(&claims[0], "a", PROTOCOL_SURFACE_MONITOR));
	assert_true(grants_file_keep(&claims[1], "b", PROTOCOL_SURFACE_MONITOR));
	/* But not one that was claimed before somebody deleted the file. */
	(void)g_unlink(file);
	assert_false(grants_file_keep(&claims[0], "a", PROTOCOL_SURFACE_MONITOR));
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
		cmocka_unit_test(claims_without_a_file_are_all_kept),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_autofree char *remove = g_strdup_printf("rm -r '%s'", root);
	g_free(folder);
	return system(remove) != 0 ? 1 : failed;
}
