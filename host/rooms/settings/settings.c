#include "rooms/settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config.h"
#include "rooms/settings/settings_lines.h"
#include "rooms/settings/settings_listen.h"

#define SECRET_MIN 16u
/* Beside the connections: listeners, the loop's own, certificates being read. */
#define FILES_RESERVED 64u

enum kind { TEXT, LIST, NUMBER };

/* The one table of what can be set: in the file by group and key, on the command line by key. */
static const struct setting {
	const char *group;
	const char *key;
	size_t at;
	enum kind kind;
	int least;
	int most;
	int preset;
	const char *help;
	const char *value;
} table[] = {
#define AT(field) offsetof(struct settings, field)
	{"server", "listen", AT(listen), TEXT, 0, 0, 0, "Where to listen (default: 127.0.0.1:8080)",
		"ADDRESS:PORT|unix:PATH"},
	{"server", "certificate", AT(certificate), TEXT, 0, 0, 0,
		"HTTPS with this certificate chain, read again on SIGHUP", "FILE"},
	{"server", "key", AT(key), TEXT, 0, 0, 0, "The certificate's key", "FILE"},
	{"server", "hosts", AT(hosts), LIST, 0, 0, 0,
		"The names that browsers reach this server by", "NAME[;NAME…]"},
	{"server", "origins", AT(origins), LIST, 0, 0, 0, "Other sites whose pages may connect",
		"https://NAME[;…]"},
	{"server", "trust-proxy", AT(trust_text), LIST, 0, 0, 0,
		"Believe X-Forwarded-For of proxies in these networks; others may not connect",
		"CIDR[;CIDR…]"},
	{"server", "pages", AT(pages), TEXT, 0, 0, 0, "The pages to serve", "FOLDER"},
	{"server", "open", AT(open_text), TEXT, 0, 0, 0,
		"Anybody may make a room; \"public\" is required on more than loopback",
		"no|yes|public"},
	{"server", "dialect", AT(dialects), LIST, 0, 0, 0,
		"Serve clients of other applications too", "lesson|sse"},
	{"server", "dialect-listen", AT(dialect_listen), TEXT, 0, 0, 0,
		"Where to listen for the lesson's clients as well (default: 127.0.0.1:8080)",
		"ADDRESS:PORT"},
	{"server", "backend-secret-file", AT(backend_secret_file), TEXT, 0, 0, 0,
		"The secret of the backend API and of /metrics", "FILE"},
	{"server", "token-key-file", AT(token_key_file), TEXT, 0, 0, 0,
		"The key that signs tokens (default: a new one at each start)", "FILE"},
	{"limits", "sessions", AT(sessions_max), NUMBER, 1, 1000000, 12000,
		"Sessions at once (12000)", "N"},
	{"limits", "sessions-per-address", AT(address_sessions_max), NUMBER, 1, 1000000, 256,
		"Sessions of one address (256)", "N"},
	{"limits", "messages-per-second", AT(messages_per_second), NUMBER, 1, 100000, 50,
		"Messages of a session (50)", "N"},
	{"limits", "bytes-per-second", AT(bytes_per_second), NUMBER, 1024, 1000000, 65536,
		"Bytes of a session (65536)", "N"},
	{"limits", "header-seconds", AT(header_seconds), NUMBER, 1, 120, 10,
		"For a request's headers (10)", "S"},
	{"limits", "body-seconds", AT(body_seconds), NUMBER, 1, 600, 30,
		"For a request's body, and for its answer (30)", "S"},
	{"limits", "ping-ms", AT(ping_ms), NUMBER, 100, 60000, 3000,
		"Between two pings; who answers neither is away (3000)", "MS"},
	{"limits", "grace-ms", AT(grace_ms), NUMBER, 0, 600000, 30000,
		"How long a session waits for its client (30000)", "MS"},
	{"ice", "stun", AT(stun), LIST, 0, 0, 0, "STUN servers for the clients",
		"stun:NAME:PORT[;…]"},
	{"ice", "turn", AT(turn), LIST, 0, 0, 0, "TURN servers for the clients",
		"turn:NAME:PORT[;…]"},
	{"ice", "turn-secret-file", AT(turn_secret_file), TEXT, 0, 0, 0,
		"The secret that is coturn's static-auth-secret", "FILE"},
	{"ice", "turn-lifetime-s", AT(turn_lifetime_s), NUMBER, 60, 604800, 43200,
		"Of TURN's credentials, which are renewed in time (43200)", "S"},
};

