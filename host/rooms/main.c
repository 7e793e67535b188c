#include <locale.h>
#include <stdio.h>

#include "base/log.h"
#include "base/program.h"
#include "rooms/server/server.h"
#include "rooms/settings/settings.h"

enum { EXIT_WRONG = 2 };

int main(int argc, char **argv) {
	(void)setlocale(LC_ALL, "");
	log_init("portlight-rooms", LOG_WARNING);
	struct settings settings;
	bool check_only = false;
	int status = EXIT_WRONG;
	if (settings_read(&settings, argc, argv, &check_only)) {
		status = 0;
		if (check_only) {
			(void)printf("The configuration is right.\n");
		} else {
			status = settings_raise_files(&settings) ? server_run(&settings)
								 : EXIT_WRONG;
		}
	}
	settings_finish(&settings);
	return program_close_stdout("portlight-rooms") ? status : 1;
}
