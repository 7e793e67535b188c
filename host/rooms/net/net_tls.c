#include <openssl/err.h>
#include <openssl/ssl.h>

#include "rooms/net/net_parts.h"

static char *last_error(const char *what, const char *path) {
	char reason[256];
	ERR_error_string_n(ERR_peek_error(), reason, sizeof(reason));
	ERR_clear_error();
	return g_strdup_printf("%s %s can't be used: %s", what, path, reason);
}

static bool load(SSL_CTX *tls, const char *certificate, const char *key, char **problem) {
	if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1) {
		*problem = last_error("the certificate", certificate);
	} else if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
		*problem = last_error("the key", key);
	} else if (SSL_CTX_check_private_key(tls) != 1) {
		*problem = last_error("the certificate's key", key);
	}
	return *problem == NULL;
}

bool net_tls_load(SSL_CTX *tls, const char *certificate, const char *key, char **problem) {
	*problem = NULL;
	/* First elsewhere: a pair that does not fit must not replace half of one that does. */
	SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
	if (trial == NULL) {
		*problem = last_error("TLS with", certificate);
		return false;
	}
	bool ok = load(trial, certificate, key, problem);
	SSL_CTX_free(trial);
	return ok && (tls == NULL || load(tls, certificate, key, problem));
}

bool net_reload_certificate(struct net *net, char **problem) {
	return net->certificate == NULL ||
	       net_tls_load(net->tls, net->certificate, net->key, problem);
}