static char **text_of(struct settings *config, const struct setting *setting) {
	return (char **)((char *)config + setting->at);
}

static char ***list_of(struct settings *config, const struct setting *setting) {
	return (char ***)((char *)config + setting->at);
}

static int *number_of(struct settings *config, const struct setting *setting) {
	return (int *)((char *)config + setting->at);
}

/* Of a setting: the file's line where it is from there, otherwise the option. */
static void wrong(struct settings_lines *lines, const char *key, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
static void wrong(struct settings_lines *lines, const char *key, const char *remedy,
	const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	settings_lines_wrong(lines, key, what, remedy);
}

/* Sets what the value says; the command line has the same values. */
static void take(struct settings *config, struct settings_lines *lines,
	const struct setting *setting, const char *value) {
	guint64 number = 0;
	switch (setting->kind) {
	case TEXT:
		g_free(*text_of(config, setting));
		*text_of(config, setting) = g_strdup(value);
		break;
	case LIST: {
		char ***list = list_of(config, setting);
		g_strfreev(*list);
		*list = g_strsplit_set(value, ";, ", -1);
		/* Without the empty ones. */
		char **to = *list;
		for (char **from = *list; *from != NULL; from++) {
			if (**from != '\0') {
				*to++ = *from;
			} else {
				g_free(*from);
			}
		}
		*to = NULL;
		break;
	}
	case NUMBER:
		if (!g_ascii_string_to_unsigned(value, 10, (guint64)setting->least,
			    (guint64)setting->most, &number, NULL)) {
			g_autofree char *remedy =
				g_strdup_printf("Give a whole number from %d to %d.",
					setting->least, setting->most);
			wrong(lines, setting->key, remedy, "%s is \"%s\".", setting->key, value);
			return;
		}
		*number_of(config, setting) = (int)number;
		break;
	}
}

/* A secret's file has it in its first line. */
static char *read_secret(
	struct settings_lines *lines, const char *key, const char *path, size_t *length) {
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	if (!g_file_get_contents(path, &text, NULL, &error)) {
		wrong(lines, key, "Name a file that this user can read.", "%s can't be read: %s",
			key, error->message);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) < SECRET_MIN) {
		wrong(lines, key, "Write one into it, for example: openssl rand -base64 32 > FILE",
			"The secret in %s has less than %u characters.", path, SECRET_MIN);
		return NULL;
	}
	*length = strlen(text);
	return g_steal_pointer(&text);
}

static void check_trust(struct settings *config, struct settings_lines *lines) {
	unsigned count = config->trust_text == NULL ? 0 : g_strv_length(config->trust_text);
	config->trust = g_new0(struct settings_network, count);
	for (unsigned i = 0; i < count; i++) {
		struct settings_network *network = &config->trust[config->trust_count];
		g_auto(GStrv) parts = g_strsplit(config->trust_text[i], "/", 2);
		guint64 bits = 0;
		bool four = false;
		if (!settings_parse_address(parts[0], network->bytes, &four) ||
			(parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 0,
						     four ? 32 : 128, &bits, NULL))) {
			wrong(lines, "trust-proxy",
				"Write networks such as 127.0.0.1/32 or fd00::/8.",
				"\"%s\" is no network.", config->trust_text[i]);
			continue;
		}
		network->bits = parts[1] == NULL ? 128 : (unsigned)bits + (four ? 96u : 0u);
		config->trust_count++;
	}
}

static void check_open(struct settings *config, struct settings_lines *lines) {
	static const char *const words[] = {"no", "yes", "public"};
	const char *word = config->open_text == NULL ? "no" : config->open_text;
	for (int i = 0; i < (int)G_N_ELEMENTS(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			config->open = (enum settings_open)i;
			if (config->open == SETTINGS_OPEN && !config->loopback) {
				wrong(lines, "open",
					"Listen at 127.0.0.1, or write public if you mean it.",
					"With open=yes anybody who reaches this server may make "
					"rooms.");
			} else if (config->open == SETTINGS_OPEN && config->unix_path != NULL) {
				wrong(lines, "open", "Write public if you mean it.",
					"With open=yes anybody who reaches the proxy may make "
					"rooms.");
			}
			return;
		}
	}
	wrong(lines, "open", "Write no, yes or public.", "open is \"%s\".", word);
}

