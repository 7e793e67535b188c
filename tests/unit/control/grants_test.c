#include "unit.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/grants.h"

static char *folder; /* where the file is */

static void the_file_is_the_persons_alone_whatever_was_there(void **state) {
	(void)state;
	static const mode_t modes[] = {0600, 0644, 0666};
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		struct grants_claim claim;
		assert_true(grants_claim(&claim, "https://meet.example.org", true, true));
		g_autofree char *left = g_build_filename(folder, "grants.new", NULL);
		assert_true(g_file_set_contents(left, "left by a crash", -1, NULL));
		assert_int_equal(chmod(left, modes[i]), 0);
		assert_true(grants_keep(&claim, "token", PROTOCOL_SURFACE_MONITOR));
		g_autofree char *file = g_build_filename(folder, "grants", NULL);
		struct stat status;
		assert_int_equal(stat(file, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
	}
}

int main(void) {
	g_autofree char *template = g_build_filename(g_get_tmp_dir(), "grants-XXXXXX", NULL);
	char *root = g_mkdtemp(template);
	/* Before GLib reads and keeps it. */
	(void)g_setenv("XDG_STATE_HOME", root, TRUE);
	folder = g_build_filename(root, "portlight", NULL);
	(void)g_mkdir(folder, 0700);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_the_persons_alone_whatever_was_there),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_autofree char *remove = g_strdup_printf("rm -r '%s'", root);
	g_free(folder);
	return system(remove) != 0 ? 1 : failed;
}
