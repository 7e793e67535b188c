#include "rooms/http/peer.h"

#include <arpa/inet.h>
#include <string.h>

static bool in_network(const uint8_t bytes[16], const struct settings_network *network) {
	unsigned whole = network->bits / 8;
	unsigned rest = network->bits % 8;
	if (memcmp(bytes, network->bytes, whole) != 0) {
		return false;
	}
	uint8_t mask = (uint8_t)(0xff00u >> rest);
	return rest == 0 || (bytes[whole] & mask) == (network->bytes[whole] & mask);
}

static bool trusted(const struct settings *settings, const uint8_t bytes[16]) {
	for (unsigned i = 0; i < settings->trust_count; i++) {
		if (in_network(bytes, &settings->trust[i])) {
			return true;
		}
	}
	return false;
}

bool peer_trusted(const struct settings *settings, const struct net_address *address) {
	return trusted(settings, address->bytes);
}

static bool parse(const char *text, uint8_t bytes[16]) {
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	memcpy(bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, bytes + sizeof(mapped)) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

static void name_address(struct peer *peer, const uint8_t bytes[16]) {
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(AF_INET6, bytes, text, sizeof(text)) != NULL) {
		limits_address(text, peer->address);
	}
}

/* The last address that a trusted proxy did not have: what is before it, anybody may write. */
static bool forwarded(const struct settings *settings, const char *header, uint8_t bytes[16]) {
	g_auto(GStrv) hops = g_strsplit(header, ",", 64);
	for (guint i = g_strv_length(hops); i > 0; i--) {
		if (!parse(g_strstrip(hops[i - 1]), bytes)) {
			return false;
		}
		if (!trusted(settings, bytes)) {
			return true;
		}
	}
	return false;
}

void peer_read(
	const struct settings *settings, const struct net_request *request, struct peer *peer) {
	/* What a proxy forwards is not of this machine, whether or not the proxy is known. */
	bool local = request->local && request->forwarded_for[0] == '\0';
	*peer = (struct peer){.secure = request->secure, .local = local};
	uint8_t bytes[16];
	memcpy(bytes, request->peer.bytes, sizeof(bytes));
	bool proxy = request->unix_socket || trusted(settings, bytes);
	bool through = proxy && request->forwarded_for[0] != '\0';
	peer->refused = settings->trust_count > 0 && settings->certificate == NULL && !proxy &&
			!request->local;
	if (through) {
		peer->secure = strcmp(request->forwarded_proto, "https") == 0;
		if (forwarded(settings, request->forwarded_for, bytes)) {
			name_address(peer, bytes);
			return;
		}
	}
	if (request->unix_socket) {
		(void)g_strlcpy(peer->address, "unix", sizeof(peer->address));
	} else {
		name_address(peer, bytes);
	}
}

/* The name in a Host header, without the port and the brackets. */
static char *host_name(const char *host) {
	const char *end = strrchr(host, ':');
	if (host[0] == '[') {
		const char *bracket = strchr(host, ']');
		return bracket == NULL ? NULL : g_strndup(host + 1, (gsize)(bracket - host) - 1);
	}
	return end == NULL ? g_strdup(host) : g_strndup(host, (gsize)(end - host));
}

bool peer_host_known(const struct settings *settings, const struct net_request *request) {
	g_autofree char *name = host_name(request->host);
	uint8_t bytes[16];
	if (name == NULL || name[0] == '\0') {
		return false;
	}
	/* An address can't be given to another machine by a name server. */
	if (g_ascii_strcasecmp(name, "localhost") == 0 || parse(name, bytes)) {
		return true;
	}
	for (char *const *host = settings->hosts; host != NULL && *host != NULL; host++) {
		if (g_ascii_strcasecmp(*host, name) == 0) {
			return true;
		}
	}
	return false;
}

enum peer_origin peer_origin(const struct settings *settings, const struct net_request *request,
	const struct peer *peer) {
	const char *origin = request->origin;
	if (origin[0] == '\0') {
		return PEER_ORIGIN_OWN;
	}
	g_autofree char *own =
		g_strconcat(peer->secure ? "https://" : "http://", request->host, NULL);
	if (g_ascii_strcasecmp(origin, own) == 0) {
		return PEER_ORIGIN_OWN;
	}
	for (char *const *other = settings->origins; other != NULL && *other != NULL; other++) {
		if (g_ascii_strcasecmp(*other, origin) == 0) {
			return PEER_ORIGIN_ALLOWED;
		}
	}
	return PEER_ORIGIN_OTHER;
}

bool peer_is_backend(const struct settings *settings, const struct net_request *request) {
	const char *secret = settings->backend_secret;
	const char *given = request->authorization;
	if (secret == NULL) {
		return false;
	}
	if (g_ascii_strncasecmp(given, "Bearer ", 7) == 0) {
		return secret_equal(secret, strlen(secret), given + 7, strlen(given + 7));
	}
	if (g_ascii_strncasecmp(given, "Basic ", 6) == 0 && given[6] != '\0') {
		size_t length = 0;
		g_autofree guchar *pair = g_base64_decode(given + 6, &length);
		const guchar *colon = memchr(pair, ':', length);
		return colon != NULL &&
		       secret_equal(secret, strlen(secret), (const char *)colon + 1,
			       length - (size_t)(colon - pair) - 1);
	}
	return false;
}