static void check_urls(struct settings_lines *lines, const char *key, char *const *urls,
	const char *scheme, const char *second) {
	for (; urls != NULL && *urls != NULL; urls++) {
		if (!g_str_has_prefix(*urls, scheme) && !g_str_has_prefix(*urls, second)) {
			wrong(lines, key, "Write it with its scheme, port and no path.",
				"\"%s\" does not begin with %s or %s.", *urls, scheme, second);
		}
	}
}

static void check_tls(const struct settings *config, struct settings_lines *lines) {
	if ((config->certificate == NULL) != (config->key == NULL)) {
		wrong(lines, config->key == NULL ? "certificate" : "key",
			"Set both certificate and key, or neither.",
			"A certificate needs its key.");
	}
	if (config->certificate == NULL && !config->loopback && config->trust_count == 0) {
		wrong(lines, "listen",
			"Set certificate and key; or listen at 127.0.0.1 or unix:PATH behind a "
			"proxy, "
			"or name the proxy's network in trust-proxy.",
			"Without HTTPS browsers give pages no camera and no screen, and others can "
			"read along.");
	}
	if ((!config->loopback || config->unix_path != NULL) && config->hosts == NULL) {
		wrong(lines, "hosts", "Set hosts to the names in the server's URL.",
			"Requests are answered only for names that are known.");
	}
}

static void check_secrets(struct settings *config, struct settings_lines *lines) {
	size_t length = 0;
	if (config->backend_secret_file != NULL) {
		config->backend_secret = read_secret(
			lines, "backend-secret-file", config->backend_secret_file, &length);
	}
	if (config->token_key_file != NULL) {
		config->token_key = (uint8_t *)read_secret(
			lines, "token-key-file", config->token_key_file, &config->token_key_length);
	}
	if (config->turn_secret_file != NULL) {
		config->turn_secret =
			read_secret(lines, "turn-secret-file", config->turn_secret_file, &length);
	}
	if (config->turn != NULL && config->turn[0] != NULL && config->turn_secret_file == NULL) {
		wrong(lines, "turn",
			"Set turn-secret-file to a file with coturn's static-auth-secret.",
			"TURN servers need credentials.");
	}
}

/* Beside the program, as `make install` puts them; NULL where it is not installed. */
static char *installed_pages(void) {
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *bin = program == NULL ? NULL : g_path_get_dirname(program);
	g_autofree char *pages =
		bin == NULL ? NULL
			    : g_build_filename(bin, "..", "share", "portlight", "examples", NULL);
	return pages != NULL && g_file_test(pages, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&pages)
								       : NULL;
}

static void check(struct settings *config, struct settings_lines *lines) {
	settings_check_listen(config, lines);
	check_trust(config, lines);
	check_open(config, lines);
	settings_check_dialects(config, lines);
	check_tls(config, lines);
	check_urls(lines, "origins", config->origins, "https://", "http://");
	check_urls(lines, "stun", config->stun, "stun:", "stuns:");
	check_urls(lines, "turn", config->turn, "turn:", "turns:");
	check_secrets(config, lines);
	if (config->pages == NULL) {
		config->pages = installed_pages();
	} else if (!g_file_test(config->pages, G_FILE_TEST_IS_DIR)) {
		wrong(lines, "pages", "Name the folder that has rooms/index.html.",
			"%s is no folder.", config->pages);
	}
	config->limits = limits_defaults;
	config->limits.sessions_max = (uint32_t)config->sessions_max;
	config->limits.address_sessions_max = (uint32_t)config->address_sessions_max;
	config->limits.messages.per_second = (uint32_t)config->messages_per_second;
	config->limits.messages.burst = 4 * (uint32_t)config->messages_per_second;
	config->limits.bytes.per_second = (uint32_t)config->bytes_per_second;
	config->limits.bytes.burst = 4 * (uint32_t)config->bytes_per_second;
	/* All may come back at once. */
	config->limits.arrivals.burst =
		MAX(config->limits.arrivals.burst, (uint32_t)config->address_sessions_max);
}

