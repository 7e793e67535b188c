/* Where the server listens, and for whom: parts of settings_read(). Mistakes are told to `lines`.
 */
#pragma once

#include "rooms/settings/settings.h"
#include "rooms/settings/settings_lines.h"

/* IPv4 as IPv6 writes it; *four tells that it was. */
bool settings_parse_address(const char *text, uint8_t bytes[16], bool *four);

void settings_check_listen(struct settings *config, struct settings_lines *lines);
/* After `listen` and `open`. */
void settings_check_dialects(struct settings *config, struct settings_lines *lines);
