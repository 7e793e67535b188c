#include <stdlib.h>
#include <string.h>

#include "load.h"

#define ACK_MESSAGES 16
#define RELAY_SIZE 300

/* As a browser's candidate is; fills messages up to their size. */
static const char filler[] =
	"candidate:842163049 1 udp 1677729535 203.0.113.77 53421 typ srflx raddr 0.0.0.0 rport 0 "
	"generation 0 ufrag 4ZcD network-cost 999 candidate:842163049 1 udp 1677729535 "
	"203.0.113.77 53421 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag 4ZcD";

const char *speak_protocol(void) {
	return load.rooms ? "portlight-rooms.1" : NULL;
}

struct user *speak_peer(const struct user *user) {
	return &load.users[user->index ^ 1U];
}

static void say(struct user *user, const char *text, int length) {
	client_send(&user->client, text, (size_t)length);
}

/* `{"seq":…,"ack":…,`; what comes is acknowledged by that. */
static int envelope(struct user *user, uint64_t seq, char *text, size_t room) {
	user->owed = 0;
	return snprintf(text, room, "{\"seq\":%llu,\"ack\":%llu,", (unsigned long long)seq,
		(unsigned long long)user->received);
}

/* The same for a request that is answered: with an `id`. */
static int question(struct user *user, char *text, size_t room) {
	int length = envelope(user, ++user->sent, text, room);
	return length + snprintf(text + length, room - (size_t)length, "\"id\":%llu,",
				(unsigned long long)user->sent);
}

static void greet(struct user *user) {
	char text[256];
	int length = 0;
	if (!load.rooms) {
		length = snprintf(text, sizeof(text), "#u%u", user->index);
	} else if (user->session[0] == '\0') {
		length = snprintf(text, sizeof(text), "{\"type\":\"hello\",\"version\":1}");
	} else {
		length = snprintf(text, sizeof(text),
			"{\"type\":\"hello\",\"version\":1,\"resume\":{\"session\":\"%s\","
			"\"secret\":\"%s\",\"received\":%llu}}",
			user->session, user->secret, (unsigned long long)user->received);
	}
	say(user, text, length);
}

static void log_in(struct user *user) {
	char text[4096];
	int length = question(user, text, sizeof(text));
	length += user->room == NULL
			  ? snprintf(text + length, sizeof(text) - (size_t)length,
				    "\"type\":\"login\",\"name\":\"u%u\"}", user->index)
			  : snprintf(text + length, sizeof(text) - (size_t)length,
				    "\"type\":\"join\",\"room\":\"%s\",\"nickname\":\"u%u\","
				    "\"kind\":\"data\",\"token\":\"%s\"}",
				    user->room, user->index, user->token);
	say(user, text, length);
}

void speak_acknowledge(struct user *user) {
	char text[64];
	user->owed = 0;
	say(user, text,
		snprintf(text, sizeof(text), "{\"type\":\"ack\",\"ack\":%llu}",
			(unsigned long long)user->received));
}

/* Message `number` to the peer, as relays without an answer; the same text whenever it is sent, but
 * for `ack` and time. */
static void say_relayed(struct user *user, uint64_t number, int64_t now) {
	char text[RELAY_SIZE + 64];
	unsigned to = user->index ^ 1U;
	int length = load.rooms ? envelope(user, user->base + number, text, sizeof(text))
				: snprintf(text, sizeof(text), "@u%u {\"from\":\"u%u\",", to,
					  user->index);
	int begun = length;
	if (load.rooms) {
		length += snprintf(text + length, sizeof(text) - (size_t)length,
			"\"type\":\"candidate\",\"to\":\"u%u\",\"call\":\"c%u\",\"candidate\":{",
			to, user->index / 2);
	}
	length += snprintf(text + length, sizeof(text) - (size_t)length,
		"\"n\":%llu,\"t\":%lld,\"candidate\":\"", (unsigned long long)number,
		(long long)now);
	int rest = RELAY_SIZE - (length - (load.rooms ? 0 : begun)) - 3;
	length += snprintf(text + length, sizeof(text) - (size_t)length, "%.*s\"}%s", rest, filler,
		load.rooms ? "}" : "");
	say(user, text, length);
}

void speak_relay(struct user *user, int64_t now) {
	if (user->relayed == 0) {
		user->base = user->sent;
	}
	user->sent++;
	user->relayed++;
	/* Who is on the way back says it there, after hello. */
	if (user->state == USER_THERE) {
		say_relayed(user, user->relayed, now);
	}
}

/* A string of `size` bytes after what stands in `text`, and the end. */
static int fill(char *text, size_t size, const char *end) {
	memset(text, 'x', size);
	(void)strcpy(text + size, end);
	return (int)(size + strlen(end));
}

static void say_sdp(struct user *user, const struct user *to, unsigned call, size_t size) {
	char *text = malloc(size + 512);
	int length = question(user, text, 512);
	length += snprintf(text + length, 256,
		"\"type\":\"offer\",\"to\":\"u%u\",\"call\":\"c%u\",\"sdp\":\"", to->index, call);
	length += fill(text + length, size, "\"}");
	say(user, text, length);
	free(text);
}

void speak_call(struct user *user) {
	say_sdp(user, speak_peer(user), user->index / 2, 1500);
}

void speak_blob(struct user *user, const struct user *to, size_t size) {
	if (load.rooms) {
		say_sdp(user, to, 1000000 + user->index, size);
		return;
	}
	char *text = malloc(size + 512);
	int length = snprintf(text, 512, "@u%u ", to->index);
	length += fill(text + length, size, "");
	say(user, text, length);
	free(text);
}