static void take_file(struct settings *config, struct settings_lines *lines) {
	for (size_t i = 0; i < settings_lines_count(lines); i++) {
		const struct settings_line *line = settings_lines_get(lines, i);
		const struct setting *found = NULL;
		const char *names[G_N_ELEMENTS(table) + 1] = {NULL};
		for (size_t j = 0; j < G_N_ELEMENTS(table); j++) {
			names[j] = table[j].key;
			if (strcmp(table[j].group, line->group) == 0 &&
				strcmp(table[j].key, line->key) == 0) {
				found = &table[j];
			}
		}
		if (found == NULL) {
			settings_lines_unknown(lines, line, names);
		} else {
			take(config, lines, found, line->value);
		}
	}
}

static const char summary[] =
	"Introduces people's browsers to each other for calls, conferences and assistance: it "
	"serves\n"
	"the pages and carries their messages; pictures and sound go from browser to browser.\n"
	"\n"
	"Examples:\n"
	"  portlight-rooms --open=yes\n"
	"  portlight-rooms --config /etc/portlight/rooms.conf --check-config";

struct arguments {
	char *config;
	gboolean check;
	gboolean version;
	char *values[G_N_ELEMENTS(table)];
};

static bool parse_arguments(struct arguments *arguments, int argc, char **argv) {
	GOptionEntry entries[G_N_ELEMENTS(table) + 4] = {
		{"config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config,
			"The configuration file", "FILE"},
		{"check-config", 0, 0, G_OPTION_ARG_NONE, &arguments->check,
			"Name each mistake in the configuration, and exit", NULL},
		{"version", 'V', 0, G_OPTION_ARG_NONE, &arguments->version, "Print the version",
			NULL},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		entries[i + 3] = (GOptionEntry){table[i].key, 0, 0, G_OPTION_ARG_STRING,
			&arguments->values[i], table[i].help, table[i].value};
	}
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, summary);
	g_option_context_add_main_entries(context, entries, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		(void)fprintf(stderr, "portlight-rooms: %s\n  See portlight-rooms --help.\n",
			error->message);
		return false;
	}
	if (argc > 1) {
		(void)fprintf(stderr,
			"portlight-rooms: \"%s\" is no option.\n"
			"  See portlight-rooms --help.\n",
			argv[1]);
		return false;
	}
	return true;
}

bool settings_read(struct settings *config, int argc, char **argv, bool *check_only) {
	*config = (struct settings){0};
	struct arguments arguments = {0};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].kind == NUMBER) {
			*number_of(config, &table[i]) = table[i].preset;
		}
	}
	bool ok = parse_arguments(&arguments, argc, argv);
	if (ok && arguments.version) {
		(void)printf("portlight-rooms " PORTLIGHT_VERSION "\n");
		exit(0);
	}
	if (ok) {
		struct settings_lines *lines = settings_lines_read(arguments.config);
		take_file(config, lines);
		for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
			if (arguments.values[i] != NULL) {
				settings_lines_override(lines, table[i].key);
				take(config, lines, &table[i], arguments.values[i]);
			}
		}
		check(config, lines);
		ok = settings_lines_end(lines);
	}
	*check_only = arguments.check;
	config->path = arguments.config;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		g_free(arguments.values[i]);
	}
	return ok;
}

void settings_finish(struct settings *config) {
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].kind == TEXT) {
			g_free(*text_of(config, &table[i]));
		} else if (table[i].kind == LIST) {
			g_strfreev(*list_of(config, &table[i]));
		}
	}
	g_free(config->path);
	g_free(config->address);
	g_free(config->unix_path);
	g_free(config->dialect_address);
	g_free(config->trust);
	g_free(config->backend_secret);
	g_free(config->token_key);
	g_free(config->turn_secret);
}

bool settings_raise_files(const struct settings *config) {
	struct rlimit files;
	rlim_t wanted = (rlim_t)config->sessions_max + FILES_RESERVED;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
		return true;
	}
	files.rlim_cur = files.rlim_max;
	/* libwebsockets has a table of as many entries. */
	if (files.rlim_max == RLIM_INFINITY || files.rlim_cur > wanted * 2) {
		files.rlim_cur = wanted * 2;
	}
	if (files.rlim_cur < wanted || setrlimit(RLIMIT_NOFILE, &files) != 0) {
		(void)fprintf(stderr,
			"portlight-rooms: %d sessions don't fit: this process may open %llu "
			"files.\n"
			"  Set sessions to less, or raise the limit: LimitNOFILE= of the unit, "
			"ulimit -Hn.\n",
			config->sessions_max, (unsigned long long)files.rlim_max);
		return false;
	}
	return true;
}
