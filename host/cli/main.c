#include <libavutil/log.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/say.h"
#include "config.h"

static const char usage[] =
	"Usage: portlight COMMAND [OPTION…]\n"
	"\n"
	"Commands:\n"
	"  record FILE.webm  Record a screen or a window into a file\n"
	"  doctor            Check what screen sharing needs, and say how to fix it\n"
	"  install           Register the native host with your browsers\n"
	"  uninstall         Undo that\n"
	"  grants            List or revoke the sites that may share without asking\n"
	"\n"
	"See portlight COMMAND --help, or the manual page portlight(1).\n"
	"portlight --version prints the version.\n";

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"record", command_record},
	{"doctor", command_doctor},
	{"install", command_install},
	{"uninstall", command_uninstall},
	{"grants", command_grants},
};

int main(int argc, char **argv) {
	(void)setlocale(LC_ALL, "");
	log_init("portlight", LOG_WARNING);
	/* libavformat's errors come back from its functions; record says them in its own words. */
	av_log_set_level(AV_LOG_QUIET);
	const char *name = argc > 1 ? argv[1] : NULL;
	if (name == NULL) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		(void)fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts("portlight " PORTLIGHT_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(name, commands[i].name) == 0) {
			g_autofree char *program = g_strdup_printf("portlight %s", name);
			g_set_prgname(program);
			argv[1] = program;
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	say_problem("See portlight --help.", "There is no command \"%s\".", name);
	return EXIT_USAGE;
}
