/* Any text: grant_list_parse() keeps its bounds, and what it took is written and read back the
 * same. */
#include <stdlib.h>
#include <string.h>

#include "wire/grant_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct grant_list list;
	static struct grant_list again;
	struct bytes out = {0};
	if (!bytes_append(&out, data, size) || !bytes_append(&out, "", 1)) {
		abort();
	}
	(void)grant_list_is_newer((char *)out.data);
	(void)grant_list_parse(&list, (char *)out.data, size);
	bytes_finish(&out);
	for (size_t i = 0; i < list.count; i++) {
		const struct grant *grant = &list.grants[i];
		if (!origin_is_valid(grant->origin, strlen(grant->origin)) ||
			!grant_token_is_valid(grant->token) ||
			grant_list_find(&list, grant->origin) != grant) {
			abort();
		}
	}
	if (!grant_list_write(&list, &out) || !bytes_append(&out, "", 1) ||
		!grant_list_parse(&again, (char *)out.data, out.length - 1) ||
		memcmp(&list, &again, sizeof(list)) != 0) {
		abort();
	}
	bytes_finish(&out);
	return 0;
}
