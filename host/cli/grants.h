/* `portlight grants`. argv[0] is "portlight NAME"; the result is the exit status, an enum
 * exit_status. */
#pragma once

int command_grants(int argc, char **argv);
