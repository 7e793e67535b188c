/* `portlight install` and `portlight uninstall`. argv[0] is "portlight NAME"; the result is the
 * exit status, an enum exit_status. */
#pragma once

int command_install(int argc, char **argv);
int command_uninstall(int argc, char **argv);
