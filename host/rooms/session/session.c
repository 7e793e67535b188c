#include "rooms/session/session.h"

#include <glib.h>
#include <string.h>

#include "rooms/session/token.h"
#include "rooms/wire/base64url.h"
#include "rooms/wire/wire.h"

#define OUTBOX_ROOM_MIN 8u

struct sessions {
	GHashTable *by_id;
	struct session *oldest; /* of those without a carrier: its grace ends first */
	struct session *newest;
	uint32_t waiting;
	int64_t grace_ms;
};

/* An id is random. */
static guint hash_id(gconstpointer id) {
	guint hash = 0;
	memcpy(&hash, id, sizeof(hash));
	return hash;
}

static gboolean same_id(gconstpointer a, gconstpointer b) {
	return memcmp(a, b, SESSION_KEY_BYTES) == 0;
}

static uint32_t cost(const struct shared_text *text) {
	return MIN(text->length, SESSION_OUTBOX_BUSY);
}

bool session_busy(const struct session *session, size_t bytes) {
	return session->waiting + MIN(bytes, SESSION_OUTBOX_BUSY) > SESSION_OUTBOX_BUSY;
}

static void drop_until(struct session *session, uint64_t acked) {
	while (session->acked < acked) {
		struct shared_text *text = session->outbox[session->first];
		session->waiting -= cost(text);
		shared_text_drop(text);
		session->first = (session->first + 1) % session->room;
		session->count--;
		session->acked++;
	}
	if (session->count == 0 && session->room > 0) {
		g_free(session->outbox);
		session->outbox = NULL;
		session->room = 0;
		session->first = 0;
	}
}

static void free_session(gpointer data) {
	struct session *session = data;
	drop_until(session, session->acked + session->count);
	g_free(session);
}

struct sessions *sessions_create(int64_t grace_ms) {
	struct sessions *sessions = g_new0(struct sessions, 1);
	sessions->by_id = g_hash_table_new_full(hash_id, same_id, NULL, free_session);
	sessions->grace_ms = grace_ms;
	return sessions;
}

void sessions_destroy(struct sessions *sessions) {
	if (sessions != NULL) {
		g_hash_table_destroy(sessions->by_id);
		g_free(sessions);
	}
}

uint32_t sessions_count(const struct sessions *sessions) {
	return g_hash_table_size(sessions->by_id);
}

uint32_t sessions_waiting(const struct sessions *sessions) {
	return sessions->waiting;
}

void sessions_each(struct sessions *sessions, void (*each)(void *context, struct session *session),
	void *context) {
	GList *all = g_hash_table_get_values(sessions->by_id);
	for (GList *at = all; at != NULL; at = at->next) {
		each(context, at->data);
	}
	g_list_free(all);
}

struct session *session_open(
	struct sessions *sessions, void *carrier, void *user, const uint8_t *random, int64_t now) {
	struct session *session = g_new0(struct session, 1);
	session->all = sessions;
	session->carrier = carrier;
	session->user = user;
	session->heard = now;
	memcpy(session->id, random, SESSION_KEY_BYTES);
	memcpy(session->secret, random + SESSION_KEY_BYTES, SESSION_KEY_BYTES);
	g_hash_table_insert(sessions->by_id, session->id, session);
	return session;
}

static void stop_waiting(struct session *session) {
	struct sessions *all = session->all;
	*(session->older != NULL ? &session->older->newer : &all->oldest) = session->newer;
	*(session->newer != NULL ? &session->newer->older : &all->newest) = session->older;
	session->older = NULL;
	session->newer = NULL;
	all->waiting--;
}

void session_close(struct session *session) {
	if (session != NULL) {
		if (session->carrier == NULL) {
			stop_waiting(session);
		}
		g_hash_table_remove(session->all->by_id, session->id);
	}
}

void session_id(const struct session *session, char out[static SESSION_KEY_TEXT]) {
	base64url_write(session->id, SESSION_KEY_BYTES, out);
}

void session_secret(const struct session *session, char out[static SESSION_KEY_TEXT]) {
	base64url_write(session->secret, SESSION_KEY_BYTES, out);
}

static bool read_key(const char *text, uint8_t key[static SESSION_KEY_BYTES]) {
	size_t count = 0;
	return base64url_read(text, strlen(text), key, SESSION_KEY_BYTES, &count) &&
	       count == SESSION_KEY_BYTES;
}

