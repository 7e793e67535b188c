#include "rooms/state/ice.h"

#include <glib.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static bool any(char *const *list) {
	return list != NULL && list[0] != NULL;
}

static void write_urls(struct wire_writer *writer, char *const *urls) {
	wire_open(writer, "urls", '[');
	for (; *urls != NULL; urls++) {
		wire_string(writer, NULL, *urls);
	}
	wire_close(writer, ']');
}

void ice_write(const struct settings *settings, struct wire_writer *writer, const char *key,
	const char *name, int64_t now) {
	wire_open(writer, key, '[');
	if (any(settings->stun)) {
		wire_open(writer, NULL, '{');
		write_urls(writer, settings->stun);
		wire_close(writer, '}');
	}
	if (any(settings->turn)) {
		g_autofree char *user = g_strdup_printf(
			"%" PRId64 ":%s", now / 1000 + settings->turn_lifetime_s, name);
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned length = 0;
		(void)HMAC(EVP_sha1(), settings->turn_secret, (int)strlen(settings->turn_secret),
			(const unsigned char *)user, strlen(user), digest, &length);
		g_autofree char *password = g_base64_encode(digest, length);
		wire_open(writer, NULL, '{');
		write_urls(writer, settings->turn);
		wire_string(writer, "username", user);
		wire_string(writer, "credential", password);
		wire_close(writer, '}');
	}
	wire_close(writer, ']');
}

int64_t ice_renew_at(const struct settings *settings, int64_t now) {
	return any(settings->turn) ? now + (int64_t)settings->turn_lifetime_s * 750 : INT64_MAX;
}
