/* The commands of `portlight`. Each gets its own argv (argv[0] is "portlight NAME") and returns the
 * exit status. */
#pragma once

int command_record(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_install(int argc, char **argv);
int command_uninstall(int argc, char **argv);
int command_grants(int argc, char **argv);
