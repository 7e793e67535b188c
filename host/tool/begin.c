#include "tool/begin.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/program.h"
#include "tool/say.h"

static void close_stdout(void) {
	if (!program_close_stdout("portlight")) {
		_exit(EXIT_FILE);
	}
}

void tool_begin(void) {
	(void)setlocale(LC_ALL, "");
	log_init("portlight", LOG_WARNING);
	(void)atexit(close_stdout);
}