void speak_body(
	struct user *user, const struct user *to, uint32_t pair, uint32_t side, size_t size) {
	char text[4096];
	int length = 0;
	if (load.rooms) {
		length = question(user, text, sizeof(text));
		length += snprintf(text + length, sizeof(text) - (size_t)length,
			"\"type\":\"send\",\"room\":\"%s\",\"to\":[%u],\"body\":", user->room,
			to->connection);
	} else {
		length = snprintf(text, sizeof(text), "@u%u ", to->index);
	}
	length += snprintf(text + length, sizeof(text) - (size_t)length,
		"{\"pair\":%u,\"side\":%u,\"sdp\":\"", pair, side);
	length += fill(text + length, size, load.rooms ? "\"}}" : "\"}");
	say(user, text, length);
}

/* The number after `key`, or 0. */
static uint64_t number_after(const char *text, size_t length, const char *key) {
	const char *at = memmem(text, length, key, strlen(key));
	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

static void copy_after(const char *text, size_t length, const char *key, char out[static 24]) {
	const char *at = memmem(text, length, key, strlen(key));
	size_t i = 0;
	for (at = at == NULL ? "\"" : at + strlen(key); i < 23 && *at != '"'; at++) {
		out[i++] = *at;
	}
	out[i] = '\0';
}

static bool has(const char *text, size_t length, const char *what) {
	return memmem(text, length, what, strlen(what)) != NULL;
}

static void on_relayed(struct user *user, const char *text, size_t length) {
	uint64_t number = number_after(text, length, "\"n\":");
	if (number == user->seen + 1) {
		user->seen++;
	} else if (number <= user->seen) {
		load.twice++;
		return;
	} else {
		load.lost += number - user->seen - 1;
		user->seen = number;
	}
	if (load.relayed != NULL) {
		load.relayed(speak_peer(user), user, (int64_t)number_after(text, length, "\"t\":"));
	}
}

static void on_body(const char *text, size_t length) {
	if (load.body != NULL) {
		load.body((uint32_t)number_after(text, length, "\"pair\":"),
			(uint32_t)number_after(text, length, "\"side\":"), clients_now());
	}
}

static void on_welcome(struct user *user, const char *text, size_t length) {
	bool first = user->session[0] == '\0';
	copy_after(text, length, "\"session\":\"", user->session);
	copy_after(text, length, "\"secret\":\"", user->secret);
	if (has(text, length, "\"resumed\":true")) {
		load.resumed++;
		uint64_t known = number_after(text, length, "\"received\":");
		for (uint64_t seq = known + 1; seq <= user->sent; seq++) {
			say_relayed(user, seq - user->base, clients_now());
		}
		user_there(user);
		return;
	}
	load.restarted += !first;
	user->sent = user->received = user->relayed = user->seen = 0;
	user->owed = 0;
	log_in(user);
}

static void on_answer(struct user *user, const char *text, size_t length, bool ok) {
	load.answers += ok;
	load.refused += !ok;
	if (user->state != USER_COMING) {
		return;
	}
	if (!ok) {
		(void)fprintf(stderr, "u%u: %.*s\n", user->index, (int)length, text);
		exit(1);
	}
	user->connection = (uint32_t)number_after(text, length, "\"connection\":");
	user_there(user);
}

/* A numbered message of the server's; `text` is what follows the numbers. */
static void on_numbered(struct user *user, const char *text, size_t length) {
	static const char type[] = "\"type\":\"";
	const char *kind = memmem(text, length < 100 ? length : 100, type, sizeof(type) - 1);
	kind = kind == NULL ? "" : kind + sizeof(type) - 1;
	if (strncmp(kind, "candidate\"", 10) == 0) {
		on_relayed(user, text, length);
	} else if (strncmp(kind, "ok\"", 3) == 0 || strncmp(kind, "error\"", 6) == 0) {
		on_answer(user, text, length, kind[0] == 'o');
	} else if (strncmp(kind, "message\"", 8) == 0) {
		on_body(text, length);
	} else if (strncmp(kind, "offer\"", 6) == 0) {
		load.calls_heard++;
	}
}

static void on_rooms_text(struct user *user, const char *text, size_t length) {
	if (strncmp(text, "{\"seq\":", 7) != 0) {
		if (has(text, length, "\"type\":\"welcome\"")) {
			on_welcome(user, text, length);
		} else if (has(text, length, "\"type\":\"ping\"")) {
			speak_acknowledge(user);
		} else {
			(void)fprintf(stderr, "u%u: %.*s\n", user->index, (int)length, text);
		}
		return;
	}
	uint64_t seq = strtoull(text + 7, NULL, 10);
	if (seq != user->received + 1) {
		*(seq <= user->received ? &load.twice : &load.lost) += 1;
		return;
	}
	user->received = seq;
	on_numbered(user, text, length);
	if (++user->owed >= ACK_MESSAGES) {
		speak_acknowledge(user);
	}
}

static void on_text(struct client *client, const char *text, size_t length) {
	struct user *user = (struct user *)client;
	if (load.rooms) {
		on_rooms_text(user, text, length);
	} else if (user->state == USER_COMING) {
		user_there(user);
	} else if (has(text, length, "\"n\":")) {
		on_relayed(user, text, length);
	} else {
		on_body(text, length);
	}
}

static void on_opened(struct client *client) {
	greet((struct user *)client);
}

static void on_closed(struct client *client) {
	user_broke((struct user *)client);
}

const struct client_handlers speak_handlers = {
	.opened = on_opened, .text = on_text, .closed = on_closed};
