#include "rooms/dialect/dialect.h"

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

/* What was begun may be half of a message. */
static struct shared_text *end(struct wire_writer *writer, bool whole) {
	struct shared_text *text = wire_end(writer);
	if (!whole) {
		g_clear_pointer(&text, shared_text_drop);
	}
	return text;
}

struct shared_text *dialect_read(const struct dialect *dialect, struct dialect_client *client,
	const char *text, size_t length, enum rooms_error *error) {
	struct json_object *root = NULL;
	struct wire_writer ours = {0};
	*error = wire_parse_json(text, length, &root);
	if (*error == ROOMS_ERROR_NONE) {
		const char *type = dialect_string(root, "type");
		*error = type == NULL ? ROOMS_ERROR_BAD_MESSAGE
				      : dialect->read(client, type, root, &ours);
	}
	json_object_put(root);
	return end(&ours, *error == ROOMS_ERROR_NONE);
}

struct shared_text *dialect_write(const struct dialect *dialect, struct dialect_client *client,
	const struct shared_text *ours) {
	struct wire_writer theirs = {0};
	g_autofree char *whole = g_strconcat("{", ours->bytes, NULL);
	struct json_object *root = json_tokener_parse(whole);
	const char *type = dialect_string(root, "type");
	bool said = type != NULL && dialect->write(client, type, root, &theirs);
	json_object_put(root);
	return end(&theirs, said);
}

const char *dialect_string(struct json_object *object, const char *key) {
	struct json_object *value = NULL;
	return json_object_is_type(object, json_type_object) &&
			       json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

void dialect_set_peer(struct dialect_client *client, const char *peer, const char *call) {
	(void)g_strlcpy(client->peer, peer, sizeof(client->peer));
	(void)g_strlcpy(client->call, call, sizeof(client->call));
}

bool dialect_same_name(const char *a, const char *b) {
	g_autofree char *one = g_utf8_casefold(a, -1);
	g_autofree char *other = g_utf8_casefold(b, -1);
	return strcmp(one, other) == 0;
}