struct session *session_find(struct sessions *sessions, const char *id, const char *secret) {
	uint8_t id_bytes[SESSION_KEY_BYTES];
	uint8_t secret_bytes[SESSION_KEY_BYTES];
	if (!read_key(id, id_bytes) || !read_key(secret, secret_bytes)) {
		return NULL;
	}
	struct session *session = g_hash_table_lookup(sessions->by_id, id_bytes);
	return session != NULL && secret_equal((const char *)session->secret, SESSION_KEY_BYTES,
					  (const char *)secret_bytes, SESSION_KEY_BYTES)
		       ? session
		       : NULL;
}

bool session_resume(struct session *session, void *carrier, uint64_t received, int64_t now) {
	if (session->ended || received < session->acked || received > session->sent) {
		return false;
	}
	drop_until(session, received);
	session->written = received;
	session->heard = now;
	if (session->carrier == NULL) {
		stop_waiting(session);
	}
	session->carrier = carrier;
	return true;
}

void session_break(struct session *session, int64_t now) {
	if (session->carrier == NULL) {
		return;
	}
	struct sessions *all = session->all;
	session->carrier = NULL;
	session->heard = now;
	session->older = all->newest;
	*(all->newest != NULL ? &all->newest->newer : &all->oldest) = session;
	all->newest = session;
	all->waiting++;
}

struct session *sessions_expired(struct sessions *sessions, int64_t now) {
	int64_t expiry = sessions_next_expiry(sessions);
	return expiry >= 0 && expiry <= now ? sessions->oldest : NULL;
}

int64_t sessions_next_expiry(const struct sessions *sessions) {
	return sessions->oldest != NULL ? sessions->oldest->heard + sessions->grace_ms : -1;
}

bool session_heard(struct session *session, bool has_ack, uint64_t ack, int64_t now) {
	/* Without a carrier `heard` is when the grace began. */
	if (session->carrier != NULL) {
		session->heard = now;
	}
	if (has_ack && ack > session->sent) {
		return false;
	}
	if (has_ack && ack > session->acked) {
		drop_until(session, ack);
		session->written = MAX(session->written, ack);
	}
	return true;
}

enum session_verdict session_receive(
	struct session *session, uint64_t seq, bool has_ack, uint64_t ack, int64_t now) {
	if (seq == 0 || seq > session->received + 1 || !session_heard(session, has_ack, ack, now)) {
		return SESSION_BAD;
	}
	if (seq <= session->received) {
		return SESSION_DUPLICATE;
	}
	session->received = seq;
	return SESSION_NEW;
}

static void grow(struct session *session) {
	uint32_t room = MAX(2 * session->room, OUTBOX_ROOM_MIN);
	struct shared_text **outbox = g_new(struct shared_text *, room);
	for (uint32_t i = 0; i < session->count; i++) {
		outbox[i] = session->outbox[(session->first + i) % session->room];
	}
	g_free(session->outbox);
	session->outbox = outbox;
	session->room = room;
	session->first = 0;
}

bool session_send(struct session *session, struct shared_text *text) {
	if (session->ended) {
		return false;
	}
	if (session->waiting + cost(text) > SESSION_OUTBOX_MAX) {
		session->ended = true;
		drop_until(session, session->sent);
		return false;
	}
	if (session->count == session->room) {
		grow(session);
	}
	session->outbox[(session->first + session->count) % session->room] = shared_text_hold(text);
	session->count++;
	session->waiting += cost(text);
	session->sent++;
	return true;
}

const struct shared_text *session_next(const struct session *session, uint64_t *seq) {
	if (session->written >= session->sent || session->ended) {
		return NULL;
	}
	*seq = session->written + 1;
	return session
		->outbox[(session->first + (session->written - session->acked)) % session->room];
}

void session_wrote(struct session *session) {
	session->written = MIN(session->written + 1, session->sent);
}

static size_t put(char *out, const char *key, uint64_t number) {
	char *digits = stpcpy(out, key);
	return (size_t)(digits - out) + wire_number((int64_t)number, digits);
}

size_t session_prefix(
	const struct session *session, uint64_t seq, char out[static SESSION_PREFIX_MAX]) {
	size_t length = seq > 0 ? put(out, "{\"seq\":", seq) : 0;
	length += put(out + length, seq > 0 ? ",\"ack\":" : "{\"ack\":", session->received);
	out[length++] = ',';
	out[length] = '\0';
	return length;
}
