#include "browsers/json.h"

#include <glib.h>
#include <stdbool.h>

struct json_object *json_member(struct json_object *object, const char *name, enum json_type type) {
	struct json_object *member = NULL;
	bool found = json_object_is_type(object, json_type_object) &&
		     json_object_object_get_ex(object, name, &member) &&
		     json_object_is_type(member, type);
	return found ? member : NULL;
}

char *json_text(struct json_object *object, const char *name) {
	struct json_object *member = json_member(object, name, json_type_string);
	return member != NULL ? g_strdup(json_object_get_string(member)) : NULL;
}
