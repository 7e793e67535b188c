#include "marker.h"

/* The layout, in cells, is described in tests/desktop/marker. */
#define COLUMNS 22
#define ROWS 12
#define PAYLOAD 12 /* bytes, of which the last two are the checksum */
#define PAYLOAD_COLUMNS 16
#define MAGIC 0xa5
#define INSET 12 /* pixels */
#define CELL_MAX 36u
#define CELL_MIN 6u
#define BLACK 0x000000
#define WHITE 0xffffff

/* CRC-16/CCITT-FALSE. */
static uint32_t crc16(const uint8_t *data, size_t length) {
	uint32_t crc = 0xffff;
	for (size_t i = 0; i < length; i++) {
		crc ^= (uint32_t)data[i] << 8;
		for (int bit = 0; bit < 8; bit++) {
			crc = ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
		}
	}
	return crc;
}

static void write_number(uint8_t *out, uint64_t number, size_t bytes) {
	for (size_t i = 0; i < bytes; i++) {
		out[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	}
}

static void paint_cells(struct screen *screen, uint32_t cell, uint32_t column, uint32_t row,
	uint32_t columns, uint32_t rows, uint32_t colour) {
	screen_paint(screen, colour,
		&SPA_REGION((int32_t)(INSET + column * cell), (int32_t)(INSET + row * cell),
			columns * cell, rows * cell));
}

void marker_paint(struct screen *screen, uint64_t time_ms, uint32_t counter) {
	uint32_t across = (screen->width / 2 - 2 * INSET) / COLUMNS;
	uint32_t down = (screen->height / 2 - 2 * INSET) / ROWS;
	uint32_t cell = SPA_CLAMP(SPA_MIN(across, down), CELL_MIN, CELL_MAX);
	uint8_t payload[PAYLOAD] = {MAGIC};
	write_number(payload + 1, time_ms, 6);
	write_number(payload + 7, counter, 3);
	write_number(payload + 10, crc16(payload, 10), 2);
	paint_cells(screen, cell, 0, 0, COLUMNS, ROWS, WHITE);
	paint_cells(screen, cell, 1, 1, COLUMNS - 2, ROWS - 2, BLACK);
	paint_cells(screen, cell, 2, 2, COLUMNS - 4, ROWS - 4, WHITE);
	for (uint32_t i = 0; i < 8 * PAYLOAD; i++) {
		if ((payload[i / 8] >> (7 - i % 8) & 1) != 0) {
			paint_cells(screen, cell, 3 + i % PAYLOAD_COLUMNS, 3 + i / PAYLOAD_COLUMNS,
				1, 1, BLACK);
		}
	}
}
