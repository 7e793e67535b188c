/*
 * Any bytes as what a client sends to the whole server: net with libwebsockets, carriers, sessions
 * and the hub in this process, the client at the other end of a socketpair. Afterwards its
 * connection is gone, and its session with it.
 *
 * The first byte chooses: 1: a WebSocket's right handshake goes before; 2: and `hello`; 4: the
 * client closes its side before it is read to the end; the rest: the size of the pieces that it
 * sends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "rooms/clients/client.h"
#include "rooms/server/server.h"

#define ROUNDS_MAX 200

static void check(bool good) {
	if (!good) {
		abort();
	}
}

static const char handshake[] =
	"GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
	"Upgrade\r\n"
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Protocol: portlight-rooms.1\r\n\r\n";
static const char hello[] = "\x81\x9c\0\0\0\0{\"type\":\"hello\",\"version\":1}";

static struct server *start(void) {
	static struct settings settings;
	static struct server server = {.settings = &settings};
	char *words[] = {"portlight-rooms", "--listen=127.0.0.1:0", "--open=yes", NULL};
	bool check_only = false;
	log_init("rooms_net_fuzz", LOG_ERROR);
	check(settings_read(&settings, 3, words, &check_only));
	/* A session ends with its connection. */
	settings.grace_ms = 0;
	check(server_start(&server));
	return &server;
}

/* What the server says goes nowhere. */
static void drain(int file) {
	char bytes[4096];
	while (recvfrom(file, bytes, sizeof(bytes), MSG_DONTWAIT, NULL, NULL) > 0) {
	}
}

static void say(struct server *server, int file, const void *bytes, size_t length, size_t piece) {
	for (size_t at = 0; at < length; at += piece) {
		size_t size = length - at < piece ? length - at : piece;
		if (send(file, (const char *)bytes + at, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			return;
		}
		net_round(server->net);
		net_round(server->net);
		drain(file);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct server *server;
	if (server == NULL) {
		server = start();
	}
	int files[2];
	if (size < 2 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, files) != 0) {
		return 0;
	}
	check(net_adopt(server->net, files[1]));
	check(net_connections(server->net) == 1);
	size_t piece = (size_t)(data[0] >> 3) * (data[0] >> 3) + 1;
	if ((data[0] & 3) != 0) {
		say(server, files[0], handshake, sizeof(handshake) - 1, sizeof(handshake));
	}
	if ((data[0] & 2) != 0) {
		say(server, files[0], hello, sizeof(hello) - 1, sizeof(hello));
	}
	say(server, files[0], data + 1, size - 1, piece);
	if ((data[0] & 4) == 0) {
		(void)shutdown(files[0], SHUT_WR);
		net_round(server->net);
		drain(files[0]);
	}
	(void)close(files[0]);
	for (int i = 0; i < ROUNDS_MAX && net_connections(server->net) > 0; i++) {
		net_round(server->net);
	}
	clients_tick(server);
	check(net_connections(server->net) == 0);
	check(sessions_count(server->sessions) == 0);
	check(hub_counts(server->hub)->rooms == 0 && hub_counts(server->hub)->named == 0);
	return 0;
}
