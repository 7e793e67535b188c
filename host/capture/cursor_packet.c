#include "capture/cursor_packet.h"

#include <sys/param.h>

static uint16_t scale_hotspot(int32_t hot, uint32_t side, uint32_t scaled) {
	return (uint16_t)MIN(MAX((int64_t)hot * scaled / side, 0), scaled);
}

static void take_bitmap(struct cursor_packet *cursor, const struct source_cursor *source) {
	struct packet_cursor *packet = &cursor->cursor;
	uint32_t width = source->width;
	uint32_t height = source->height;
	cursor_shrink_bitmap(source->rgba, PACKET_CURSOR_SIDE_MAX, &width, &height, cursor->rgba);
	packet->width = (uint16_t)width;
	packet->height = (uint16_t)height;
	packet->hot_x = scale_hotspot(source->hot_x, source->width, width);
	packet->hot_y = scale_hotspot(source->hot_y, source->height, height);
	packet->rgba = cursor->rgba;
	cursor->bitmap = source->bitmap;
	cursor->bitmap_waits = true;
}

void cursor_packet_update(struct cursor_packet *cursor, const struct source_cursor *source) {
	cursor->known = true;
	cursor->waits = true;
	cursor->cursor.x = source->x;
	cursor->cursor.y = source->y;
	cursor->cursor.visible = source->visible && source->width > 0;
	if (source->bitmap != cursor->bitmap && source->width > 0) {
		take_bitmap(cursor, source);
	}
}

void cursor_packet_repeat(struct cursor_packet *cursor) {
	cursor->waits = cursor->waits || cursor->known;
}

static int32_t bound(int32_t place) {
	const int32_t most = (int32_t)PACKET_SIDE_MAX;
	return MIN(MAX(place, -most), most);
}

struct packet cursor_packet_make(
	struct cursor_packet *cursor, const struct canvas *canvas, bool bitmap) {
	struct packet packet = {.type = PACKET_CURSOR, .cursor.visible = cursor->cursor.visible};
	int32_t x = bound(cursor->cursor.x);
	int32_t y = bound(cursor->cursor.y);
	canvas_point(canvas, &x, &y);
	if (bitmap && cursor->bitmap_waits) {
		cursor->bitmap_waits = false;
		packet.cursor = cursor->cursor;
	}
	packet.cursor.x = bound(x);
	packet.cursor.y = bound(y);
	cursor->waits = false;
	return packet;
}
