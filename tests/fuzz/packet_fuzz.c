/* Any bytes: packet_parse() takes them or refuses them; what it took is written back to the very
 * same bytes. */
#include <stdlib.h>
#include <string.h>

#include "wire/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct packet packet;
	if (!packet_parse(data, size, &packet)) {
		return 0;
	}
	static uint8_t again[PACKET_SIZE_MAX];
	size_t length = packet_write(&packet, again);
	size_t payload = packet.type == PACKET_FRAME    ? packet.frame.payload_length
			 : packet.type == PACKET_CURSOR ? packet_cursor_length(&packet.cursor)
							: 0;
	if (length + payload != size || memcmp(again, data, length) != 0) {
		abort();
	}
	return 0;
}
