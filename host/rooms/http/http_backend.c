/*
 * The API of an application's own server: it makes rooms and gives out tokens.
 *	POST   /api/v1/sessions                          {"room"?, "admit"?, "locked"?}
 *	GET    /api/v1/sessions                          all rooms
 *	GET    /api/v1/sessions/ROOM
 *	DELETE /api/v1/sessions/ROOM
 *	POST   /api/v1/sessions/ROOM/connections         {"role"?, "nickname"?, "data"?,
 *"lifetimeMs"?} GET    /api/v1/sessions/ROOM/connections DELETE
 * /api/v1/sessions/ROOM/connections/NUMBER
 */
#include <json-c/json.h>
#include <string.h>

#include "rooms/clients/client.h"
#include "rooms/http/http.h"

struct field {
	const char *name;
	enum json_type type;
	struct json_object *value; /* what was given, or NULL */
};

/* Reads an object that has these fields and no others. False after an answer. */
static bool read_body(struct server *server, const struct net_request *request,
	struct field *fields, size_t count, struct json_object **root) {
	enum rooms_error error = ROOMS_ERROR_NONE;
	*root = NULL;
	if (request->length == 0) {
		*root = json_object_new_object();
	} else {
		error = wire_parse_json(request->body, request->length, root);
	}
	if (error == ROOMS_ERROR_NONE && !json_object_is_type(*root, json_type_object)) {
		error = ROOMS_ERROR_BAD_JSON;
	}
	if (error != ROOMS_ERROR_NONE) {
		http_answer_error(server, request, 400, error, NULL);
		return false;
	}
	json_object_object_foreach(*root, key, value) {
		size_t i = 0;
		while (i < count && strcmp(fields[i].name, key) != 0) {
			i++;
		}
		if (i == count || !json_object_is_type(value, fields[i].type)) {
			http_answer_error(server, request, 400, ROOMS_ERROR_BAD_FIELD,
				i == count ? "unknown field" : fields[i].name);
			return false;
		}
		fields[i].value = value;
	}
	return true;
}

static const char *text_of(const struct field *field) {
	return field->value == NULL ? NULL : json_object_get_string(field->value);
}

static bool flag_of(const struct field *field) {
	return field->value != NULL && json_object_get_boolean(field->value) != 0;
}

static void answer_room(struct server *server, const struct net_request *request, unsigned status,
	const char *room) {
	struct wire_writer writer;
	wire_begin_object(&writer);
	if (hub_room_write(server->hub, room, &writer, "session")) {
		http_answer_text(request, status, "", wire_end(&writer));
	} else {
		shared_text_drop(wire_end(&writer));
		http_answer_error(server, request, 404, ROOMS_ERROR_UNKNOWN_ROOM, NULL);
	}
}

static void create_room(struct server *server, const struct net_request *request) {
	struct field fields[] = {{"room", json_type_string, NULL},
		{"admit", json_type_boolean, NULL}, {"locked", json_type_boolean, NULL}};
	struct json_object *root = NULL;
	if (read_body(server, request, fields, G_N_ELEMENTS(fields), &root)) {
		g_autofree char *name = g_strdup(text_of(&fields[0]));
		if (name == NULL) {
			uint8_t random[16];
			server_random(random, sizeof(random));
			g_autofree char *text = g_base64_encode(random, sizeof(random));
			text[strcspn(text, "=")] = '\0';
			name = g_strdup(g_strdelimit(g_strdelimit(text, "+", '-'), "/", '_'));
		}
		const struct hub_room_options options = {
			.admit = flag_of(&fields[1]), .locked = flag_of(&fields[2])};
		enum rooms_error error = hub_room_create(server->hub, name, &options);
		if (error == ROOMS_ERROR_NONE) {
			answer_room(server, request, 201, name);
		} else {
			http_answer_error(server, request,
				error == ROOMS_ERROR_ROOM_EXISTS      ? 409
				: error == ROOMS_ERROR_TOO_MANY_ROOMS ? 503
								      : 400,
				error, NULL);
		}
	}
	json_object_put(root);
}

/* Fills the claims from the fields. False after an answer. */
static bool take_claims(struct server *server, const struct net_request *request,
	const struct field *fields, struct token_claims *claims) {
	const char *role = text_of(&fields[0]);
	const char *nickname = text_of(&fields[1]);
	const char *data = text_of(&fields[2]);
	int64_t lifetime = fields[3].value == NULL ? TOKEN_LIFETIME_MS
						   : json_object_get_int64(fields[3].value);
	enum rooms_error error = ROOMS_ERROR_BAD_FIELD;
	const char *detail = NULL;
	claims->role = WIRE_PUBLISHER;
	if (role != NULL && !wire_role_parse(role, &claims->role)) {
		detail = "role";
	} else if (nickname != NULL && (error = hub_name_check(nickname)) != ROOMS_ERROR_NONE &&
		   error != ROOMS_ERROR_RESERVED) {
		detail = "nickname";
	} else if (data != NULL && strlen(data) > TOKEN_DATA_MAX) {
		error = ROOMS_ERROR_TOO_LARGE;
		detail = "data";
	} else if (lifetime < 1 || lifetime > TOKEN_LIFETIME_MAX_MS) {
		error = ROOMS_ERROR_BAD_FIELD;
		detail = "lifetimeMs";
	}
	if (detail != NULL) {
		http_answer_error(server, request, 400, error, detail);
		return false;
	}
	claims->expires = server_wall_ms() + lifetime;
	(void)g_strlcpy(
		claims->nickname, nickname == NULL ? "" : nickname, sizeof(claims->nickname));
	(void)g_strlcpy(claims->data, data == NULL ? "" : data, sizeof(claims->data));
	return true;
}

