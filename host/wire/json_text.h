/* Strict JSON of a text, by json-c. */
#pragma once

#include <json-c/json.h>
#include <stddef.h>

/*
 * The value of `length` bytes of UTF-8, nested `depth` deep at most; the caller's. NULL where
 * *error is not json_tokener_success, and for `null`. Whitespace may follow, nothing else.
 */
struct json_object *json_text_parse(
	const char *text, size_t length, int depth, enum json_tokener_error *error);
