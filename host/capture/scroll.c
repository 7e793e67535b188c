#include "capture/scroll.h"

#include <stdlib.h>
#include <sys/param.h>

/* Every 32nd pixel of a row is hashed, and every third row is compared. */
#define PIXEL_STEP 32
#define ROW_STEP 3
/* Fewer moved rows than this say nothing. */
#define ROWS_MIN 60
/* How many percent of the moved rows have to be where they are expected. */
#define MATCH_PCT 60

static uint32_t hash_row(const uint8_t *row, uint32_t width) {
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (uint32_t x = 0; x < width; x += PIXEL_STEP) {
		hash = (hash ^ row[x]) * 16777619u;
	}
	return hash;
}

/* True when most rows that changed were `shift` rows further down before. */
static bool is_shifted(const uint32_t *now, const uint32_t *old, int32_t count, int32_t shift) {
	int32_t from = shift < 0 ? -shift : 0;
	int32_t to = shift > 0 ? count - shift : count;
	uint32_t moved = 0;
	uint32_t equal = 0;
	for (int32_t row = from; row < to; row += ROW_STEP) {
		if (now[row] != old[row]) {
			moved++;
			equal += now[row] == old[row + shift];
		}
	}
	return moved >= ROWS_MIN && 100 * equal >= MATCH_PCT * moved;
}

static bool has_moved(const uint32_t *now, const uint32_t *old, int32_t count) {
	uint32_t moved = 0;
	for (int32_t row = 0; row < count; row += ROW_STEP) {
		moved += now[row] != old[row];
	}
	return moved >= ROWS_MIN;
}

/* The matching shift that is nearest to the last one; 0: none. */
static int32_t find_shift(const uint32_t *now, const uint32_t *old, int32_t count, int32_t last) {
	for (int32_t away = 0; away <= 2 * SCROLL_MAX; away++) {
		for (int32_t sign = -1; sign <= 1; sign += 2) {
			int32_t shift = last + sign * away;
			if (shift != 0 && abs(shift) <= SCROLL_MAX && abs(shift) < count &&
				is_shifted(now, old, count, shift)) {
				return shift;
			}
		}
	}
	return 0;
}

struct scroll_step scroll_see(struct scroll *scroll, const struct picture *picture) {
	uint32_t *now = scroll->rows[1 - scroll->newest];
	const uint32_t *old = scroll->rows[scroll->newest];
	uint32_t count = MIN(picture->height, SCROLL_ROWS);
	for (uint32_t row = 0; row < count; row++) {
		now[row] = hash_row(
			picture->planes[0] + (ptrdiff_t)row * picture->strides[0], picture->width);
	}
	scroll->newest = 1 - scroll->newest;
	bool comparable = scroll->height == picture->height && has_moved(now, old, (int32_t)count);
	scroll->height = picture->height;
	int32_t last = scroll->shift;
	scroll->shift = comparable ? find_shift(now, old, (int32_t)count, last) : 0;
	bool follows =
		scroll->shift != 0 && (last == 0 || abs(scroll->shift - last) <= SCROLL_CHANGE);
	int32_t way = abs(scroll->shift - last);
	bool findable = scroll->shift != 0 && abs(scroll->shift) <= SCROLL_FAR;
	const struct scroll_step step = {
		.way = findable && way > SCROLL_NEAR ? (uint32_t)way : 0,
		.starts = !scroll->moves,
		.breaks = comparable && !follows && scroll->steady == SCROLL_STEADY,
	};
	scroll->moves = true;
	scroll->steady = follows ? MIN(scroll->steady + 1, SCROLL_STEADY) : 0;
	return step;
}

void scroll_rest(struct scroll *scroll) {
	scroll->shift = 0;
	scroll->steady = 0;
	scroll->moves = false;
}
