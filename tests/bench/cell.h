/* One measurement of the benchmark; the parts of bench-cell share it. Whatever fails ends the
 * program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "probe.h"
#include "process.h"
#include "wire/packet.h"

/* What the engine made of it. */
struct frame {
	int64_t pts_us;
	bool vp8; /* else VP9 */
	int64_t received_us;
	size_t offset; /* in cell.data */
	size_t length;
	uint32_t last_packet; /* of all that came, counted from 0 */
};

/* What the producer handed over, and when. */
struct shown {
	uint32_t step;
	int64_t pts_ns;
};

struct cell {
	const char *engine;
	const char *codec; /* "auto" too, for portlight */
	const char *workload;
	const char *pipeline;
	const char *helper;
	uint32_t width;
	uint32_t height;
	uint32_t fps;
	uint32_t steps;
	uint32_t warmup; /* steps before those that count */
	uint32_t kbps;
	uint32_t quality_every;
	char directory[512]; /* of our programs */
	pid_t producer;
	pid_t process; /* of the engine */
	int socket;
	int commands;
	int answers;
	uint32_t node_id;
	bool warm; /* the steps that count have begun */
	bool ran;  /* and ended */
	uint32_t missed;
	char line[256];
	size_t line_length;
	struct frame *frames;
	size_t frame_count;
	struct shown *shown;
	size_t shown_count;
	uint32_t packets;
	int probe_fd;
	const struct probe_log *probe;
	struct bytes data;
	struct cost before;
	struct cost after;
	uint64_t peak_kib;
};

void cell_fail(const char *text) __attribute__((noreturn));

/* Makes room for one more element of a list of `count`, each of `size` bytes. */
void *cell_grow(void *list, size_t count, size_t size);

/* Starts the producer and the engine. */
void cell_start(struct cell *cell);

/* Sends a packet to the engine, with a descriptor where `fd` is one. */
void cell_send(const struct cell *cell, const struct packet *packet, int fd);
/* Takes what producer and engine send, until `done` or for so long. Returns `done`. */
bool cell_serve(struct cell *cell, bool (*done)(const struct cell *cell), uint32_t timeout_ms);

/* Prints what was measured, as a JSON object. */
void cell_print(const struct cell *cell);
