/*
 * The load of `make bench-rooms`: users on one server, who speak the rooms' protocol or the bare
 * relay's ("#name" logs in, "@name text" is relayed).
 *
 *	bench-rooms-load PORT rooms|relay USERS [TOKENS]
 *
 * TOKENS is a file of lines "ROOM TOKEN": users join these rooms instead of logging in. Lines of
 * stdin are phases (phases.c), each answered by a line of JSON; between them users answer pings.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "load.h"

struct load load;

static void read_tokens(const char *path) {
	FILE *file = fopen(path, "r");
	char room[128];
	char token[2048];
	for (uint32_t i = 0; file != NULL && i < load.count; i++) {
		if (fscanf(file, "%127s %2047s", room, token) != 2) {
			break;
		}
		load.users[i].room = strdup(room);
		load.users[i].token = strdup(token);
	}
	if (file == NULL || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static bool run(const char *line) {
	unsigned a = 0;
	unsigned b = 0;
	unsigned c = 0;
	if (sscanf(line, "connect %u", &a) == 1) {
		phase_connect(a);
	} else if (strncmp(line, "call", 4) == 0) {
		phase_call();
	} else if (sscanf(line, "rate %u %u", &a, &b) == 2) {
		phase_rate(a, b);
	} else if (sscanf(line, "most %u %u", &a, &b) == 2) {
		phase_most(a, b);
	} else if (sscanf(line, "exact %u %u %u", &a, &b, &c) == 3) {
		phase_exact(a, b, c);
	} else if (sscanf(line, "setups %u", &a) == 1) {
		phase_setups(a);
	} else if (sscanf(line, "flood %u", &a) == 1) {
		phase_flood(a);
	} else if (strncmp(line, "return", 6) == 0) {
		phase_return();
	} else {
		(void)fprintf(stderr, "bench-rooms-load: no phase: %s", line);
		return false;
	}
	return true;
}

int main(int argc, char **argv) {
	if (argc < 4) {
		(void)fprintf(stderr, "Usage: bench-rooms-load PORT rooms|relay USERS [TOKENS]\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	load.rooms = strcmp(argv[2], "rooms") == 0;
	load.count = (uint32_t)strtoul(argv[3], NULL, 10);
	load.users = calloc(load.count, sizeof(*load.users));
	for (uint32_t i = 0; i < load.count; i++) {
		load.users[i].index = i;
		load.users[i].client.fd = -1;
	}
	if (argc > 4) {
		read_tokens(argv[4]);
	}
	clients_begin((uint16_t)strtoul(argv[1], NULL, 10), &speak_handlers);
	/* A line that waits in a buffer would wake nobody. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	char line[256];
	for (;;) {
		if (users_step(clients_now() + 1000000) &&
			(fgets(line, sizeof(line), stdin) == NULL || !run(line))) {
			return feof(stdin) != 0 ? 0 : 1;
		}
	}
}
