/*
 * SPA parameters of the stream: the format offer, buffers and metadata; and a node's own formats in
 * words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/convert.h"

struct spa_pod;
struct spa_pod_builder;

#define FORMAT_SIDE_MAX 16384u
#define FORMAT_PARAMS_MAX 8u

/* The format offer: four packed formats of any size. Producers that honour rates send up to about
 * twice max_fps. */
const struct spa_pod *format_offer(struct spa_pod_builder *builder, uint32_t max_fps);

/* True when an offer for `offered_fps` doesn't suit `max_fps`: it lets through too few pictures, or
 * more than twice as many as needed. */
bool format_needs_offer(uint32_t offered_fps, uint32_t max_fps);

/* The buffers and metadata to ask for once a format is negotiated. Returns how many `params` were
 * set; there is room for FORMAT_PARAMS_MAX. */
uint32_t format_buffer_params(struct spa_pod_builder *builder, const struct spa_pod **params);

/* Reads the negotiated format. False when it is none of the offered ones. */
bool format_parse(
	const struct spa_pod *format, enum pixel_order *order, uint32_t *width, uint32_t *height);

/*
 * Appends the formats in a node's EnumFormat parameter to `text` (`size` bytes, a C string), as in
 * "NV12, I420". True when one of them can be read, in shared memory.
 */
bool format_describe(const struct spa_pod *offer, char *text, size_t size);
