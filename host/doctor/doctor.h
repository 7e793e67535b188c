/* `portlight doctor`. argv[0] is "portlight NAME"; the result is the exit status, an enum
 * exit_status. */
#pragma once

int command_doctor(int argc, char **argv);
