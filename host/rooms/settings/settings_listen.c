#include "rooms/settings/settings_listen.h"

#include <arpa/inet.h>
#include <string.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"

bool settings_parse_address(const char *text, uint8_t bytes[16], bool *four) {
	uint8_t v4[4];
	*four = inet_pton(AF_INET, text, v4) == 1;
	if (*four) {
		memset(bytes, 0, 10);
		memset(bytes + 10, 0xff, 2);
		memcpy(bytes + 12, v4, sizeof(v4));
		return true;
	}
	return inet_pton(AF_INET6, text, bytes) == 1;
}

struct place {
	char *address; /* numeric; NULL when it could not be read */
	uint16_t port;
	bool loopback;
};

static struct place parse_place(struct settings_lines *lines, const char *key, const char *text) {
	static const char remedy[] = "Write an address of this machine with a port, such as "
				     "127.0.0.1:8080 or [::]:443, or unix:/run/NAME.";
	struct place place = {0};
	const char *colon = strrchr(text, ':');
	guint64 port = 0;
	if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL)) {
		g_autofree char *what = g_strdup_printf("\"%s\" has no port.", text);
		settings_lines_wrong(lines, key, what, remedy);
		return place;
	}
	bool bracket = text[0] == '[' && colon > text && colon[-1] == ']';
	g_autofree char *address =
		g_strndup(text + (bracket ? 1 : 0), (gsize)(colon - text) - (bracket ? 2 : 0));
	if (strcmp(address, "localhost") == 0) {
		g_free(address);
		address = g_strdup("127.0.0.1");
	}
	uint8_t bytes[16];
	bool four = false;
	if (!settings_parse_address(address, bytes, &four)) {
		g_autofree char *what =
			g_strdup_printf("\"%s\" is not a numeric address.", address);
		settings_lines_wrong(lines, key, what, remedy);
		return place;
	}
	place.port = (uint16_t)port;
	place.loopback = four ? bytes[12] == 127 : strcmp(address, "::1") == 0;
	place.address = g_steal_pointer(&address);
	return place;
}

void settings_check_listen(struct settings *config, struct settings_lines *lines) {
	const char *listen = config->listen == NULL ? DEFAULT_LISTEN : config->listen;
	if (g_str_has_prefix(listen, "unix:/")) {
		config->unix_path = g_strdup(listen + strlen("unix:"));
		config->loopback = true;
		return;
	}
	struct place place = parse_place(lines, "listen", listen);
	config->address = place.address;
	config->port = place.port;
	config->loopback = place.loopback;
}

/* The lesson's port, where the server is not there already. */
static void check_dialect_listen(struct settings *config, struct settings_lines *lines) {
	const char *listen =
		config->dialect_listen == NULL ? DEFAULT_LISTEN : config->dialect_listen;
	struct place place = parse_place(lines, "dialect-listen", listen);
	if (place.address != NULL && !place.loopback) {
		settings_lines_wrong(lines, "dialect-listen", "It is HTTP, for this machine alone.",
			"Write a loopback address; from elsewhere the dialect is served at "
			"listen.");
	}
	if (place.address != NULL && config->address != NULL && place.port == config->port &&
		place.port != 0 && strcmp(place.address, config->address) == 0) {
		g_clear_pointer(&place.address, g_free);
	}
	config->dialect_address = place.address;
	config->dialect_port = place.port;
}

void settings_check_dialects(struct settings *config, struct settings_lines *lines) {
	for (char *const *name = config->dialects; name != NULL && *name != NULL; name++) {
		if (strcmp(*name, "lesson") == 0) {
			config->dialect_lesson = true;
		} else if (strcmp(*name, "sse") == 0) {
			config->dialect_sse = true;
		} else {
			g_autofree char *what =
				g_strdup_printf("There is no dialect \"%s\".", *name);
			settings_lines_wrong(lines, "dialect", what, "Write lesson, sse, or both.");
		}
	}
	if (config->dialect_lesson) {
		check_dialect_listen(config, lines);
	} else if (config->dialect_listen != NULL) {
		settings_lines_wrong(lines, "dialect-listen",
			"Nobody speaks the lesson's dialect there.",
			"Set dialect=lesson too, or leave dialect-listen out.");
	}
	bool elsewhere = !config->loopback || config->unix_path != NULL;
	if ((config->dialect_lesson || config->dialect_sse) && elsewhere &&
		config->open != SETTINGS_OPEN_PUBLIC) {
		settings_lines_wrong(lines, "dialect",
			"A dialect's clients have no token: anybody who reaches this server may "
			"use it.",
			"Listen at 127.0.0.1, or set open=public if you mean it.");
	}
}
