/* Members of JSON objects that others wrote. */
#pragma once

#include <json-c/json.h>

/* The member, or NULL if there is none of that type. `object` may be NULL. Lent. */
struct json_object *json_member(struct json_object *object, const char *name, enum json_type type);

/* The same for a text; free with g_free(). */
char *json_text(struct json_object *object, const char *name);