static void create_token(
	struct server *server, const struct net_request *request, const char *room) {
	struct field fields[] = {{"role", json_type_string, NULL},
		{"nickname", json_type_string, NULL}, {"data", json_type_string, NULL},
		{"lifetimeMs", json_type_int, NULL}};
	struct token_claims claims = {0};
	struct json_object *root = NULL;
	char token[TOKEN_TEXT_MAX];
	if (!read_body(server, request, fields, G_N_ELEMENTS(fields), &root) ||
		!take_claims(server, request, fields, &claims)) {
		json_object_put(root);
		return;
	}
	(void)g_strlcpy(claims.room, room, sizeof(claims.room));
	server_random(claims.nonce, sizeof(claims.nonce));
	if (token_issue(server->tokens, &claims, token)) {
		struct wire_writer writer;
		wire_begin_object(&writer);
		wire_string(&writer, "room", room);
		wire_string(&writer, "role", wire_role_name(claims.role));
		wire_integer(&writer, "expires", claims.expires);
		wire_string(&writer, "token", token);
		http_answer_text(request, 201, "", wire_end(&writer));
	} else {
		http_answer_error(server, request, 400, ROOMS_ERROR_BAD_FIELD, NULL);
	}
	json_object_put(root);
}

static void list_rooms(struct server *server, const struct net_request *request) {
	struct wire_writer writer;
	wire_begin_object(&writer);
	hub_rooms_write(server->hub, &writer, "sessions");
	http_answer_text(request, 200, "", wire_end(&writer));
}

static void close_connection(struct server *server, const struct net_request *request,
	const char *room, const char *number) {
	guint64 connection = 0;
	if (g_ascii_string_to_unsigned(number, 10, 1, UINT32_MAX, &connection, NULL) &&
		hub_connection_close(server->hub, room, (uint32_t)connection)) {
		http_answer_nothing(request);
	} else {
		http_answer_error(server, request, 404, ROOMS_ERROR_UNKNOWN_CONNECTION, NULL);
	}
}

/* `parts` are what follows /api/v1/sessions. */
static void route(struct server *server, const struct net_request *request, char *const *parts,
	unsigned count) {
	bool get = strcmp(request->method, "GET") == 0;
	bool post = strcmp(request->method, "POST") == 0;
	bool remove = strcmp(request->method, "DELETE") == 0;
	bool connections = count >= 2 && strcmp(parts[1], "connections") == 0;
	if (count > 0 && !hub_room_exists(server->hub, parts[0])) {
		http_answer_error(server, request, 404, ROOMS_ERROR_UNKNOWN_ROOM, NULL);
	} else if (count == 0 && post) {
		create_room(server, request);
	} else if (count == 0 && get) {
		list_rooms(server, request);
	} else if (get && (count == 1 || (count == 2 && connections))) {
		answer_room(server, request, 200, parts[0]);
	} else if (count == 1 && remove) {
		(void)hub_room_close(server->hub, parts[0]);
		http_answer_nothing(request);
	} else if (count == 2 && connections && post) {
		create_token(server, request, parts[0]);
	} else if (count == 3 && connections && remove) {
		close_connection(server, request, parts[0], parts[2]);
	} else {
		http_answer_error(server, request, 405, ROOMS_ERROR_UNKNOWN_TYPE, NULL);
	}
}

void backend_request(struct server *server, const struct net_request *request) {
	static const char prefix[] = "/api/v1/sessions";
	if (!peer_is_backend(server->settings, request)) {
		server->metrics.refused++;
		static const char ask[] = "WWW-Authenticate: Basic realm=\"portlight-rooms\"\r\n";
		struct wire_writer writer;
		wire_begin_object(&writer);
		wire_string(&writer, "type", "error");
		wire_string(&writer, "code", "unauthorized");
		wire_string(&writer, "message", "This needs the backend's secret.");
		wire_string(&writer, "remedy",
			"Send it as Bearer, or as Basic's password; backend-secret-file names it.");
		http_answer_text(request, 401, ask, wire_end(&writer));
		return;
	}
	const char *rest = request->path + sizeof(prefix) - 1;
	if (!g_str_has_prefix(request->path, prefix) || (rest[0] != '\0' && rest[0] != '/')) {
		http_answer_error(server, request, 404, ROOMS_ERROR_UNKNOWN_TYPE, NULL);
		return;
	}
	g_auto(GStrv) parts = g_strsplit(rest[0] == '/' ? rest + 1 : rest, "/", 5);
	unsigned count = g_strv_length(parts);
	if (count > 0 && parts[count - 1][0] == '\0') {
		count--;
	}
	route(server, request, parts, count);
	(void)clients_reap(server, NULL);
}
