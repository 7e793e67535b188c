#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "cli/grants.h"
#include "config.h"
#include "doctor/doctor.h"
#include "install/install.h"
#include "tool/begin.h"
#include "tool/say.h"
#include "tool/suggest.h"

/* The completions of packaging/completions read the commands and the options from here. */
static const char usage[] =
	"Usage: portlight COMMAND [OPTION…]\n"
	"\n"
	"Commands:\n"
	"  record     Record a screen or a window into a file\n"
	"  doctor     Check what screen sharing needs, and say how to fix it\n"
	"  install    Register the native host with your browsers\n"
	"  uninstall  Undo that\n"
	"  grants     List or revoke the sites that may share without asking\n"
	"  help       Explain a command\n"
	"\n"
	"Options:\n"
	"  -h, --help     Show this help\n"
	"  -V, --version  Print the version\n"
	"\n"
	"portlight help COMMAND explains a command, the manual page portlight(1) all of them.\n";

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

static int run_help(int argc, char **argv);

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"record", run_record},
	{"doctor", command_doctor},
	{"install", command_install},
	{"uninstall", command_uninstall},
	{"grants", command_grants},
	{"help", run_help},
};

static int say_unknown(const char *name) {
	const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		names[i] = commands[i].name;
	}
	const char *near = suggest(name, names);
	g_autofree char *question =
		near != NULL ? g_strdup_printf("Did you mean portlight %s?", near) : NULL;
	say_problem(question != NULL ? question : "See portlight --help.",
		name[0] == '-' ? "The option \"%s\" is unknown, or belongs behind a command."
			       : "There is no command \"%s\".",
		name);
	return EXIT_USAGE;
}

/* argv[0] is the command's name. */
static int run_command(int argc, char **argv) {
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(argv[0], commands[i].name) == 0) {
			g_autofree char *program = g_strdup_printf("portlight %s", argv[0]);
			g_set_prgname(program);
			argv[0] = program;
			return commands[i].run(argc, argv);
		}
	}
	return say_unknown(argv[0]);
}

static int run_help(int argc, char **argv) {
	if (argc > 2) {
		say_problem("See portlight --help.", "help explains one command.");
		return EXIT_USAGE;
	}
	bool itself = argc < 2 || argv[1][0] == '-' || strcmp(argv[1], "help") == 0;
	if (itself) {
		(void)fputs(usage, stdout);
		return EXIT_DONE;
	}
	char *explained[] = {argv[1], (char[]){"--help"}, NULL};
	return run_command(2, explained);
}

int main(int argc, char **argv) {
	tool_begin();
	const char *name = argc > 1 ? argv[1] : NULL;
	if (name == NULL) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		(void)fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		(void)puts("portlight " PORTLIGHT_VERSION);
		return EXIT_DONE;
	}
	return run_command(argc - 1, argv + 1);
}
