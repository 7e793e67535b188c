#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "quality.h"

/* Durations in nanoseconds; sorted once all are there. */
struct durations {
	int64_t *list;
	size_t count;
};

struct result {
	size_t encodes;
	size_t vp8; /* of them */
	size_t bytes;
	struct durations latencies; /* from the picture handed over to the frame written out */
	struct durations holds;     /* of PipeWire's buffers */
	struct quality quality;
};

static int compare_durations(const void *a, const void *b) {
	const int64_t *left = a;
	const int64_t *right = b;
	return (*left > *right) - (*left < *right);
}

static void add_duration(struct durations *durations, int64_t duration) {
	durations->list = cell_grow(durations->list, durations->count, sizeof(*durations->list));
	durations->list[durations->count++] = duration;
}

static void sort_durations(struct durations *durations) {
	if (durations->count > 0) {
		qsort(durations->list, durations->count, sizeof(*durations->list),
			compare_durations);
	}
}

static double duration_ms(const struct durations *durations, double share) {
	if (durations->count == 0) {
		return 0;
	}
	size_t at = (size_t)(share * (double)durations->count);
	return (double)durations->list[at < durations->count ? at : durations->count - 1] / 1e6;
}

static size_t count_events(const struct cell *cell) {
	uint32_t count = atomic_load(&cell->probe->count);
	if (count > PROBE_EVENTS_MAX) {
		cell_fail("more events than the probe has room for");
	}
	return count;
}

/* When a step was handed over; 0: never. */
static int64_t shown_at(const struct cell *cell, uint32_t step) {
	for (size_t i = 0; i < cell->shown_count; i++) {
		if (cell->shown[i].step == step) {
			return cell->shown[i].pts_ns;
		}
	}
	return 0;
}

/* When packet number `packet` was written; 0: the probe did not see it. */
static int64_t sent_at(const struct cell *cell, uint32_t packet) {
	size_t count = count_events(cell);
	for (size_t i = 0; i < count; i++) {
		const struct probe_event *event = &cell->probe->events[i];
		if (event->kind == PROBE_SENT && packet-- == 0) {
			return event->time_ns;
		}
	}
	return 0;
}

static void collect_holds(const struct cell *cell, struct durations *holds) {
	size_t count = count_events(cell);
	for (size_t i = 0; i < count; i++) {
		const struct probe_event *taken = &cell->probe->events[i];
		if (taken->kind != PROBE_DEQUEUED || taken->time_ns < cell->before.at_us * 1000) {
			continue;
		}
		for (size_t j = i + 1; j < count; j++) {
			const struct probe_event *given = &cell->probe->events[j];
			if (given->kind == PROBE_QUEUED && given->buffer == taken->buffer) {
				add_duration(holds, given->time_ns - taken->time_ns);
				break;
			}
		}
	}
	sort_durations(holds);
}

/* The frames decoded and compared with what was shown; to be freed. */
static struct quality_frame *judge(const struct cell *cell, struct quality *quality) {
	struct quality_frame *frames = calloc(cell->frame_count, sizeof(*frames));
	uint32_t *shown = calloc(cell->shown_count, sizeof(*shown));
	if (frames == NULL || shown == NULL) {
		cell_fail("out of memory");
	}
	for (size_t i = 0; i < cell->shown_count; i++) {
		shown[i] = cell->shown[i].step;
	}
	for (size_t i = 0; i < cell->frame_count; i++) {
		const struct frame *frame = &cell->frames[i];
		frames[i] = (struct quality_frame){
			cell->data.data + frame->offset, frame->length, frame->vp8, 0};
	}
	const struct quality_task task = {
		.workload = cell->workload,
		.width = cell->width,
		.height = cell->height,
		.shown = shown,
		.shown_count = cell->shown_count,
		.first = cell->warmup + 1,
		.last = cell->warmup + cell->steps,
		.every = cell->quality_every,
	};
	if (!quality_measure(&task, frames, cell->frame_count, quality)) {
		cell_fail("the frames don't decode to the pictures that were shown");
	}
	free(shown);
	return frames;
}

static void summarise(const struct cell *cell, struct result *result) {
	struct quality_frame *frames = judge(cell, &result->quality);
	for (size_t i = 0; i < cell->frame_count; i++) {
		const struct frame *frame = &cell->frames[i];
		if (frame->received_us <= cell->before.at_us) {
			continue;
		}
		result->encodes++;
		result->vp8 += frame->vp8;
		result->bytes += frame->length;
		uint32_t step = frames[i].step;
		bool first = i == 0 || frames[i - 1].step != step;
		if (first && step > cell->warmup) {
			int64_t shown = shown_at(cell, step);
			int64_t sent = sent_at(cell, frame->last_packet);
			if (shown == 0 || sent < shown) {
				cell_fail("the probe missed something");
			}
			add_duration(&result->latencies, sent - shown);
		}
	}
	sort_durations(&result->latencies);
	collect_holds(cell, &result->holds);
	free(frames);
}

void cell_print(const struct cell *cell) {
	struct result result = {0};
	summarise(cell, &result);
	double seconds = (double)(cell->after.at_us - cell->before.at_us) / 1e6;
	double nominal = (double)cell->steps / cell->fps;
	double cpu_ms = (double)(cell->after.cpu_ns - cell->before.cpu_ns) / 1e6;
	printf("{\"workload\": \"%s\", \"width\": %u, \"height\": %u, \"engine\": \"%s\", "
	       "\"codec\": \"%s\", \"vp8\": %zu, \"cpuMsPerFrame\": %.4f, \"cpuPercent\": %.3f, "
	       "\"encodeMs\": {\"p50\": %.3f, \"p95\": %.3f}, \"kbps\": %.1f, "
	       "\"psnr\": %.2f, \"ssim\": %.4f, \"unreadable\": %u, \"rssMiB\": %.1f, "
	       "\"wakeupsPerSecond\": %.1f, \"frames\": %u, \"encodes\": %zu, \"missed\": %u, "
	       "\"heldMs\": {\"p50\": %.3f, \"p95\": %.3f}}\n",
		cell->workload, cell->width, cell->height, cell->engine, cell->codec, result.vp8,
		cpu_ms / cell->steps, cpu_ms / nominal / 10, duration_ms(&result.latencies, 0.5),
		duration_ms(&result.latencies, 0.95), (double)result.bytes * 8 / 1000 / nominal,
		result.quality.psnr, result.quality.ssim, result.quality.unreadable,
		(double)cell->peak_kib / 1024,
		(double)(cell->after.wakeups - cell->before.wakeups) / seconds, cell->steps,
		result.encodes, cell->missed, duration_ms(&result.holds, 0.5),
		duration_ms(&result.holds, 0.95));
	free(result.latencies.list);
	free(result.holds.list);
}
