/* A short list of areas that never says less than was added to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workload.h"

#define AREAS_MAX 16

struct areas {
	struct area list[AREAS_MAX];
	size_t count;
	bool all; /* there was no room: everything */
};

static inline void areas_add(struct areas *areas, const struct area *more, size_t count) {
	for (size_t i = 0; i < count && !areas->all; i++) {
		bool known = false;
		for (size_t j = 0; j < areas->count && !known; j++) {
			const struct area *old = &areas->list[j];
			known = old->x <= more[i].x && old->y <= more[i].y &&
				old->x + old->width >= more[i].x + more[i].width &&
				old->y + old->height >= more[i].y + more[i].height;
		}
		if (!known && areas->count == AREAS_MAX) {
			areas->all = true;
		} else if (!known) {
			areas->list[areas->count++] = more[i];
		}
	}
}
