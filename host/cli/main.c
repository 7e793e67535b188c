#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/program.h"
#include "cli/grants.h"
#include "config.h"
#include "doctor/doctor.h"
#include "install/install.h"
#include "tool/say.h"

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

/* A program of its own: it alone needs the libraries that write WebM. */
static int run_record(int argc, char **argv) {
	char *path = program_find("portlight-record");
	if (path != NULL) {
		(void)execv(path, argv);
	}
	say_problem("Install the package portlight-record, or all of Portlight again.",
		"portlight-record is missing or can't be run.");
	free(path);
	return EXIT_PROBLEM;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"record", run_record},
	{"doctor", command_doctor},
	{"install", command_install},
	{"uninstall", command_uninstall},
	{"grants", command_grants},
};

int main(int argc, char **argv) {
	(void)setlocale(LC_ALL, "");
	log_init("portlight", LOG_WARNING);
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
