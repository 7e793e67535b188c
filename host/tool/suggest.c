#include "tool/suggest.h"

#include <glib.h>
#include <string.h>

/* Longer than any command or name of a browser. */
#define LETTERS_MAX 40u

/* How many single slips make `b` of `a`, both at most LETTERS_MAX bytes (optimal string alignment).
 */
static unsigned slips(const char *a, const char *b) {
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);
	unsigned cost[LETTERS_MAX + 1][LETTERS_MAX + 1];
	for (size_t i = 0; i <= a_length; i++) {
		for (size_t j = 0; j <= b_length; j++) {
			if (i == 0 || j == 0) {
				cost[i][j] = (unsigned)(i + j);
				continue;
			}
			unsigned other = a[i - 1] == b[j - 1] ? 0 : 1;
			unsigned one = MIN(cost[i - 1][j], cost[i][j - 1]) + 1;
			cost[i][j] = MIN(one, cost[i - 1][j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				cost[i][j] = MIN(cost[i][j], cost[i - 2][j - 2] + 1);
			}
		}
	}
	return cost[a_length][b_length];
}

const char *suggest(const char *word, const char *const *words) {
	const char *nearest = NULL;
	unsigned least = LETTERS_MAX;
	g_autofree char *typed = g_ascii_strdown(word, -1);
	if (strlen(typed) > LETTERS_MAX) {
		return NULL;
	}
	for (; *words != NULL; words++) {
		g_autofree char *known = g_ascii_strdown(*words, -1);
		size_t length = strlen(known);
		if (length > LETTERS_MAX) {
			continue;
		}
		unsigned wrong = slips(typed, known);
		if (wrong < least && wrong * 3 <= MAX(length, strlen(typed))) {
			least = wrong;
			nearest = *words;
		}
	}
	return nearest;
}
