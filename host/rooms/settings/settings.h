/*
 * What portlight-rooms was told, by its configuration file and its command line, which goes first.
 * A mistake is named with its line and what to do about it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rooms/session/limits.h"

enum settings_open { SETTINGS_CLOSED, SETTINGS_OPEN, SETTINGS_OPEN_PUBLIC };

/* A network in CIDR notation; IPv4 as IPv6 writes it. */
struct settings_network {
	uint8_t bytes[16];
	unsigned bits;
};

struct settings {
	char *path; /* of the file; NULL: none */
	char *listen;
	char *address; /* of `listen`: numeric, or NULL for a unix socket */
	char *unix_path;
	uint16_t port;
	bool loopback; /* nobody but this machine can connect */
	char *certificate;
	char *key;
	char **hosts;   /* beside the loopback names and addresses */
	char **origins; /* beside our own */
	char **trust_text;
	struct settings_network *trust; /* trust_count of them */
	unsigned trust_count;
	char *pages;
	char *open_text;
	enum settings_open open;
	char **dialects;
	bool dialect_lesson;
	bool dialect_sse;
	char *dialect_listen;
	char *dialect_address; /* numeric, of this machine alone; NULL: not beside `listen` */
	uint16_t dialect_port;
	char *backend_secret_file;
	char *backend_secret; /* NULL: no backend, /metrics for this machine alone */
	char *token_key_file;
	uint8_t *token_key; /* NULL: one of this run */
	size_t token_key_length;
	int sessions_max;
	int address_sessions_max;
	int messages_per_second;
	int bytes_per_second;
	int header_seconds;
	int body_seconds;
	int ping_ms;
	int grace_ms;
	char **stun;
	char **turn;
	char *turn_secret_file;
	char *turn_secret;
	int turn_lifetime_s;
	struct limits_settings limits;
};

/*
 * Reads the command line, the file and the secrets' files, and checks all of it. What is wrong goes
 * to stderr, one mistake after the other, each as "FILE:LINE: what is wrong" with the remedy on the
 * next line. False: then nothing may be started. *check_only: --check-config was given.
 */
bool settings_read(struct settings *config, int argc, char **argv, bool *check_only);
void settings_finish(struct settings *config);

/* Raises the limit of open files as far as it goes, and says what does not fit. */
bool settings_raise_files(const struct settings *config);
